// SPDX-License-Identifier: Apache-2.0

// Re-exporting the C API keeps its `extern "C"` symbols in the static library.
pub use wasmtime_c_api::*;
