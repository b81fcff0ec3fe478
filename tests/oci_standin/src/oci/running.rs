//! Executing statements and fetching their rows.

use super::handles::ErrorHandle;
use super::statements::Stmt;
use super::{NO_DATA, Pointer, SUCCESS, SUCCESS_WITH_INFO, connect, guard};
use crate::control::Word;
use crate::error::OraError;
use crate::execute::Mode;
use crate::statement::{Statement, parse};

const COMMIT_ON_SUCCESS: u32 = 0x20;
const BATCH_ERRORS: u32 = 0x80;

#[unsafe(no_mangle)]
unsafe extern "C" fn OCIStmtExecute(
    service: Pointer,
    statement: Pointer,
    error: Pointer,
    iterations: u32,
    _row_offset: u32,
    _snapshot_in: Pointer,
    _snapshot_out: Pointer,
    mode: u32,
) -> i32 {
    // SAFETY: handles and bound buffers, see the module
    unsafe {
        connect::call(service, error, |session, _| {
            let stmt = &mut *statement.cast::<Stmt>();
            session.link.count(Word::Executes, 1);
            let nchar = stmt.binds.iter().filter(|bind| bind.is_nchar).count();
            session.link.count(Word::NcharBinds, nchar as u64);
            if stmt.parsed.is_none() {
                session.link.count(Word::Parses, 1);
                session.stats.parses += 1;
                stmt.parsed = Some(parse(&stmt.text, &session.owner));
            }
            let bound = stmt.bound(iterations.max(1) as usize)?;
            let parsed = match &stmt.parsed {
                Some(Ok(parsed)) => parsed,
                Some(Err(failed)) => return Err(failed.clone()),
                None => return Err(OraError::internal("statement not parsed")),
            };
            let mode = Mode { commit: mode & COMMIT_ON_SUCCESS != 0, batch_errors: mode & BATCH_ERRORS != 0 };
            let outcome = session.execute(parsed, &bound, mode)?;
            if matches!(parsed, Statement::Query(_)) {
                stmt.describe(outcome.columns);
                stmt.receive(outcome.rows);
                return Ok(SUCCESS);
            }
            stmt.row_count = outcome.counts.iter().sum();
            stmt.counts = outcome.counts;
            stmt.batch_errors = outcome.batch_errors.len() as u32;
            if outcome.batch_errors.is_empty() {
                return Ok(SUCCESS);
            }
            let error = &mut *error.cast::<ErrorHandle>();
            error.batch = outcome.batch_errors;
            error.error = Some(OraError::new(24381));
            Ok(SUCCESS_WITH_INFO)
        })
    }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn OCIStmtFetch2(
    statement: Pointer,
    error: Pointer,
    count: u32,
    _orientation: u16,
    _offset: i32,
    _mode: u32,
) -> i32 {
    // SAFETY: a statement whose defined buffers hold `count` rows, see the module
    unsafe {
        let stmt = &mut *statement.cast::<Stmt>();
        let wanted = count as usize;
        if stmt.arrived < wanted && !stmt.ended {
            let service = stmt.service.cast_mut().cast();
            let trip = connect::call(service, error, |_, _| {
                let asked = wanted - stmt.arrived + stmt.prefetch as usize;
                let come = asked.min(stmt.rows.len() - stmt.arrived);
                stmt.arrived += come;
                stmt.ended = come < asked;
                Ok(SUCCESS)
            });
            if trip != SUCCESS {
                return trip;
            }
        }
        guard(error, || {
            let taken = stmt.arrived.min(wanted);
            for (at, row) in stmt.rows.drain(..taken).enumerate() {
                for (define, value) in stmt.defines.iter().zip(&row) {
                    if let Some(define) = define {
                        define.write(at, value)?;
                    }
                }
            }
            stmt.arrived -= taken;
            stmt.rows_fetched = taken as u32;
            stmt.row_count += taken as u64;
            if let Ok(link) = connect::link(&*stmt.service) {
                link.count(Word::RowsFetched, taken as u64);
            }
            Ok(if taken < wanted { NO_DATA } else { SUCCESS })
        })
    }
}
