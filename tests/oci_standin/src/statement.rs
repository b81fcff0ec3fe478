//! [`Statement`]: an Oracle statement taken apart into the SQLite statements that do its work.
//!
//! Changes go the long way: SQLite only *computes* the new values with a SELECT, Rust checks and rounds them as the
//! columns demand, and a plain statement writes them. So one place knows the rules of Oracle's types.

use crate::ddl::{Block, Ddl};
use crate::dictionary;
use crate::error::{OraError, Result};
use crate::parts::{Parts, split};
use crate::token::{Token, tokenize};
use crate::translate::{Clock, Scope, identifier, translate};
use crate::types::{ColumnType, Kind};

#[derive(Debug)]
pub(crate) struct Query {
    pub(crate) sql: String,
    /// The types of the columns that are expressions, as far as their first word tells; empty when there is a `*`.
    pub(crate) hints: Vec<Option<ColumnType>>,
    pub(crate) reads_performance: bool,
    pub(crate) reads_dictionary: bool,
    /// FOR UPDATE stands at its end.
    pub(crate) locks: bool,
}

/// A SELECT whose rows are the new values, and the positions where the word DEFAULT stands instead of one.
#[derive(Debug)]
pub(crate) struct Source {
    pub(crate) sql: String,
    pub(crate) defaults: Vec<usize>,
}

#[derive(Debug)]
pub(crate) struct Insert {
    /// In the order of the source; `None` is all columns of the table.
    pub(crate) columns: Option<Vec<String>>,
    pub(crate) source: Source,
}

/// The source's rows begin with the row to change.
#[derive(Debug)]
pub(crate) struct Update {
    pub(crate) columns: Vec<String>,
    pub(crate) source: Source,
}

#[derive(Debug)]
pub(crate) enum Statement {
    Query(Query),
    Insert {
        table: String,
        insert: Insert,
        /// The hint IGNORE_ROW_ON_DUPKEY_INDEX is given.
        skip_duplicates: bool,
    },
    Update {
        table: String,
        update: Update,
    },
    Delete {
        table: String,
        sql: String,
    },
    Merge {
        table: String,
        update: Option<Update>,
        insert: Option<Insert>,
    },
    Ddl(Ddl),
    Block(Block),
    Commit,
    Rollback,
    /// ALTER SESSION: accepted without effect, and counted.
    AlterSession,
    /// COMMENT and GRANT: accepted without effect.
    Ignored,
}

/// The statement's type as OCI numbers it, known without a database.
pub(crate) fn type_code(tokens: &[Token]) -> u16 {
    match tokens.iter().find_map(Token::name).unwrap_or_default() {
        "SELECT" | "WITH" => 1,
        "UPDATE" => 2,
        "DELETE" => 3,
        "INSERT" => 4,
        "CREATE" => 5,
        "DROP" => 6,
        "ALTER" => 7,
        "BEGIN" => 8,
        "DECLARE" => 9,
        "CALL" => 10,
        "MERGE" => 16,
        "ROLLBACK" => 17,
        "COMMIT" => 21,
        _ => 0,
    }
}

pub(crate) fn parse(sql: &str, owner: &str) -> Result<Statement> {
    let tokens = tokenize(sql)?;
    let binds = tokens.iter().filter(|token| matches!(token, Token::Bind(..)));
    let scope = Scope { owner, clock: Clock::after(binds.count()) };
    let hints =
        tokens.iter().any(|token| matches!(token, Token::Hint(hint) if hint.contains("IGNORE_ROW_ON_DUPKEY_INDEX")));
    let tokens: Vec<_> = tokens.into_iter().filter(|token| !matches!(token, Token::Hint(_))).collect();
    let mut parts = Parts::new(&tokens, &scope);
    match tokens.first().and_then(Token::name).unwrap_or_default() {
        "SELECT" | "WITH" => {
            let (reads_performance, reads_dictionary) = dictionary::groups(tokens.iter().filter_map(Token::name));
            let (tokens, locks) = match &tokens[..] {
                [query @ .., last, update] if last.is("FOR") && update.is("UPDATE") => (query, true),
                query => (query, false),
            };
            Ok(Statement::Query(Query {
                sql: translate(tokens, &scope)?,
                hints: parts.hints(),
                reads_performance,
                reads_dictionary,
                locks,
            }))
        }
        "INSERT" => parts.insert(hints),
        "UPDATE" => parts.update(),
        "DELETE" => parts.delete(),
        "MERGE" => parts.merge(),
        "COMMIT" => Ok(Statement::Commit),
        "ROLLBACK" => Ok(Statement::Rollback),
        "ALTER" if tokens.get(1).is_some_and(|token| token.is("SESSION")) => Ok(Statement::AlterSession),
        "COMMENT" | "GRANT" => Ok(Statement::Ignored),
        "CREATE" | "ALTER" | "DROP" => Ok(Statement::Ddl(Ddl::parse(&mut parts)?)),
        "BEGIN" | "DECLARE" => Ok(Statement::Block(Block::parse(&mut parts)?)),
        word => Err(OraError::unsupported(word)),
    }
}

impl Parts<'_> {
    fn hints(&mut self) -> Vec<Option<ColumnType>> {
        self.take("SELECT");
        let _ = self.take("DISTINCT") || self.take("ALL");
        let list = self.until(&["FROM"]);
        if split(list, ",").any(|part| part.last().is_some_and(|token| token.is("*"))) {
            return Vec::new();
        }
        split(list, ",")
            .map(|part| match part.first()? {
                Token::Number(_) => Some(ColumnType::NUMBER),
                Token::Text(text) => Some(ColumnType::text(Kind::Char, text.len() as u16, false)),
                Token::Word(word) => match word.as_str() {
                    "COUNT" | "SUM" | "AVG" | "LENGTH" | "LENGTHB" | "ROUND" | "ABS" => Some(ColumnType::NUMBER),
                    "SYSTIMESTAMP" => Some(ColumnType::moment(Kind::TimestampTz, 6)),
                    "SYS_EXTRACT_UTC" => Some(ColumnType::moment(Kind::Timestamp, 6)),
                    "SYSDATE" => Some(ColumnType::moment(Kind::Date, 0)),
                    _ => None,
                },
                _ => None,
            })
            .collect()
    }

    /// Expressions separated by commas, as the list of a SELECT.
    fn source(&self, list: &[Token], first: &str, tail: &str) -> Result<Source> {
        let mut expressions = Vec::new();
        let mut defaults = Vec::new();
        for (at, part) in split(list, ",").enumerate() {
            if matches!(part, [only] if only.is("DEFAULT")) {
                defaults.push(at);
                expressions.push("NULL".to_owned());
            } else {
                expressions.push(self.translated(part)?);
            }
        }
        Ok(Source { sql: format!("SELECT {first}{} {tail}", expressions.join(",")), defaults })
    }
    fn insert(&mut self, skip_duplicates: bool) -> Result<Statement> {
        self.expect("INSERT INTO")?;
        let table = self.table()?;
        self.alias(&["VALUES", "SELECT", "("]);
        let columns =
            if self.peek().is_some_and(|token| token.is("(")) { Some(self.names_in_parentheses()?) } else { None };
        let source = if self.take("VALUES") {
            let values = self.parenthesized()?;
            self.end()?;
            self.source(values, "", "")?
        } else {
            Source { sql: self.translated(self.rest())?, defaults: Vec::new() }
        };
        Ok(Statement::Insert { table, insert: Insert { columns, source }, skip_duplicates })
    }

    /// `column = expression, ...` up to one of the words: the columns and the expressions.
    fn assignments(&mut self, stops: &[&str]) -> Result<(Vec<String>, Vec<Token>)> {
        let mut columns = Vec::new();
        let mut values = Vec::new();
        for part in split(self.until(stops), ",") {
            let equals = part.iter().position(|token| token.is("="));
            let (target, value) = part.split_at(equals.unwrap_or(part.len()));
            let column = target.last().and_then(Token::name);
            if value.len() < 2 {
                return Err(OraError::unsupported("SET of this form"));
            }
            columns.push(column.unwrap_or_default().to_owned());
            if !values.is_empty() {
                values.push(Token::Symbol(","));
            }
            values.extend_from_slice(&value[1..]);
        }
        Ok((columns, values))
    }

    fn update(&mut self) -> Result<Statement> {
        self.expect("UPDATE")?;
        let table = self.table()?;
        let alias = self.alias(&["SET"]).unwrap_or_else(|| table.clone());
        self.expect("SET")?;
        let (columns, values) = self.assignments(&["WHERE"])?;
        let tail = format!("FROM {} AS {} {}", identifier(&table), identifier(&alias), self.translated(self.rest())?);
        let row = format!("{}.rowid,", identifier(&alias));
        let source = self.source(&values, &row, &tail)?;
        Ok(Statement::Update { table, update: Update { columns, source } })
    }

    fn delete(&mut self) -> Result<Statement> {
        self.expect("DELETE")?;
        self.take("FROM");
        let table = self.table()?;
        let alias = self.alias(&["WHERE"]).unwrap_or_else(|| table.clone());
        let sql =
            format!("DELETE FROM {} AS {} {}", identifier(&table), identifier(&alias), self.translated(self.rest())?);
        Ok(Statement::Delete { table, sql })
    }

    fn merge(&mut self) -> Result<Statement> {
        self.expect("MERGE INTO")?;
        let table = self.table()?;
        let alias = self.alias(&["USING"]).unwrap_or_else(|| table.clone());
        self.expect("USING")?;
        let using = self.until(&["ON"]);
        let using = self.translated(using)?;
        self.expect("ON")?;
        let condition = self.parenthesized()?;
        let condition = self.translated(condition)?;
        let target = format!("{} AS {}", identifier(&table), identifier(&alias));
        let (mut update, mut insert) = (None, None);
        while self.peek().is_some() {
            if self.take("WHEN MATCHED THEN UPDATE SET") {
                let (columns, values) = self.assignments(&["WHERE", "WHEN"])?;
                let filter = self.filter()?;
                let tail = format!("FROM {target}, {using} WHERE ({condition}) {filter}");
                let row = format!("{}.rowid,", identifier(&alias));
                let source = self.source(&values, &row, &tail)?;
                update = Some(Update { columns, source });
            } else if self.take("WHEN NOT MATCHED THEN INSERT") {
                let columns = Some(self.names_in_parentheses()?);
                self.expect("VALUES")?;
                let values = self.parenthesized()?;
                let filter = self.filter()?;
                let tail = format!("FROM {using} WHERE NOT EXISTS (SELECT 1 FROM {target} WHERE {condition}) {filter}");
                let source = self.source(values, "", &tail)?;
                insert = Some(Insert { columns, source });
            } else {
                return Err(OraError::unsupported("MERGE of this form"));
            }
        }
        Ok(Statement::Merge { table, update, insert })
    }

    /// The WHERE of a branch of MERGE as one more condition.
    fn filter(&mut self) -> Result<String> {
        if !self.take("WHERE") {
            return Ok(String::new());
        }
        let condition = self.until(&["WHEN"]);
        Ok(format!("AND ({})", self.translated(condition)?))
    }
}
