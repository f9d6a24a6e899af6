// SPDX-License-Identifier: Apache-2.0

//! Write a plugin in Rust:
//!
//! ```ignore
//! use helios_plugin::{kv_increment, pre_query, proceed, QueryContext, Verdict};
//!
//! fn count(context: &QueryContext) -> Verdict {
//!     if let Some(tenant) = context.tenant() {
//!         kv_increment(&tenant, 1);
//!     }
//!     proceed()
//! }
//! pre_query!(count);
//! ```
//!
//! No crate but this one, no WASI: target wasm32-unknown-unknown, any Rust from 1.63 on.
//! `docs/writing-plugins.md` is the guide, `abi/helios_abi2.h` what is underneath.
//!
//! Everything that one hook call reads and writes is one transaction. A panic ends the call: nothing
//! that it did happens, and the manifest's `on_error` decides about the statement.

mod event;
mod fields;
mod host;
mod query;
#[doc(hidden)]
pub mod run;
mod state;
pub mod sys;
mod verdict;
mod write;

pub use event::*;
pub use host::*;
pub use query::*;
pub use state::*;
pub use verdict::*;
pub use write::*;

#[no_mangle]
pub extern "C" fn helios_abi_version() -> i32 {
    sys::ABI_VERSION
}

/// Makes a function the plugin's `pre_query`.
#[macro_export]
macro_rules! pre_query {
    ($function:path) => {
        #[no_mangle]
        pub extern "C" fn pre_query() -> i32 {
            $crate::run::pre_query($function)
        }
    };
}

/// Makes a function the plugin's `post_query`.
#[macro_export]
macro_rules! post_query {
    ($function:path) => {
        #[no_mangle]
        pub extern "C" fn post_query() -> i32 {
            $crate::run::post_query($function)
        }
    };
}

/// Makes a function the plugin's `settled`.
#[macro_export]
macro_rules! settled {
    ($function:path) => {
        #[no_mangle]
        pub extern "C" fn settled() -> i32 {
            $crate::run::settled($function)
        }
    };
}

/// Makes a function the plugin's `check_write`: it answers `proceed()`, or `block("why not", "")`.
#[macro_export]
macro_rules! check_write {
    ($function:path) => {
        #[no_mangle]
        pub extern "C" fn check_write() -> i32 {
            $crate::run::check_write($function)
        }
    };
}

/// Makes a function the plugin's `event`.
#[macro_export]
macro_rules! event {
    ($function:path) => {
        #[no_mangle]
        pub extern "C" fn event() -> i32 {
            $crate::run::event($function)
        }
    };
}
