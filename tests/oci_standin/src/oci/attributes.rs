//! OCIAttrGet and OCIAttrSet. Every attribute has its own width; a wrong one corrupts the caller's memory.

use std::sync::PoisonError;
use std::sync::atomic::Ordering::SeqCst;

use super::handles::{
    Env, ErrorHandle, HTYPE_BIND, HTYPE_ENV, HTYPE_ERROR, HTYPE_SERVER, HTYPE_SESSION, HTYPE_STMT, HTYPE_SVCCTX,
    Server, Service, User,
};
use super::statements::{Bind, Param, Stmt};
use super::{Pointer, SUCCESS, guard, put, text};
use crate::error::{OraError, Result};
use crate::types::Kind;

const HTYPE_DEFINE: u32 = 6;
const HTYPE_DESCRIBE: u32 = 7;

// The attributes, OCI_ATTR_* in Oracle's headers. A number may mean something else for another kind of handle.
const DATA_SIZE: u32 = 1;
const DATA_TYPE: u32 = 2;
const NAME: u32 = 4;
const PRECISION: u32 = 5;
const SCALE: u32 = 6;
const SERVER: u32 = 6;
const IS_NULL: u32 = 7;
const SESSION: u32 = 7;
const TRANS: u32 = 8;
const ROW_COUNT: u32 = 9;
const SQLFNCODE: u32 = 10;
const PREFETCH_ROWS: u32 = 11;
const PARAM_COUNT: u32 = 18;
const USERNAME: u32 = 22;
const PASSWORD: u32 = 23;
const STMT_TYPE: u32 = 24;
const INTERNAL_NAME: u32 = 25;
const EXTERNAL_NAME: u32 = 26;
const CHARSET_ID: u32 = 31;
const CHARSET_FORM: u32 = 32;
const NUM_DML_ERRORS: u32 = 73;
const DML_ROW_OFFSET: u32 = 74;
const PARSE_ERROR_OFFSET: u32 = 129;
const SERVER_STATUS: u32 = 143;
const STATEMENT: u32 = 144;
const STMTCACHESIZE: u32 = 176;
const BIND_COUNT: u32 = 190;
const ROWS_FETCHED: u32 = 197;
const STMT_IS_RETURNING: u32 = 218;
const CURRENT_SCHEMA: u32 = 224;
const NCHARSET_ID: u32 = 262;
const CHAR_SIZE: u32 = 286;
const DBNAME: u32 = 391;
const INSTNAME: u32 = 392;
const SERVICENAME: u32 = 393;
const DBDOMAIN: u32 = 399;
const UB8_ROW_COUNT: u32 = 457;
const DML_ROW_COUNT_ARRAY: u32 = 469;
const MAX_OPEN_CURSORS: u32 = 471;
const ERROR_IS_RECOVERABLE: u32 = 472;
const TRANSACTION_IN_PROGRESS: u32 = 484;
const CALL_TIMEOUT: u32 = 531;
const JSON_COL: u32 = 534;
const OSON_COL: u32 = 623;

/// Hands out a text that lives as long as its owner.
///
/// # Safety
/// As `put`.
unsafe fn put_text(value: Pointer, size: *mut u32, text: &str) {
    // SAFETY: the caller's promise
    unsafe {
        put(value, text.as_ptr());
        put(size.cast(), text.len() as u32);
    }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn OCIAttrGet(
    handle: Pointer,
    kind: u32,
    value: Pointer,
    size: *mut u32,
    attribute: u32,
    error: Pointer,
) -> i32 {
    // SAFETY: a handle of its kind and out parameters of the attribute's width, see the module
    unsafe {
        guard(error, || {
            match kind {
                HTYPE_ENV => environment(&*handle.cast(), attribute, value)?,
                HTYPE_ERROR => error_handle(&*handle.cast(), attribute, value)?,
                HTYPE_SERVER => server(&*handle.cast(), attribute, value, size)?,
                HTYPE_SVCCTX => service(&*handle.cast(), attribute, value)?,
                HTYPE_SESSION => session(&*handle.cast(), attribute, value, size)?,
                HTYPE_STMT => statement(&*handle.cast(), attribute, value, size)?,
                HTYPE_DESCRIBE => param(&*handle.cast(), attribute, value, size)?,
                _ => return Err(OraError::new(24315)),
            }
            Ok(SUCCESS)
        })
    }
}

/// # Safety
/// As `put`, for this function and the ones below.
unsafe fn environment(env: &Env, attribute: u32, value: Pointer) -> Result<()> {
    // SAFETY: the caller's promise
    unsafe {
        match attribute {
            CHARSET_ID => put(value, env.charset),
            NCHARSET_ID => put(value, env.ncharset),
            _ => return Err(OraError::new(24315)),
        }
    }
    Ok(())
}

unsafe fn error_handle(error: &ErrorHandle, attribute: u32, value: Pointer) -> Result<()> {
    // SAFETY: the caller's promise
    unsafe {
        match attribute {
            DML_ROW_OFFSET => put(value, error.row),
            // whether Transaction Guard could replay the call: never
            ERROR_IS_RECOVERABLE => put(value, 0_i32),
            _ => return Err(OraError::new(24315)),
        }
    }
    Ok(())
}

unsafe fn server(server: &Server, attribute: u32, value: Pointer, size: *mut u32) -> Result<()> {
    // SAFETY: the caller's promise
    unsafe {
        match attribute {
            SERVER_STATUS => {
                let link = server.link.lock().unwrap_or_else(PoisonError::into_inner);
                let open = link.as_ref().is_some_and(|link| link.looks_open());
                put(value, u32::from(open));
            }
            CHARSET_ID => put(value, 873_u16),
            // names of the database, the instance, the service and their like
            INTERNAL_NAME | EXTERNAL_NAME | DBNAME | INSTNAME | SERVICENAME => put_text(value, size, "STANDIN"),
            DBDOMAIN => put_text(value, size, ""),
            _ => return Err(OraError::new(24315)),
        }
    }
    Ok(())
}

unsafe fn service(service: &Service, attribute: u32, value: Pointer) -> Result<()> {
    // SAFETY: the caller's promise
    unsafe {
        match attribute {
            SERVER => put(value, service.server.load(SeqCst)),
            SESSION => put(value, service.user.load(SeqCst)),
            STMTCACHESIZE => put(value, service.cache_size.load(SeqCst)),
            CALL_TIMEOUT => put(value, service.call_timeout_ms.load(SeqCst)),
            _ => return Err(OraError::new(24315)),
        }
    }
    Ok(())
}

unsafe fn session(user: &User, attribute: u32, value: Pointer, size: *mut u32) -> Result<()> {
    // SAFETY: the caller's promise; the service outlives the session that is begun on it
    unsafe {
        match attribute {
            USERNAME | CURRENT_SCHEMA => put_text(value, size, &user.name),
            MAX_OPEN_CURSORS => put(value, 300_u32),
            TRANSACTION_IN_PROGRESS => {
                let service = user.service.load(SeqCst).as_ref();
                let open = service.is_some_and(|service| {
                    let inner = service.lock();
                    let session = inner.session.as_ref();
                    session.is_some_and(|session| session.in_transaction())
                });
                put(value, i32::from(open));
            }
            _ => return Err(OraError::new(24315)),
        }
    }
    Ok(())
}

unsafe fn statement(stmt: &Stmt, attribute: u32, value: Pointer, size: *mut u32) -> Result<()> {
    // SAFETY: the caller's promise; the texts and counts live in the statement
    unsafe {
        match attribute {
            SQLFNCODE | STMT_TYPE => put(value, stmt.type_code),
            ROW_COUNT => put(value, stmt.row_count as u32),
            PREFETCH_ROWS => put(value, stmt.prefetch),
            PARAM_COUNT => put(value, stmt.columns.len() as u32),
            NUM_DML_ERRORS => put(value, stmt.batch_errors),
            PARSE_ERROR_OFFSET => put(value, 0_u16),
            STATEMENT => put_text(value, size, &stmt.text),
            BIND_COUNT => put(value, stmt.bind_count() as u32),
            ROWS_FETCHED => put(value, stmt.rows_fetched),
            STMT_IS_RETURNING => put(value, 0_u8),
            UB8_ROW_COUNT => put(value, stmt.row_count),
            DML_ROW_COUNT_ARRAY => {
                put(value, stmt.counts.as_ptr());
                put(size.cast(), stmt.counts.len() as u32);
            }
            _ => return Err(OraError::new(24315)),
        }
    }
    Ok(())
}

unsafe fn param(param: &Param, attribute: u32, value: Pointer, size: *mut u32) -> Result<()> {
    // SAFETY: the caller's promise; the statement owns the column, see `Stmt::columns`
    unsafe {
        let column = &*param.column;
        let column_type = column.column_type;
        match attribute {
            DATA_SIZE => put(value, column_type.bytes()),
            DATA_TYPE => put(value, column_type.oci_code()),
            NAME => put_text(value, size, &column.name),
            PRECISION => put(value, column_type.precision),
            SCALE => put(value, column_type.scale),
            IS_NULL => put(value, u8::from(column.nullable)),
            CHARSET_FORM => put(value, if column_type.is_nchar() { 2_u8 } else { 1 }),
            CHAR_SIZE => {
                let is_text = matches!(column_type.kind, Kind::Varchar2 | Kind::Nvarchar2 | Kind::Char);
                put(value, if is_text { column_type.size } else { 0 });
            }
            // neither JSON nor its binary form
            JSON_COL | OSON_COL => put(value, 0_u8),
            _ => return Err(OraError::new(24315)),
        }
    }
    Ok(())
}

#[unsafe(no_mangle)]
unsafe extern "C" fn OCIAttrSet(
    handle: Pointer,
    kind: u32,
    value: Pointer,
    size: u32,
    attribute: u32,
    error: Pointer,
) -> i32 {
    // SAFETY: a handle of its kind and a value of the attribute's width, see the module
    unsafe {
        guard(error, || {
            match (kind, attribute) {
                (HTYPE_SVCCTX, SERVER) => {
                    let service = &*handle.cast::<Service>();
                    service.server.store(value.cast(), SeqCst);
                }
                (HTYPE_SVCCTX, SESSION) => {
                    let service = &*handle.cast::<Service>();
                    service.user.store(value.cast(), SeqCst);
                }
                (HTYPE_SVCCTX, STMTCACHESIZE) => {
                    let service = &*handle.cast::<Service>();
                    service.cache_size.store(value.cast::<u32>().read(), SeqCst);
                }
                (HTYPE_SVCCTX, CALL_TIMEOUT) => {
                    let service = &*handle.cast::<Service>();
                    let timeout_ms = value.cast::<u32>().read();
                    service.call_timeout_ms.store(timeout_ms, SeqCst);
                }
                // the transaction handle, which nobody looks at
                (HTYPE_SVCCTX, TRANS) => {}
                (HTYPE_SESSION, USERNAME) => {
                    (*handle.cast::<User>()).name = text(value.cast(), size as usize)?;
                }
                (HTYPE_SESSION, PASSWORD) => {
                    (*handle.cast::<User>()).password = text(value.cast(), size as usize)?;
                }
                // driver name, module, action, schema and their like: taken and forgotten
                (HTYPE_SESSION, _) => {}
                (HTYPE_STMT, PREFETCH_ROWS) => {
                    (*handle.cast::<Stmt>()).prefetch = value.cast::<u32>().read();
                }
                (HTYPE_BIND, CHARSET_FORM) => {
                    const NCHAR: u8 = 2;
                    let form = value.cast::<u8>().read();
                    (*handle.cast::<Bind>()).is_nchar = form == NCHAR;
                }
                (HTYPE_BIND | HTYPE_DEFINE, _) => {}
                _ => return Err(OraError::new(24315)),
            }
            Ok(SUCCESS)
        })
    }
}
