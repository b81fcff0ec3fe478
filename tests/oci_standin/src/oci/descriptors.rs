//! Descriptors (timestamps and columns), and the small services around them: threads and languages.

use std::ffi::c_void;
use std::ptr::null_mut;

use super::handles::HTYPE_STMT;
use super::statements::{Param, Stmt};
use super::{INVALID_HANDLE, Pointer, SUCCESS, connect, guard, put};
use crate::datetime::DateTime;
use crate::error::OraError;

const DTYPE_PARAM: u32 = 53;
/// TIMESTAMP, with time zone, with local time zone.
const DTYPE_TIMESTAMPS: [u32; 3] = [68, 69, 70];

/// A timestamp descriptor. The first of an array is preceded by one more, which only knows the array's length.
#[derive(Clone, Copy, Default)]
pub(crate) struct Timestamp {
    pub(crate) moment: DateTime,
    length: usize,
}

#[unsafe(no_mangle)]
unsafe extern "C" fn OCIArrayDescriptorAlloc(
    _environment: Pointer,
    descriptors: *mut Pointer,
    kind: u32,
    count: u32,
    _extra: usize,
    _user_memory: *mut Pointer,
) -> i32 {
    if !DTYPE_TIMESTAMPS.contains(&kind) {
        return INVALID_HANDLE;
    }
    let length = count as usize + 1;
    let mut array = vec![Timestamp::default(); length].into_boxed_slice();
    array[0].length = length;
    let first: *mut Timestamp = Box::into_raw(array).cast();
    for at in 1..length {
        // SAFETY: within the array just made, and within the caller's `count` pointers
        unsafe { *descriptors.add(at - 1) = first.add(at).cast() };
    }
    SUCCESS
}

#[unsafe(no_mangle)]
unsafe extern "C" fn OCIArrayDescriptorFree(descriptors: *mut Pointer, kind: u32) -> i32 {
    if !DTYPE_TIMESTAMPS.contains(&kind) {
        return INVALID_HANDLE;
    }
    // SAFETY: the first descriptor of an array of OCIArrayDescriptorAlloc, whose head stands before it
    unsafe {
        let head = (*descriptors).cast::<Timestamp>().sub(1);
        let array = std::ptr::slice_from_raw_parts_mut(head, (*head).length);
        drop(Box::from_raw(array));
    }
    SUCCESS
}

/// Only OCIParamGet makes single descriptors that are freed here.
#[unsafe(no_mangle)]
unsafe extern "C" fn OCIDescriptorFree(descriptor: Pointer, kind: u32) -> i32 {
    if kind != DTYPE_PARAM {
        return INVALID_HANDLE;
    }
    // SAFETY: made by OCIParamGet, see the module
    drop(unsafe { Box::from_raw(descriptor.cast::<Param>()) });
    SUCCESS
}

/// A column of a statement, from 1, or an error of array DML, from 0.
#[unsafe(no_mangle)]
unsafe extern "C" fn OCIParamGet(
    handle: Pointer,
    kind: u32,
    error: Pointer,
    param: *mut Pointer,
    position: u32,
) -> i32 {
    // SAFETY: handles as their types say, see the module
    unsafe {
        guard(error, || {
            if kind == HTYPE_STMT {
                let statement = &*handle.cast::<Stmt>();
                let at = (position as usize).wrapping_sub(1);
                let column = statement.columns.get(at);
                let column = column.ok_or_else(|| OraError::with(24334, "no descriptor for this position"))?;
                *param = Box::into_raw(Box::new(Param { column: &raw const **column })).cast();
            } else {
                connect::batch_error(handle, *param, position)?;
            }
            Ok(SUCCESS)
        })
    }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn OCIDateTimeConstruct(
    _environment: Pointer,
    _error: Pointer,
    descriptor: Pointer,
    year: i16,
    month: u8,
    day: u8,
    hour: u8,
    minute: u8,
    second: u8,
    nanos: u32,
    _zone: *const u8,
    _zone_length: usize,
) -> i32 {
    let moment = DateTime { year, month, day, hour, minute, second, nanos };
    // SAFETY: a timestamp descriptor, see the module
    unsafe { (*descriptor.cast::<Timestamp>()).moment = moment };
    SUCCESS
}

#[unsafe(no_mangle)]
unsafe extern "C" fn OCIDateTimeGetDate(
    _environment: Pointer,
    _error: Pointer,
    descriptor: Pointer,
    year: *mut i16,
    month: *mut u8,
    day: *mut u8,
) -> i32 {
    // SAFETY: a timestamp descriptor and out parameters, see the module
    unsafe {
        let moment = (*descriptor.cast::<Timestamp>()).moment;
        (*year, *month, *day) = (moment.year, moment.month, moment.day);
    }
    SUCCESS
}

#[unsafe(no_mangle)]
unsafe extern "C" fn OCIDateTimeGetTime(
    _environment: Pointer,
    _error: Pointer,
    descriptor: Pointer,
    hour: *mut u8,
    minute: *mut u8,
    second: *mut u8,
    nanos: *mut u32,
) -> i32 {
    // SAFETY: a timestamp descriptor and out parameters, see the module
    unsafe {
        let moment = (*descriptor.cast::<Timestamp>()).moment;
        (*hour, *minute, *second) = (moment.hour, moment.minute, moment.second);
        *nanos = moment.nanos;
    }
    SUCCESS
}

/// Every timestamp is in UTC.
#[unsafe(no_mangle)]
unsafe extern "C" fn OCIDateTimeGetTimeZoneOffset(
    _environment: Pointer,
    _error: Pointer,
    _descriptor: Pointer,
    hours: *mut i8,
    minutes: *mut i8,
) -> i32 {
    // SAFETY: out parameters, see the module
    unsafe { (*hours, *minutes) = (0, 0) };
    SUCCESS
}

/// The only number asked for is that of the bytes of a character.
#[unsafe(no_mangle)]
unsafe extern "C" fn OCINlsNumericInfoGet(_environment: Pointer, _error: Pointer, value: *mut i32, _item: u16) -> i32 {
    // SAFETY: an out parameter, see the module
    unsafe { put(value.cast(), 4_i32) };
    SUCCESS
}

unsafe extern "C" {
    fn pthread_key_create(key: *mut u32, destructor: Pointer) -> i32;
    fn pthread_key_delete(key: u32) -> i32;
    fn pthread_getspecific(key: u32) -> *mut c_void;
    fn pthread_setspecific(key: u32, value: *const c_void) -> i32;
}

#[unsafe(no_mangle)]
extern "C" fn OCIThreadProcessInit() {}

#[unsafe(no_mangle)]
unsafe extern "C" fn OCIThreadKeyInit(
    _environment: Pointer,
    _error: Pointer,
    key: *mut Pointer,
    destructor: Pointer,
) -> i32 {
    let mut own = 0;
    // SAFETY: the destructor is a function of one pointer, as pthread takes it; `key` is an out parameter
    unsafe {
        if pthread_key_create(&raw mut own, destructor) != 0 {
            return INVALID_HANDLE;
        }
        *key = Box::into_raw(Box::new(own)).cast();
    }
    SUCCESS
}

#[unsafe(no_mangle)]
unsafe extern "C" fn OCIThreadKeyDestroy(_environment: Pointer, _error: Pointer, key: *mut Pointer) -> i32 {
    // SAFETY: a key of OCIThreadKeyInit, see the module
    unsafe {
        pthread_key_delete(*Box::from_raw((*key).cast::<u32>()));
        *key = null_mut();
    }
    SUCCESS
}

#[unsafe(no_mangle)]
unsafe extern "C" fn OCIThreadKeyGet(_environment: Pointer, _error: Pointer, key: Pointer, value: *mut Pointer) -> i32 {
    // SAFETY: a key of OCIThreadKeyInit and an out parameter, see the module
    unsafe { *value = pthread_getspecific(*key.cast::<u32>()) };
    SUCCESS
}

#[unsafe(no_mangle)]
unsafe extern "C" fn OCIThreadKeySet(_environment: Pointer, _error: Pointer, key: Pointer, value: Pointer) -> i32 {
    // SAFETY: a key of OCIThreadKeyInit, see the module
    unsafe { pthread_setspecific(*key.cast::<u32>(), value) }
}
