//! OCI's handles as Rust values, and the register that frees with an environment what was made in it.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicPtr, AtomicU32};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::statements::Stmt;
use super::{INVALID_HANDLE, Pointer, SUCCESS};
use crate::error::OraError;
use crate::link::Link;
use crate::session::Session;

pub(crate) const HTYPE_ENV: u32 = 1;
pub(crate) const HTYPE_ERROR: u32 = 2;
pub(crate) const HTYPE_SVCCTX: u32 = 3;
pub(crate) const HTYPE_STMT: u32 = 4;
pub(crate) const HTYPE_BIND: u32 = 5;
pub(crate) const HTYPE_SERVER: u32 = 8;
pub(crate) const HTYPE_SESSION: u32 = 9;

pub(crate) struct Env {
    pub(crate) charset: u16,
    pub(crate) ncharset: u16,
}

#[derive(Default)]
pub(crate) struct ErrorHandle {
    pub(crate) error: Option<OraError>,
    /// The errors of the last array DML, by row.
    pub(crate) batch: Vec<(u32, OraError)>,
    /// Of a handle that stands for one of them: its row.
    pub(crate) row: u32,
}

#[derive(Default)]
pub(crate) struct Server {
    pub(crate) link: Mutex<Option<Arc<Link>>>,
}

#[derive(Default)]
pub(crate) struct User {
    pub(crate) name: String,
    pub(crate) password: String,
    /// Where the session runs, once begun.
    pub(crate) service: AtomicPtr<Service>,
}

/// A service context.
#[derive(Default)]
pub(crate) struct Service {
    pub(crate) server: AtomicPtr<Server>,
    pub(crate) user: AtomicPtr<User>,
    pub(crate) call_timeout_ms: AtomicU32,
    pub(crate) cache_size: AtomicU32,
    pub(crate) inner: Mutex<ServiceInner>,
}

#[derive(Default)]
pub(crate) struct ServiceInner {
    pub(crate) session: Option<Session>,
    /// Statements not in use, the longest unused first.
    pub(crate) cache: Vec<Box<Stmt>>,
    /// Statements in use. ODPI-C leaves those of a dead session to us.
    pub(crate) used: Vec<*mut Stmt>,
}

impl Service {
    pub(crate) fn lock(&self) -> MutexGuard<'_, ServiceInner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for ServiceInner {
    fn drop(&mut self) {
        for statement in self.used.drain(..) {
            // SAFETY: made by `Box::into_raw` in OCIStmtPrepare2 and taken from the list when it is released
            drop(unsafe { Box::from_raw(statement) });
        }
    }
}

/// All handles that are not freed: their type and their environment.
static REGISTER: Mutex<BTreeMap<usize, (u32, usize)>> = Mutex::new(BTreeMap::new());

fn register() -> MutexGuard<'static, BTreeMap<usize, (u32, usize)>> {
    REGISTER.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Hands a value out as a handle.
pub(crate) fn hand_out<T>(value: T, kind: u32, environment: Pointer) -> Pointer {
    let handle: Pointer = Box::into_raw(Box::new(value)).cast();
    register().insert(handle.addr(), (kind, environment.addr()));
    handle
}

/// # Safety
/// `handle` was handed out with this type and is not in the register any more.
unsafe fn destroy(handle: Pointer, kind: u32) {
    // SAFETY: `hand_out` made the box of this type
    unsafe {
        match kind {
            HTYPE_ENV => drop(Box::from_raw(handle.cast::<Env>())),
            HTYPE_ERROR => drop(Box::from_raw(handle.cast::<ErrorHandle>())),
            HTYPE_SVCCTX => drop(Box::from_raw(handle.cast::<Service>())),
            HTYPE_SERVER => drop(Box::from_raw(handle.cast::<Server>())),
            _ => drop(Box::from_raw(handle.cast::<User>())),
        }
    }
}

/// Frees a handle; with an environment, all that was made in it and forgotten.
pub(crate) fn free(handle: Pointer) -> i32 {
    let mut doomed = Vec::new();
    {
        let mut handles = register();
        let Some((kind, _)) = handles.remove(&handle.addr()) else {
            return INVALID_HANDLE;
        };
        if kind == HTYPE_ENV {
            handles.retain(|address, (kind, environment)| {
                let child = *environment == handle.addr();
                if child {
                    doomed.push((*address, *kind));
                }
                !child
            });
        }
        doomed.push((handle.addr(), kind));
    }
    for (address, kind) in doomed {
        // SAFETY: the register held it until now, with the type it was made with
        unsafe { destroy(handle.with_addr(address), kind) };
    }
    SUCCESS
}

#[unsafe(no_mangle)]
unsafe extern "C" fn OCIEnvNlsCreate(
    environment: *mut Pointer,
    _mode: u32,
    _context: Pointer,
    _malloc: Pointer,
    _realloc: Pointer,
    _free: Pointer,
    _extra: usize,
    _user_memory: *mut Pointer,
    charset: u16,
    ncharset: u16,
) -> i32 {
    const AL32UTF8: u16 = 873;
    let or_utf8 = |charset: u16| if charset == 0 { AL32UTF8 } else { charset };
    let env = Env { charset: or_utf8(charset), ncharset: or_utf8(ncharset) };
    let handle = hand_out(env, HTYPE_ENV, std::ptr::null_mut());
    // SAFETY: an out parameter, see the module
    unsafe { *environment = handle };
    SUCCESS
}

#[unsafe(no_mangle)]
unsafe extern "C" fn OCIHandleAlloc(
    environment: Pointer,
    handle: *mut Pointer,
    kind: u32,
    _extra: usize,
    _user_memory: *mut Pointer,
) -> i32 {
    let made = match kind {
        HTYPE_ERROR => hand_out(ErrorHandle::default(), kind, environment),
        HTYPE_SVCCTX => hand_out(Service::default(), kind, environment),
        HTYPE_SERVER => hand_out(Server::default(), kind, environment),
        HTYPE_SESSION => hand_out(User::default(), kind, environment),
        _ => return INVALID_HANDLE,
    };
    // SAFETY: an out parameter, see the module
    unsafe { *handle = made };
    SUCCESS
}

#[unsafe(no_mangle)]
unsafe extern "C" fn OCIHandleFree(handle: Pointer, _kind: u32) -> i32 {
    free(handle)
}

#[unsafe(no_mangle)]
unsafe extern "C" fn OCIErrorGet(
    handle: Pointer,
    _record: u32,
    _state: *mut u8,
    code: *mut i32,
    buffer: *mut u8,
    size: u32,
    kind: u32,
) -> i32 {
    if kind != HTYPE_ERROR || size == 0 {
        return INVALID_HANDLE;
    }
    // SAFETY: an error handle, and a buffer of `size` bytes, see the module
    unsafe {
        let Some(error) = (*handle.cast::<ErrorHandle>()).error.as_ref() else {
            return super::NO_DATA;
        };
        *code = error.code;
        let message = error.message.as_bytes();
        let length = message.len().min(size as usize - 1);
        buffer.copy_from_nonoverlapping(message.as_ptr(), length);
        *buffer.add(length) = 0;
    }
    SUCCESS
}
