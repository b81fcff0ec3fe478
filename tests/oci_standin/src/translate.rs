//! From Oracle's SQL to SQLite's: [`translate`] rewrites the tokens of a statement or of a part of one.
//!
//! Nothing is parsed here beyond what has to be rewritten; what SQLite cannot read afterwards is outside of the
//! dialect and becomes ORA-00900. Placeholders keep their number in the Oracle statement, so that a statement that is
//! run as several SQLite statements takes the same values in each. The clock is a placeholder too, see [`Clock`].

use crate::datetime::DateTime;
use crate::error::{OraError, Result};
use crate::token::Token;

/// The placeholders behind those of the statement, for SYSTIMESTAMP and SYSDATE.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    pub(crate) timestamp: usize,
    pub(crate) date: usize,
}

impl Clock {
    pub(crate) fn after(binds: usize) -> Self {
        Self { timestamp: binds + 1, date: binds + 2 }
    }
}

/// What a translation needs to know of the session.
#[derive(Clone, Debug)]
pub(crate) struct Scope<'a> {
    pub(crate) owner: &'a str,
    pub(crate) clock: Clock,
}

/// Words that SQLite has to see as words; every other word is a name.
const KEYWORDS: [&str; 58] = [
    "SELECT",
    "FROM",
    "WHERE",
    "AND",
    "OR",
    "NOT",
    "IN",
    "IS",
    "NULL",
    "LIKE",
    "ESCAPE",
    "BETWEEN",
    "EXISTS",
    "ORDER",
    "BY",
    "GROUP",
    "HAVING",
    "ASC",
    "DESC",
    "NULLS",
    "FIRST",
    "LAST",
    "AS",
    "DISTINCT",
    "ALL",
    "UNION",
    "INTERSECT",
    "JOIN",
    "LEFT",
    "RIGHT",
    "FULL",
    "INNER",
    "OUTER",
    "CROSS",
    "NATURAL",
    "ON",
    "USING",
    "CASE",
    "WHEN",
    "THEN",
    "ELSE",
    "END",
    "CAST",
    "DELETE",
    "WITH",
    "OVER",
    "PARTITION",
    "ROWS",
    "RANGE",
    "PRECEDING",
    "FOLLOWING",
    "UNBOUNDED",
    "CURRENT",
    "ROW",
    "VARCHAR2",
    "NUMBER",
    "TEXT",
    "INSERT",
];

/// A name as SQLite keeps it. SQLite folds case, Oracle does not: a lower-case letter, which only a quoted name can
/// have, is marked.
pub(crate) fn mangle(name: &str) -> String {
    let mut mangled = String::with_capacity(name.len() + 2);
    for c in name.chars() {
        if c.is_lowercase() {
            mangled.push('~');
        }
        mangled.extend(c.to_uppercase());
    }
    mangled
}

/// The Oracle name of a SQLite name, also inside of a message or of an expression.
pub(crate) fn demangle(text: &str) -> String {
    let mut name = String::with_capacity(text.len());
    let mut lower = false;
    for c in text.chars() {
        match c {
            '~' => lower = true,
            '`' => {}
            c if lower => {
                name.extend(c.to_lowercase());
                lower = false;
            }
            c => name.push(c),
        }
    }
    name
}

/// In back quotes, which SQLite never takes for a text.
pub(crate) fn identifier(name: &str) -> String {
    format!("`{}`", mangle(name).replace('`', "``"))
}

/// A text literal; the empty one is NULL.
pub(crate) fn literal(text: &str) -> String {
    if text.is_empty() { "NULL".to_owned() } else { format!("'{}'", text.replace('\'', "''")) }
}

/// LIMIT and OFFSET that one level of parentheses still owes.
#[derive(Default)]
struct Limits {
    limit: Option<String>,
    offset: Option<String>,
}

impl Limits {
    fn write(self, sql: &mut String) {
        if self.limit.is_some() || self.offset.is_some() {
            let limit = self.limit.unwrap_or_else(|| "-1".to_owned());
            sql.push_str(&format!("LIMIT {limit} "));
        }
        if let Some(offset) = self.offset {
            sql.push_str(&format!("OFFSET {offset} "));
        }
    }
}

pub(crate) fn translate(tokens: &[Token], scope: &Scope) -> Result<String> {
    let mut sql = String::new();
    let mut levels = vec![Limits::default()];
    let mut rest = tokens;
    while let Some(token) = rest.first() {
        let next = |at: usize| rest.get(at);
        let next_is = |at: usize, word: &str| next(at).is_some_and(|token| token.is(word));
        let mut taken = 1;
        match token {
            Token::Hint(_) => {}
            Token::Text(text) => sql.push_str(&literal(text)),
            Token::Number(number) => sql.push_str(number),
            Token::Bind(_, number) => sql.push_str(&format!("?{number}")),
            Token::Quoted(name) => sql.push_str(&identifier(name)),
            Token::Symbol("!=" | "^=") => sql.push_str("<>"),
            Token::Symbol(";") => return Err(OraError::new(911)),
            Token::Symbol("(") => {
                levels.push(Limits::default());
                sql.push('(');
            }
            Token::Symbol(")") => {
                levels.pop().unwrap_or_default().write(&mut sql);
                sql.push(')');
            }
            Token::Symbol(symbol) => sql.push_str(symbol),
            Token::Word(word) => match word.as_str() {
                owner if next_is(1, ".") && (owner == scope.owner || owner == "SYS") => taken = 2,
                "SYSTIMESTAMP" | "CURRENT_TIMESTAMP" | "LOCALTIMESTAMP" => {
                    sql.push_str(&format!("?{}", scope.clock.timestamp));
                }
                "SYSDATE" | "CURRENT_DATE" => sql.push_str(&format!("?{}", scope.clock.date)),
                // the server's clock is in UTC
                "SYS_EXTRACT_UTC" => {}
                "AT" if next_is(1, "TIME") && next_is(2, "ZONE") => taken = 4,
                "USER" => sql.push_str(&literal(scope.owner)),
                "NVL" => sql.push_str("IFNULL"),
                "LENGTHB" => sql.push_str("OCTET_LENGTH"),
                "MINUS" => sql.push_str("EXCEPT"),
                "SYS_CONTEXT" => {
                    let parameter = match next(4) {
                        Some(Token::Text(parameter)) => parameter.to_uppercase(),
                        _ => return Err(OraError::unsupported("SYS_CONTEXT of this form")),
                    };
                    sql.push_str(&literal(&context(&parameter, scope.owner)));
                    taken = 6;
                }
                "DATE" | "TIMESTAMP" if matches!(next(1), Some(Token::Text(_))) => {
                    let moment = match next(1) {
                        Some(Token::Text(text)) => DateTime::parse(text),
                        _ => None,
                    };
                    let moment = moment.ok_or_else(|| OraError::new(1843))?;
                    sql.push_str(&literal(&moment.to_text()));
                    taken = 2;
                }
                // `CAST(x AS TIMESTAMP(6))`: moments are texts already
                "AS" if next_is(1, "TIMESTAMP") || next_is(1, "DATE") => {
                    sql.push_str("AS TEXT");
                    taken = if next_is(2, "(") { 5 } else { 2 };
                }
                "ROWNUM" if ["<=", "<", "="].iter().any(|compare| next_is(1, compare)) => {
                    let count = operand(next(2))?;
                    if next_is(1, "=") && count != "1" {
                        return Err(OraError::unsupported("ROWNUM = anything but 1"));
                    }
                    let less = if next_is(1, "<") { " - 1" } else { "" };
                    if let Some(level) = levels.last_mut() {
                        level.limit = Some(format!("{count}{less}"));
                    }
                    sql.push_str("1 = 1");
                    taken = 3;
                }
                "OFFSET" if next_is(2, "ROWS") || next_is(2, "ROW") => {
                    if let Some(level) = levels.last_mut() {
                        level.offset = Some(operand(next(1))?);
                    }
                    taken = 3;
                }
                "FETCH" if next_is(1, "FIRST") || next_is(1, "NEXT") => {
                    if !next_is(4, "ONLY") {
                        return Err(OraError::unsupported("FETCH FIRST of this form"));
                    }
                    if let Some(level) = levels.last_mut() {
                        level.limit = Some(operand(next(2))?);
                    }
                    taken = 5;
                }
                keyword if KEYWORDS.contains(&keyword) => sql.push_str(keyword),
                "FOR" | "RETURNING" | "CONNECT" | "ROWNUM" => {
                    return Err(OraError::unsupported(word));
                }
                function if next_is(1, "(") && function.is_ascii() => sql.push_str(function),
                name => sql.push_str(&identifier(name)),
            },
        }
        sql.push(' ');
        rest = &rest[taken.min(rest.len())..];
    }
    levels.pop().unwrap_or_default().write(&mut sql);
    Ok(sql)
}

/// A number or a placeholder in a row limit.
fn operand(token: Option<&Token>) -> Result<String> {
    match token {
        Some(Token::Number(number)) => Ok(number.clone()),
        Some(Token::Bind(_, number)) => Ok(format!("?{number}")),
        _ => Err(OraError::unsupported("row limit of this form")),
    }
}

fn context(parameter: &str, owner: &str) -> String {
    match parameter {
        "SESSION_USER" | "CURRENT_USER" | "CURRENT_SCHEMA" => owner.to_owned(),
        "DB_NAME" | "DB_UNIQUE_NAME" | "SERVICE_NAME" | "INSTANCE_NAME" | "CON_NAME" => "STANDIN".to_owned(),
        "LANGUAGE" => "AMERICAN_AMERICA.AL32UTF8".to_owned(),
        _ => String::new(),
    }
}
