//! The C side: OCI's handles and functions, as ODPI-C 5.4 declares and uses them.
//!
//! Safety, once for this whole module: the caller is ODPI-C, which keeps OCI's contract. A handle that it passes was
//! made here, has the type its call implies and is not freed yet; an out pointer is null or valid for the width OCI
//! documents; buffers that it binds or defines stay valid while the statement uses them; a statement is used by one
//! thread at a time. A service context may be used by several threads, so its session is behind a lock.

#![expect(clippy::vec_box, reason = "C keeps the addresses of what is in these vectors")]

mod attributes;
mod binding;
mod connect;
mod descriptors;
mod handles;
mod running;
mod statements;
mod values;

use std::ffi::c_void;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::error::{OraError, Result};
use handles::ErrorHandle;

pub(crate) type Pointer = *mut c_void;

pub(crate) const SUCCESS: i32 = 0;
pub(crate) const SUCCESS_WITH_INFO: i32 = 1;
pub(crate) const NO_DATA: i32 = 100;
pub(crate) const ERROR: i32 = -1;
pub(crate) const INVALID_HANDLE: i32 = -2;
pub(crate) const CONTINUE: i32 = -24200;

/// Runs the body of an OCI function: an error goes into the error handle, and no panic crosses into C.
///
/// # Safety
/// `error` is null or an error handle, see the module.
unsafe fn guard(error: Pointer, body: impl FnOnce() -> Result<i32>) -> i32 {
    let done = catch_unwind(AssertUnwindSafe(body))
        .unwrap_or_else(|_| Err(OraError::internal("panic, see the standard error")));
    done.unwrap_or_else(|failed| {
        // SAFETY: the caller's promise
        if let Some(handle) = unsafe { error.cast::<ErrorHandle>().as_mut() } {
            handle.error = Some(failed);
        }
        ERROR
    })
}

/// Writes a value of an attribute or an out parameter, unless the pointer is null.
///
/// # Safety
/// `place` is null or valid for a `T`; it need not be aligned.
unsafe fn put<T>(place: Pointer, value: T) {
    if !place.is_null() {
        // SAFETY: the caller's promise
        unsafe { place.cast::<T>().write_unaligned(value) };
    }
}

/// A text of the caller.
///
/// # Safety
/// `text` is null or valid for `length` bytes.
unsafe fn text(text: *const u8, length: usize) -> Result<String> {
    if text.is_null() {
        return Ok(String::new());
    }
    // SAFETY: the caller's promise
    let bytes = unsafe { std::slice::from_raw_parts(text, length) };
    String::from_utf8(bytes.to_vec()).map_err(OraError::internal)
}
