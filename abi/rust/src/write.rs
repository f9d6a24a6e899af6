// SPDX-License-Identifier: Apache-2.0

//! What `check_write` is told.

use crate::fields::bytes_field;
use crate::sys;

/// Which key somebody outside wants to set, and to what. The hook can read the plugin's state, but not change it.
pub struct WriteContext(pub(crate) ());

impl WriteContext {
    pub fn key(&self) -> Vec<u8> {
        bytes_field(sys::WRITE_KEY).unwrap_or_default()
    }
    pub fn value(&self) -> Vec<u8> {
        bytes_field(sys::WRITE_VALUE).unwrap_or_default()
    }
}
