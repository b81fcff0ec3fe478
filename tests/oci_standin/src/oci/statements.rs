//! Statements: preparing with the statement cache, binding, executing and fetching.

use std::collections::VecDeque;
use std::sync::atomic::Ordering::SeqCst;

use super::handles::Service;
use super::values::Slot;
use super::{Pointer, SUCCESS, guard, text};
use crate::error::{OraError, Result};
use crate::execute::{OutColumn, Row};
use crate::statement::{Statement, type_code};
use crate::token::{Token, tokenize};
use crate::types::Kind;

/// A column descriptor: it points into its statement.
pub(crate) struct Param {
    pub(crate) column: *const OutColumn,
}

pub(crate) struct Bind {
    pub(super) place: Place,
    pub(super) slot: Slot,
    pub(crate) is_nchar: bool,
}

#[derive(PartialEq, Eq)]
pub(super) enum Place {
    Position(usize),
    Name(String),
}

pub(crate) struct Stmt {
    pub(crate) text: String,
    pub(crate) type_code: u16,
    /// The placeholder at each position.
    pub(super) names: Vec<String>,
    pub(super) service: *const Service,
    /// Taken apart at the first execute, and for good.
    pub(super) parsed: Option<Result<Statement>>,
    // boxed, since ODPI-C keeps the addresses of binds and defines and of the columns' names
    pub(super) binds: Vec<Box<Bind>>,
    pub(super) defines: Vec<Option<Box<Slot>>>,
    pub(crate) columns: Vec<Box<OutColumn>>,
    retired_columns: Vec<Box<OutColumn>>,
    pub(super) rows: VecDeque<Row>,
    /// Of `rows`, those that came over the line already.
    pub(super) arrived: usize,
    /// The line has said that nothing follows.
    pub(super) ended: bool,
    pub(crate) prefetch: u32,
    pub(crate) rows_fetched: u32,
    pub(crate) row_count: u64,
    pub(crate) counts: Vec<u64>,
    pub(crate) batch_errors: u32,
}

impl Stmt {
    fn new(text: String, service: *const Service) -> Self {
        let tokens = tokenize(&text).unwrap_or_default();
        let type_code = type_code(&tokens);
        let is_block = (8..=10).contains(&type_code);
        let mut names: Vec<String> = Vec::new();
        for token in tokens {
            if let Token::Bind(name, _) = token
                // PL/SQL knows a placeholder once, SQL at every place
                && !(is_block && names.contains(&name))
            {
                names.push(name);
            }
        }
        Self {
            text,
            type_code,
            names,
            service,
            parsed: None,
            binds: Vec::new(),
            defines: Vec::new(),
            columns: Vec::new(),
            retired_columns: Vec::new(),
            rows: VecDeque::new(),
            arrived: 0,
            ended: true,
            prefetch: 1,
            rows_fetched: 0,
            row_count: 0,
            counts: Vec::new(),
            batch_errors: 0,
        }
    }

    pub(crate) fn bind_count(&self) -> usize {
        self.names.len()
    }

    /// # Safety
    /// The buffers bound hold `count` rows, see the module.
    pub(super) unsafe fn bound(&self, count: usize) -> Result<Vec<Row>> {
        let slots: Option<Vec<_>> = self
            .names
            .iter()
            .enumerate()
            .map(|(at, name)| {
                let bind = self.binds.iter().find(|bind| match &bind.place {
                    Place::Position(position) => *position == at + 1,
                    Place::Name(own) => own == name,
                });
                bind.map(|bind| bind.slot)
            })
            .collect();
        let slots = slots.ok_or_else(|| OraError::new(1008))?;
        (0..count)
            .map(|row| {
                // SAFETY: the caller's promise
                let values = slots.iter().map(|slot| unsafe { slot.read(row) });
                values.collect()
            })
            .collect()
    }

    pub(super) fn describe(&mut self, columns: Vec<OutColumn>) {
        let same =
            columns.len() == self.columns.len() && columns.iter().zip(&self.columns).all(|(new, old)| *new == **old);
        if !same {
            let new = columns.into_iter().map(Box::new).collect();
            let old = std::mem::replace(&mut self.columns, new);
            self.retired_columns.extend(old);
        }
    }

    /// A new result: the execute brings as many rows as are prefetched. LOBs never are.
    pub(super) fn receive(&mut self, rows: Vec<Row>) {
        let is_lob = |column: &OutColumn| column.column_type.kind == Kind::Clob;
        let prefetch = if self.columns.iter().any(|column| is_lob(column)) { 0 } else { self.prefetch as usize };
        self.arrived = rows.len().min(prefetch);
        self.ended = rows.len() < prefetch;
        self.rows = rows.into();
        self.row_count = 0;
        self.rows_fetched = 0;
    }
}

/// From the session's statement cache, by the text, or new.
#[unsafe(no_mangle)]
unsafe extern "C" fn OCIStmtPrepare2(
    service: Pointer,
    statement: *mut Pointer,
    error: Pointer,
    sql: *const u8,
    length: u32,
    _key: *const u8,
    _key_length: u32,
    _language: u32,
    _mode: u32,
) -> i32 {
    // SAFETY: handles, a text and an out parameter, see the module
    unsafe {
        guard(error, || {
            let text = text(sql, length as usize)?;
            let service = &*service.cast::<Service>();
            let mut inner = service.lock();
            let cached = inner.cache.iter().position(|cached| cached.text == text);
            let stmt = match cached {
                Some(at) => inner.cache.remove(at),
                None => Box::new(Stmt::new(text, service)),
            };
            let stmt = Box::into_raw(stmt);
            inner.used.push(stmt);
            *statement = stmt.cast();
            Ok(SUCCESS)
        })
    }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn OCIStmtRelease(
    statement: Pointer,
    error: Pointer,
    _key: *const u8,
    _key_length: u32,
    mode: u32,
) -> i32 {
    const DELETE_FROM_CACHE: u32 = 0x10;
    // SAFETY: a statement in use, made by `Box::into_raw`, see the module
    unsafe {
        guard(error, || {
            let stmt: *mut Stmt = statement.cast();
            let service = &*(*stmt).service;
            let mut inner = service.lock();
            inner.used.retain(|used| *used != stmt);
            let mut stmt = Box::from_raw(stmt);
            stmt.binds.clear();
            stmt.defines.clear();
            stmt.rows.clear();
            let size = service.cache_size.load(SeqCst) as usize;
            if mode & DELETE_FROM_CACHE == 0 && size > 0 && inner.session.is_some() {
                inner.cache.push(stmt);
                if inner.cache.len() > size {
                    inner.cache.remove(0);
                }
            }
            Ok(SUCCESS)
        })
    }
}
