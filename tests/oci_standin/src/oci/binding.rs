//! Binding and defining: the driver's buffers become [`Slot`]s of a statement.

use std::ptr::null_mut;

use super::statements::{Bind, Place, Stmt};
use super::values::Slot;
use super::{NO_DATA, Pointer, SUCCESS, guard, text};
use crate::error::OraError;

/// # Safety
/// A statement and an out parameter, see the module.
unsafe fn bind(statement: Pointer, handle: *mut Pointer, place: Place, slot: Slot) -> i32 {
    // SAFETY: the caller's promise
    unsafe {
        let stmt = &mut *statement.cast::<Stmt>();
        let at = stmt.binds.iter().position(|bind| bind.place == place);
        let at = at.unwrap_or_else(|| {
            stmt.binds.push(Box::new(Bind { place, slot, is_nchar: false }));
            stmt.binds.len() - 1
        });
        stmt.binds[at].slot = slot;
        stmt.binds[at].is_nchar = false;
        *handle = (&raw mut *stmt.binds[at]).cast();
    }
    SUCCESS
}

#[unsafe(no_mangle)]
unsafe extern "C" fn OCIBindByPos2(
    statement: Pointer,
    handle: *mut Pointer,
    error: Pointer,
    position: u32,
    value: *mut u8,
    size: i64,
    kind: u16,
    indicators: *mut i16,
    lengths: *mut u32,
    codes: *mut u16,
    _array_size: u32,
    _array_length: *mut u32,
    _mode: u32,
) -> i32 {
    let slot = Slot { value, size: size as usize, kind, indicators, lengths, codes, callback: None };
    // SAFETY: see the module
    unsafe {
        guard(error, || {
            let count = (*statement.cast::<Stmt>()).names.len();
            if position == 0 || position as usize > count {
                return Err(OraError::new(1036));
            }
            Ok(bind(statement, handle, Place::Position(position as usize), slot))
        })
    }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn OCIBindByName2(
    statement: Pointer,
    handle: *mut Pointer,
    error: Pointer,
    name: *const u8,
    name_length: i32,
    value: *mut u8,
    size: i64,
    kind: u16,
    indicators: *mut i16,
    lengths: *mut u32,
    codes: *mut u16,
    _array_size: u32,
    _array_length: *mut u32,
    _mode: u32,
) -> i32 {
    let slot = Slot { value, size: size as usize, kind, indicators, lengths, codes, callback: None };
    // SAFETY: see the module
    unsafe {
        guard(error, || {
            let name = text(name, name_length.max(0) as usize)?;
            let name = name.trim_start_matches(':').to_uppercase();
            if !(*statement.cast::<Stmt>()).names.contains(&name) {
                return Err(OraError::new(1036));
            }
            Ok(bind(statement, handle, Place::Name(name), slot))
        })
    }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn OCIBindDynamic(
    bind: Pointer,
    _error: Pointer,
    in_context: Pointer,
    in_callback: Pointer,
    _out_context: Pointer,
    _out_callback: Pointer,
) -> i32 {
    // SAFETY: a bind handle, see the module
    unsafe { (*bind.cast::<Bind>()).slot.callback = Some((in_context, in_callback)) };
    SUCCESS
}

#[unsafe(no_mangle)]
unsafe extern "C" fn OCIDefineByPos2(
    statement: Pointer,
    handle: *mut Pointer,
    error: Pointer,
    position: u32,
    value: *mut u8,
    size: u64,
    kind: u16,
    indicators: *mut i16,
    lengths: *mut u32,
    codes: *mut u16,
    _mode: u32,
) -> i32 {
    let slot = Slot { value, size: size as usize, kind, indicators, lengths, codes, callback: None };
    // SAFETY: a statement and an out parameter, see the module
    unsafe {
        guard(error, || {
            let stmt = &mut *statement.cast::<Stmt>();
            let at = (position as usize).wrapping_sub(1);
            if at >= stmt.columns.len() {
                return Err(OraError::with(1007, "variable not in select list"));
            }
            if stmt.defines.len() <= at {
                stmt.defines.resize_with(at + 1, || None);
            }
            let define = stmt.defines[at].insert(Box::new(slot));
            *handle = (&raw mut **define).cast();
            Ok(SUCCESS)
        })
    }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn OCIDefineDynamic(define: Pointer, _error: Pointer, context: Pointer, callback: Pointer) -> i32 {
    // SAFETY: a define handle, see the module
    unsafe { (*define.cast::<Slot>()).callback = Some((context, callback)) };
    SUCCESS
}

/// The names of placeholders from a position on. A negative number found says that there are more.
#[unsafe(no_mangle)]
unsafe extern "C" fn OCIStmtGetBindInfo(
    statement: Pointer,
    _error: Pointer,
    size: u32,
    start: u32,
    found: *mut i32,
    names: *mut *const u8,
    name_lengths: *mut u8,
    _indicator_names: *mut *const u8,
    indicator_lengths: *mut u8,
    duplicates: *mut u8,
    handles: *mut Pointer,
) -> i32 {
    // SAFETY: arrays of `size` elements and an out parameter, see the module
    unsafe {
        let stmt = &*statement.cast::<Stmt>();
        let start = start.max(1) as usize - 1;
        let total = stmt.names.len();
        if start >= total {
            return NO_DATA;
        }
        for (at, name) in stmt.names[start..].iter().take(size as usize).enumerate() {
            *names.add(at) = name.as_ptr();
            *name_lengths.add(at) = name.len() as u8;
            *indicator_lengths.add(at) = 0;
            *duplicates.add(at) = u8::from(stmt.names[..start + at].contains(name));
            *handles.add(at) = null_mut();
        }
        let more = total - start > size as usize;
        *found = if more { -(total as i32) } else { total as i32 };
    }
    SUCCESS
}
