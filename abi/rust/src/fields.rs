// SPDX-License-Identifier: Apache-2.0

//! Bytes and numbers that the host has, fetched into memory of the plugin.

use crate::sys;

/// What `read(out, out_max)` gives, in a buffer that grows until it fits.
pub(crate) fn read_bytes(mut read: impl FnMut(*mut u8, u32) -> i32) -> Option<Vec<u8>> {
    let mut room: usize = 512;
    loop {
        let mut bytes = Vec::with_capacity(room);
        let length = read(bytes.as_mut_ptr(), room as u32);
        if length >= 0 {
            // The host wrote so many bytes, and no more than there is room for.
            unsafe { bytes.set_len(length as usize) };
            return Some(bytes);
        }
        if length != sys::TOO_SMALL || room > 64 << 20 {
            return None;
        }
        room *= 8;
    }
}

pub(crate) fn bytes_field(field: u32) -> Option<Vec<u8>> {
    read_bytes(|out, max| unsafe { sys::field(field, out, max) })
}

pub(crate) fn number_field(field: u32) -> Option<i64> {
    let mut value = 0;
    (unsafe { sys::field_number(field, &mut value) } == 0).then(|| value)
}

pub(crate) fn text_field(field: u32) -> String {
    String::from_utf8_lossy(&bytes_field(field).unwrap_or_default()).into_owned()
}
