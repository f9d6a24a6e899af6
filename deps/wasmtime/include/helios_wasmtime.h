/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HELIOS_WASMTIME_H
#define HELIOS_WASMTIME_H

/* What deps/wasmtime/lib.rs adds to wasmtime's C API. */

#include <wasmtime.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Where the kernel can tell (PAGEMAP_SCAN, Linux 6.7), a slot of the pool is made as new by writing over the pages that
 * its last instance wrote to, and no others: Rust's PoolingAllocationConfig::pagemap_scan(Enabled::Auto). Elsewhere
 * nothing changes: the whole memory is written over, up to linear_memory_keep_resident, and the rest given back. */
void helios_pooling_allocation_config_reset_written_pages(
    wasmtime_pooling_allocation_config_t* pool);

#ifdef __cplusplus
}
#endif

#endif
