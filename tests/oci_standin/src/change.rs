//! Statements that change rows: [`Session::change_all`], with Oracle's rules for values, defaults and unique keys.

use rusqlite::types::Value;
use rusqlite::{Connection, ErrorCode};

use crate::control::Word;
use crate::datetime::DateTime;
use crate::ddl::Column;
use crate::dictionary;
use crate::error::{OraError, Result};
use crate::execute::{Input, Mode, Outcome, Row};
use crate::session::Session;
use crate::statement::{Insert, Source, Statement, Update};
use crate::testing::FailOn;
use crate::token::tokenize;
use crate::translate::{Clock, Scope, identifier, translate};

impl Session {
    /// Once for each row of values: see [`Mode`] for what becomes of errors and of the transaction.
    pub(crate) fn change_all(&mut self, statement: &Statement, bound: &[Row], mode: Mode) -> Result<Outcome> {
        let table = match statement {
            Statement::Insert { table, .. }
            | Statement::Update { table, .. }
            | Statement::Merge { table, .. }
            | Statement::Delete { table, .. } => table,
            _ => return Err(OraError::internal("not a change")),
        };
        // a test may rewrite the dictionary to play a database of another kind
        if dictionary::is_system(table) && !self.link.inspector {
            return Err(OraError::new(1031));
        }
        let began = !self.in_transaction();
        self.begin_transaction()?;
        // in a transaction that writes, nobody else can change the table
        let target = Target::of(&self.connection, table);
        let mut outcome = Outcome::default();
        let mut failed = None;
        for (at, values) in bound.iter().enumerate() {
            let input = Input { values, now: DateTime::now() };
            let failure = self.link.ordered_failure(FailOn::Row);
            match failure.and_then(|()| self.change(statement, &target, &input)) {
                Ok(count) => outcome.counts.push(count),
                Err(error) if mode.batch_errors => {
                    outcome.counts.push(0);
                    outcome.batch_errors.push((at as u32, error));
                }
                Err(error) => {
                    failed = Some(error);
                    break;
                }
            }
        }
        let count: u64 = outcome.counts.iter().sum();
        if began && count == 0 {
            // nothing changed, so there is no transaction that anybody would have to end
            self.undo()?;
        }
        if let Some(error) = failed {
            return Err(error);
        }
        if mode.commit && outcome.batch_errors.is_empty() {
            self.commit()?;
        }
        if matches!(statement, Statement::Insert { .. }) {
            self.link.count(Word::RowsInserted, count);
        }
        Ok(outcome)
    }

    /// One statement, done whole or not at all.
    fn change(&self, statement: &Statement, target: &Result<Target>, input: &Input) -> Result<u64> {
        match statement {
            Statement::Insert { insert, skip_duplicates, .. } => {
                let rows = input.rows(&self.connection, &insert.source.sql)?;
                let target = known(target)?;
                match rows.len() {
                    // whole or not at all by itself
                    1 => self.insert(target, insert, rows, *skip_duplicates),
                    _ => self.whole(|| self.insert(target, insert, rows, *skip_duplicates)),
                }
            }
            Statement::Update { update, .. } => {
                let rows = input.rows(&self.connection, &update.source.sql)?;
                self.whole(|| self.update(known(target)?, update, rows))
            }
            Statement::Delete { sql, .. } => self.delete(sql, input),
            Statement::Merge { update, insert, .. } => {
                self.whole(|| self.merge(known(target)?, update.as_ref(), insert.as_ref(), input))
            }
            _ => Ok(0),
        }
    }

    fn whole(&self, change: impl FnOnce() -> Result<u64>) -> Result<u64> {
        let savepoint = |sql| self.connection.prepare_cached(sql)?.raw_execute();
        savepoint("SAVEPOINT change")?;
        let done = change();
        if done.is_err() {
            savepoint("ROLLBACK TO change")?;
        }
        savepoint("RELEASE change")?;
        done
    }

    fn delete(&self, sql: &str, input: &Input) -> Result<u64> {
        let mut statement = self.connection.prepare_cached(sql)?;
        input.bind(&mut statement)?;
        Ok(statement.raw_execute()? as u64)
    }

    fn merge(&self, target: &Target, update: Option<&Update>, insert: Option<&Insert>, input: &Input) -> Result<u64> {
        // both branches see the table as it was before
        let rows_of = |source: Option<&Source>| match source {
            Some(source) => input.rows(&self.connection, &source.sql),
            None => Ok(Vec::new()),
        };
        let changed = rows_of(update.map(|update| &update.source))?;
        let added = rows_of(insert.map(|insert| &insert.source))?;
        let mut count = 0;
        if let Some(update) = update {
            count += self.update(target, update, changed)?;
        }
        if let Some(insert) = insert {
            count += self.insert(target, insert, added, false)?;
        }
        Ok(count)
    }

    fn insert(&self, target: &Target, insert: &Insert, rows: Vec<Row>, skip_duplicates: bool) -> Result<u64> {
        let Target { table, columns, defaults, insert_sql } = target;
        let sources = match &insert.columns {
            None => (0..columns.len()).collect(),
            Some(names) => positions(columns, names)?,
        };
        let mut statement = self.connection.prepare_cached(insert_sql)?;
        let mut count = 0;
        for row in rows {
            if row.len() != sources.len() {
                return Err(OraError::new(if row.len() < sources.len() { 947 } else { 913 }));
            }
            let mut given: Vec<Option<Value>> = vec![None; columns.len()];
            for (at, (value, &target)) in row.into_iter().zip(&sources).enumerate() {
                if !insert.source.defaults.contains(&at) {
                    given[target] = Some(value);
                }
            }
            for (at, (value, column)) in given.into_iter().zip(columns).enumerate() {
                let value = match (value, &defaults[at]) {
                    (Some(value), _) => self.checked(table, column, value)?,
                    (None, Some(default)) => {
                        let value = default.evaluate(&self.connection, column)?;
                        self.checked(table, column, value)?
                    }
                    (None, None) => self.checked(table, column, Value::Null)?,
                };
                statement.raw_bind_parameter(at + 1, value)?;
            }
            match statement.raw_execute() {
                Ok(_) => count += 1,
                Err(error) if skip_duplicates && is_duplicate(&error) => {}
                Err(error) => return Err(self.write_error(error)),
            }
        }
        Ok(count)
    }

    fn update(&self, target: &Target, update: &Update, rows: Vec<Row>) -> Result<u64> {
        let Target { table, columns, defaults, .. } = target;
        let targets = positions(columns, &update.columns)?;
        let names = update.columns.iter().map(|name| identifier(name));
        let set: Vec<_> = names.map(|name| format!("{name} = ?")).collect();
        let sql = format!("UPDATE {} SET {} WHERE rowid = ?", identifier(table), set.join(", "));
        let mut statement = self.connection.prepare_cached(&sql)?;
        let mut count = 0;
        for mut row in rows {
            let id = row.remove(0);
            for (at, (value, &target)) in row.into_iter().zip(&targets).enumerate() {
                let column = &columns[target];
                let value = match &defaults[target] {
                    Some(default) if update.source.defaults.contains(&at) => {
                        default.evaluate(&self.connection, column)?
                    }
                    _ => value,
                };
                let value = self.checked(table, column, value)?;
                statement.raw_bind_parameter(at + 1, value)?;
            }
            statement.raw_bind_parameter(targets.len() + 1, id)?;
            count += statement.raw_execute().map_err(|error| self.write_error(error))? as u64;
        }
        Ok(count)
    }

    fn checked(&self, table: &str, column: &Column, value: Value) -> Result<Value> {
        let place = || format!("\"{}\".\"{table}\".\"{}\"", self.owner, column.name);
        let value = column.column_type.coerce(value, place)?;
        if value == Value::Null && !column.nullable {
            return Err(OraError::with(1400, format_args!("cannot insert NULL into ({})", place())));
        }
        Ok(value)
    }

    fn write_error(&self, error: rusqlite::Error) -> OraError {
        if is_duplicate(&error) {
            dictionary::duplicate(&self.connection, &self.owner, &error.to_string())
        } else {
            error.into()
        }
    }
}

fn is_duplicate(error: &rusqlite::Error) -> bool {
    error.sqlite_error_code() == Some(ErrorCode::ConstraintViolation)
        && error.to_string().contains("UNIQUE constraint failed")
}

fn positions(columns: &[Column], names: &[String]) -> Result<Vec<usize>> {
    let position = |name: &String| {
        let at = columns.iter().position(|column| column.name == *name);
        at.ok_or_else(|| OraError::with(904, format_args!("\"{name}\": invalid identifier")))
    };
    names.iter().map(position).collect()
}

/// The table that is changed, as the dictionary describes it.
struct Target {
    table: String,
    columns: Vec<Column>,
    /// Of each column.
    defaults: Vec<Option<ColumnDefault>>,
    /// One row, all of its columns.
    insert_sql: String,
}

impl Target {
    fn of(connection: &Connection, table: &str) -> Result<Self> {
        let columns = dictionary::columns(connection, table)?;
        let defaults = columns.iter().map(|column| column.default.as_deref().map(ColumnDefault::parse).transpose());
        let defaults = defaults.collect::<Result<_>>()?;
        let marks = vec!["?"; columns.len()].join(",");
        let insert_sql = format!("INSERT INTO {} VALUES ({marks})", identifier(table));
        Ok(Self { table: table.to_owned(), columns, defaults, insert_sql })
    }
}

fn known(target: &Result<Target>) -> Result<&Target> {
    target.as_ref().map_err(Clone::clone)
}

/// What a column without a value gets: a query, which is made anew for every row.
pub(crate) struct ColumnDefault {
    sql: String,
}

impl ColumnDefault {
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let scope = Scope { owner: "", clock: Clock::after(0) };
        Ok(Self { sql: format!("SELECT {}", translate(&tokenize(text)?, &scope)?) })
    }

    pub(crate) fn evaluate(&self, connection: &Connection, column: &Column) -> Result<Value> {
        let input = Input { values: &[], now: DateTime::now() };
        let row = input.rows(connection, &self.sql)?.pop().unwrap_or_default();
        let value = row.into_iter().next().unwrap_or(Value::Null);
        column.column_type.coerce(value, || column.name.clone())
    }
}
