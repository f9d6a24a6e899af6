// SPDX-License-Identifier: Apache-2.0

//! What `event` is told.

use crate::fields::bytes_field;
use crate::sys;

/// Something that happened and is about no statement. There is nothing that the hook could refuse.
pub struct EventContext(pub(crate) ());

impl EventContext {
    /// "start", "stop", "reload", "admin", "login_denied", "block", "unblock"; later versions of the proxy have more.
    pub fn kind(&self) -> Vec<u8> {
        bytes_field(sys::EVENT_KIND).unwrap_or_default()
    }
    /// One JSON object, at most 32 KiB.
    pub fn json(&self) -> Vec<u8> {
        bytes_field(sys::EVENT_DETAIL).unwrap_or_default()
    }
}
