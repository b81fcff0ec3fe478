//! Connecting, the session, and the calls that concern it as a whole.

use std::sync::Arc;
use std::sync::PoisonError;
use std::sync::atomic::Ordering::SeqCst;

use super::handles::{ErrorHandle, Server, Service, ServiceInner, User};
use super::{Pointer, SUCCESS, SUCCESS_WITH_INFO, guard, put, text};
use crate::control::Word;
use crate::error::{OraError, Result};
use crate::link::Link;
use crate::session::Session;

/// 19.24, a client that all servers from 11.2 on accept.
#[unsafe(no_mangle)]
unsafe extern "C" fn OCIClientVersion(
    major: *mut i32,
    minor: *mut i32,
    update: *mut i32,
    patch: *mut i32,
    port: *mut i32,
) {
    let numbers = [(major, 19), (minor, 24), (update, 0), (patch, 0), (port, 0)];
    for (place, number) in numbers {
        // SAFETY: an out parameter, see the module
        unsafe { put(place.cast(), number) };
    }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn OCIServerAttach(
    server: Pointer,
    error: Pointer,
    connect_string: *const u8,
    length: i32,
    _mode: u32,
) -> i32 {
    // SAFETY: handles and a text as their types say, see the module
    unsafe {
        guard(error, || {
            let connect_string = text(connect_string, length.max(0) as usize)?;
            let link = Link::attach(&connect_string)?;
            let server = &*server.cast::<Server>();
            *server.link.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(link));
            Ok(SUCCESS)
        })
    }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn OCIServerDetach(server: Pointer, error: Pointer, _mode: u32) -> i32 {
    // SAFETY: a server handle, see the module
    unsafe {
        guard(error, || {
            let server = &*server.cast::<Server>();
            *server.link.lock().unwrap_or_else(PoisonError::into_inner) = None;
            Ok(SUCCESS)
        })
    }
}

/// # Safety
/// `service` is a service context, see the module.
pub(crate) unsafe fn link(service: &Service) -> Result<Arc<Link>> {
    // SAFETY: ODPI-C frees the server handle after the session has ended
    let server = unsafe { service.server.load(SeqCst).as_ref() };
    let link = server.and_then(|server| {
        let link = server.link.lock().unwrap_or_else(PoisonError::into_inner);
        link.clone()
    });
    link.ok_or_else(|| OraError::new(3114))
}

#[unsafe(no_mangle)]
unsafe extern "C" fn OCISessionBegin(
    service: Pointer,
    error: Pointer,
    user: Pointer,
    _credentials: u32,
    _mode: u32,
) -> i32 {
    // SAFETY: handles as their types say, see the module
    unsafe {
        guard(error, || {
            let own: &Service = &*service.cast::<Service>();
            let user = &*user.cast::<User>();
            let session = Session::log_on(link(own)?, &user.name, &user.password)?;
            let expires = session.link.control.get(Word::PasswordExpires) != 0;
            own.lock().session = Some(session);
            user.service.store(service.cast(), SeqCst);
            // Logged on all the same, with a word of warning.
            if expires && let Some(handle) = error.cast::<ErrorHandle>().as_mut() {
                handle.error = Some(OraError::with(28002, "the password will expire within 7 days"));
                return Ok(SUCCESS_WITH_INFO);
            }
            Ok(SUCCESS)
        })
    }
}

/// Ends the session, by a round trip that is not counted, as the ones of logging on are not, but that may hang.
#[unsafe(no_mangle)]
unsafe extern "C" fn OCISessionEnd(service: Pointer, error: Pointer, user: Pointer, _mode: u32) -> i32 {
    // SAFETY: handles as their types say, see the module
    unsafe {
        guard(error, || {
            let service = &*service.cast::<Service>();
            let mut inner = service.lock();
            inner.cache.clear();
            if let Some(session) = inner.session.take() {
                session.say_goodbye(service.call_timeout_ms.load(SeqCst));
            }
            (*user.cast::<User>()).service.store(std::ptr::null_mut(), SeqCst);
            Ok(SUCCESS)
        })
    }
}

/// A call to the server within the session: what every such function has in common.
///
/// # Safety
/// The handles are of their types, see the module.
pub(crate) unsafe fn call(
    service: Pointer,
    error: Pointer,
    body: impl FnOnce(&mut Session, u32) -> Result<i32>,
) -> i32 {
    // SAFETY: the caller's promise
    unsafe {
        guard(error, || {
            let service = &*service.cast::<Service>();
            let timeout_ms = service.call_timeout_ms.load(SeqCst);
            let inner: &mut ServiceInner = &mut service.lock();
            let session = inner.session.as_mut().ok_or_else(|| OraError::new(1012))?;
            let result = session.begin_call(timeout_ms).and_then(|()| body(session, timeout_ms));
            session.end_call(timeout_ms, result)
        })
    }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn OCIPing(service: Pointer, error: Pointer, _mode: u32) -> i32 {
    // SAFETY: see the module
    unsafe {
        call(service, error, |session, _| {
            session.link.count(Word::Pings, 1);
            Ok(SUCCESS)
        })
    }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn OCITransCommit(service: Pointer, error: Pointer, _flags: u32) -> i32 {
    // SAFETY: see the module
    unsafe {
        call(service, error, |session, _| {
            session.commit()?;
            Ok(SUCCESS)
        })
    }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn OCITransRollback(service: Pointer, error: Pointer, _flags: u32) -> i32 {
    // SAFETY: see the module
    unsafe {
        call(service, error, |session, _| {
            session.rollback()?;
            Ok(SUCCESS)
        })
    }
}

/// Ends the call that another thread is in; therefore it takes no lock.
#[unsafe(no_mangle)]
unsafe extern "C" fn OCIBreak(service: Pointer, error: Pointer) -> i32 {
    // SAFETY: see the module
    unsafe {
        guard(error, || {
            link(&*service.cast::<Service>())?.cancel();
            Ok(SUCCESS)
        })
    }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn OCIServerRelease2(
    service: Pointer,
    error: Pointer,
    buffer: *mut u8,
    size: u32,
    _kind: u8,
    version: *mut u32,
    _mode: u32,
) -> i32 {
    // SAFETY: an out parameter and a buffer of `size` bytes, see the module
    unsafe {
        call(service, error, |_, _| {
            const BANNER: &[u8] = b"Stand-in for Oracle Database 21c\nVersion 21.0.0.0.0\0";
            put(version.cast(), 21_u32 << 24);
            if !buffer.is_null() && size as usize >= BANNER.len() {
                buffer.copy_from_nonoverlapping(BANNER.as_ptr(), BANNER.len());
            }
            Ok(SUCCESS)
        })
    }
}

/// The errors of array DML, one by one, into a handle that the caller has made.
///
/// # Safety
/// Both are error handles, see the module.
pub(crate) unsafe fn batch_error(from: Pointer, into: Pointer, at: u32) -> Result<()> {
    // SAFETY: the caller's promise; ODPI-C passes two handles
    let (from, into) = unsafe { (&*from.cast::<ErrorHandle>(), &mut *into.cast::<ErrorHandle>()) };
    let found = from.batch.get(at as usize);
    let (row, error) = found.ok_or_else(|| OraError::with(24334, "no descriptor for this position"))?;
    into.row = *row;
    into.error = Some(error.clone());
    Ok(())
}
