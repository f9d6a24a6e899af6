// SPDX-License-Identifier: Apache-2.0

// Re-exporting the C API keeps its `extern "C"` symbols in the static library.
pub use wasmtime_c_api::*;

use wasmtime_c_api::wasmtime::{Enabled, PoolingAllocationConfig};

/// The one setting that we need and the C API lacks, see `include/helios_wasmtime.h`.
#[no_mangle]
pub extern "C" fn helios_pooling_allocation_config_reset_written_pages(
    pool: &mut wasmtime_pooling_allocation_config_t,
) {
    let pool: *mut wasmtime_pooling_allocation_config_t = pool;
    // SAFETY: the C API's type is a #[repr(C)] struct with this as its only field, which it keeps to itself.
    let config = unsafe { &mut *pool.cast::<PoolingAllocationConfig>() };
    config.pagemap_scan(Enabled::Auto);
}

const _: () = assert!(
    std::mem::size_of::<wasmtime_pooling_allocation_config_t>() == std::mem::size_of::<PoolingAllocationConfig>()
);
