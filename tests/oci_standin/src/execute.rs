//! Running a [`Statement`] in a session.

use rusqlite::types::Value;
use rusqlite::{CachedStatement, Connection};

use crate::catalog;
use crate::control::Word;
use crate::datetime::DateTime;
use crate::ddl::{Block, Step};
use crate::dictionary;
use crate::error::{OraError, Result};
use crate::session::Session;
use crate::statement::{Query, Statement, parse};
use crate::testing::{FailOn, Views};
use crate::translate::demangle;
use crate::types::{ColumnType, Kind};

pub(crate) type Row = Vec<Value>;

/// A column of a result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct OutColumn {
    pub(crate) name: String,
    pub(crate) column_type: ColumnType,
    pub(crate) nullable: bool,
}

#[derive(Default)]
pub(crate) struct Outcome {
    pub(crate) columns: Vec<OutColumn>,
    pub(crate) rows: Vec<Row>,
    /// Rows changed, for each row of the values bound.
    pub(crate) counts: Vec<u64>,
    pub(crate) batch_errors: Vec<(u32, OraError)>,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Mode {
    /// Commit when all rows were done; after any error the rows that were done stay, uncommitted.
    pub(crate) commit: bool,
    /// Go on after an error in a row, and collect the errors.
    pub(crate) batch_errors: bool,
}

/// What a statement's SQLite statements have in common: the values bound and the moment.
pub(crate) struct Input<'a> {
    pub(crate) values: &'a [Value],
    pub(crate) now: DateTime,
}

impl Input<'_> {
    pub(crate) fn bind(&self, statement: &mut CachedStatement) -> Result<()> {
        for number in 1..=statement.parameter_count() {
            match self.values.get(number - 1) {
                Some(value) => statement.raw_bind_parameter(number, value)?,
                None if number == self.values.len() + 1 => {
                    statement.raw_bind_parameter(number, self.now.to_text())?;
                }
                None => statement.raw_bind_parameter(number, self.now.truncated(0).to_text())?,
            }
        }
        Ok(())
    }

    pub(crate) fn rows(&self, connection: &Connection, sql: &str) -> Result<Vec<Row>> {
        let mut statement = connection.prepare_cached(sql)?;
        self.bind(&mut statement)?;
        read(&mut statement)
    }
}

fn read(statement: &mut CachedStatement) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    let mut found = statement.raw_query();
    while let Some(row) = found.next()? {
        // counted by row: SQLite prepares anew when a table has got a column meanwhile
        let width = row.as_ref().column_count();
        let values: rusqlite::Result<Row> = (0..width).map(|at| row.get(at)).collect();
        rows.push(values?);
    }
    Ok(rows)
}

impl Session {
    /// One execute, with one row of values for each time the statement is to run.
    pub(crate) fn execute(&mut self, statement: &Statement, bound: &[Row], mode: Mode) -> Result<Outcome> {
        let link = self.link.clone();
        match statement {
            Statement::Query(query) => {
                link.ordered_failure(FailOn::Select)?;
                let values = bound.first().map_or(&[][..], Vec::as_slice);
                if query.locks { self.query_for_update(query, values, mode) } else { self.query(query, values) }
            }
            Statement::Insert { .. }
            | Statement::Update { .. }
            | Statement::Delete { .. }
            | Statement::Merge { .. } => {
                link.ordered_failure(FailOn::Change)?;
                self.change_all(statement, bound, mode)
            }
            other => {
                link.ordered_failure(FailOn::AnyExecute)?;
                match other {
                    Statement::Commit => self.commit()?,
                    Statement::Rollback => self.rollback()?,
                    Statement::Ddl(ddl) => {
                        // DDL commits before and after itself
                        self.commit()?;
                        self.begin_transaction()?;
                        let done = catalog::run(&self.connection, &self.owner, ddl);
                        self.connection.execute_batch(if done.is_ok() { "COMMIT" } else { "ROLLBACK" })?;
                        done?;
                    }
                    Statement::Block(block) => self.block(block)?,
                    Statement::AlterSession => link.count(Word::SessionsAltered, 1),
                    _ => {}
                }
                Ok(Outcome::default())
            }
        }
    }

    fn block(&mut self, block: &Block) -> Result<()> {
        for step in &block.steps {
            let done = match step {
                Step::Execute(sql) => parse(sql, &self.owner).and_then(|statement| {
                    let mode = Mode { commit: false, batch_errors: false };
                    self.execute(&statement, &[Row::new()], mode).map(|_| ())
                }),
                Step::Commit => self.commit(),
                Step::Block(inner) => self.block(inner),
            };
            match done {
                Err(error) if block.ignored.has(error.code) => return Ok(()),
                done => done?,
            }
        }
        Ok(())
    }

    /// SELECT ... FOR UPDATE: nobody else writes until the transaction ends. Where there is no row, there is nothing to
    /// lock: others may insert it.
    fn query_for_update(&mut self, query: &Query, values: &[Value], mode: Mode) -> Result<Outcome> {
        let began = !self.in_transaction();
        self.begin_transaction()?;
        let outcome = self.query(query, values);
        if began && outcome.as_ref().map_or(true, |outcome| outcome.rows.is_empty()) {
            self.undo()?;
        } else if mode.commit {
            self.commit()?;
        }
        outcome
    }

    fn query(&mut self, query: &Query, values: &[Value]) -> Result<Outcome> {
        let views = self.link.control.get(Word::Views);
        let hidden = query.reads_performance && views != Views::Readable as u64
            || query.reads_dictionary && views == Views::Unreadable as u64;
        if hidden && !self.link.inspector {
            return Err(OraError::new(942));
        }
        if query.reads_performance {
            let stats = self.stats;
            let figures = [stats.round_trips, stats.commits, stats.parses, stats.rollbacks];
            dictionary::set_mystat(&self.connection, figures)?;
        }
        let input = Input { values, now: DateTime::now() };
        let mut statement = self.connection.prepare_cached(&query.sql)?;
        input.bind(&mut statement)?;
        let rows = read(&mut statement)?;
        let declared: Vec<_> = statement
            .columns()
            .iter()
            .map(|column| {
                let known = column.decl_type().and_then(ColumnType::from_declared);
                (demangle(column.name()), known)
            })
            .collect();
        let columns = declared
            .into_iter()
            .enumerate()
            .map(|(at, (name, known))| {
                let (column_type, nullable) = known.unwrap_or_else(|| {
                    let hint = query.hints.get(at).copied().flatten();
                    (hint.unwrap_or_else(|| guess(&rows, at)), true)
                });
                OutColumn { name, column_type, nullable }
            })
            .collect();
        Ok(Outcome { columns, rows, ..Outcome::default() })
    }
}

/// The type of an expression, from the first of its values.
fn guess(rows: &[Row], at: usize) -> ColumnType {
    let value = rows.iter().map(|row| &row[at]);
    match value.into_iter().find(|value| **value != Value::Null) {
        Some(Value::Integer(_) | Value::Real(_)) => ColumnType::NUMBER,
        Some(Value::Blob(_)) => ColumnType::text(Kind::Raw, 2000, false),
        _ => ColumnType::text(Kind::Varchar2, 4000, false),
    }
}
