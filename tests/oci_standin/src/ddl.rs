//! Data definition: [`Ddl`], and [`Block`], the PL/SQL around it that makes a script safe to run twice.

use crate::error::{OraError, Result};
use crate::parts::{Parts, split};
use crate::token::{Token, render};
use crate::translate::translate;
use crate::types::ColumnType;

#[derive(Clone, Debug)]
pub(crate) struct Column {
    pub(crate) name: String,
    pub(crate) column_type: ColumnType,
    pub(crate) nullable: bool,
    /// `COLLATE BINARY_CI`: letters of ASCII count as equal whatever their case.
    pub(crate) folds_case: bool,
    /// As Oracle text; computed anew for every row.
    pub(crate) default: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ConstraintKind {
    Primary,
    Unique,
    Check,
}

#[derive(Debug)]
pub(crate) struct Constraint {
    pub(crate) name: Option<String>,
    pub(crate) kind: ConstraintKind,
    pub(crate) columns: Vec<String>,
    /// A check's condition, as Oracle text and as SQLite takes it.
    pub(crate) condition: (String, String),
}

#[derive(Debug)]
pub(crate) enum Ddl {
    CreateTable { table: String, columns: Vec<Column>, constraints: Vec<Constraint> },
    AlterTable { table: String, columns: Vec<Column>, constraints: Vec<Constraint> },
    CreateIndex { index: String, table: String, columns: Vec<String>, unique: bool },
    DropTable(String),
    DropIndex(String),
}

impl Ddl {
    pub(crate) fn parse(parts: &mut Parts) -> Result<Self> {
        if parts.take("CREATE TABLE") {
            let table = parts.table()?;
            let (columns, constraints) = elements(parts)?;
            // what follows (TABLESPACE, STORAGE ...) is about files, and there are none
            return Ok(Self::CreateTable { table, columns, constraints });
        }
        if parts.take("ALTER TABLE") {
            let table = parts.table()?;
            parts.expect("ADD")?;
            let (columns, constraints) = elements(parts)?;
            return Ok(Self::AlterTable { table, columns, constraints });
        }
        if parts.take("DROP TABLE") {
            return Ok(Self::DropTable(parts.table()?));
        }
        if parts.take("DROP INDEX") {
            return Ok(Self::DropIndex(parts.table()?));
        }
        let unique = parts.take("CREATE UNIQUE INDEX");
        if unique || parts.take("CREATE INDEX") {
            let index = parts.table()?;
            parts.expect("ON")?;
            return Ok(Self::CreateIndex {
                index,
                table: parts.table()?,
                columns: parts.names_in_parentheses()?,
                unique,
            });
        }
        Err(OraError::unsupported("DDL of this form"))
    }
}

/// Columns and constraints, in parentheses or a single one without.
fn elements(parts: &mut Parts) -> Result<(Vec<Column>, Vec<Constraint>)> {
    let list = if parts.peek().is_some_and(|token| token.is("(")) { parts.parenthesized()? } else { parts.until(&[]) };
    let mut columns = Vec::new();
    let mut constraints = Vec::new();
    for element in split(list, ",") {
        let mut element = Parts::new(element, parts.scope);
        match constraint(&mut element, None)? {
            Some(constraint) => constraints.push(constraint),
            None => columns.push(column(&mut element, &mut constraints)?),
        }
    }
    Ok((columns, constraints))
}

/// A constraint, if one comes next; of a `column` it has that one column.
fn constraint(parts: &mut Parts, column: Option<&str>) -> Result<Option<Constraint>> {
    let name = if parts.take("CONSTRAINT") { Some(parts.name()?) } else { None };
    let kind = if parts.take("PRIMARY KEY") {
        ConstraintKind::Primary
    } else if parts.take("UNIQUE") {
        ConstraintKind::Unique
    } else if parts.take("CHECK") {
        ConstraintKind::Check
    } else {
        return Ok(None);
    };
    let mut condition = (String::new(), String::new());
    let mut columns: Vec<String> = column.map(str::to_owned).into_iter().collect();
    if kind == ConstraintKind::Check {
        let tokens = parts.parenthesized()?;
        condition = (render(tokens), translate(tokens, parts.scope)?);
    } else if column.is_none() {
        columns = parts.names_in_parentheses()?;
    }
    if parts.take("USING INDEX") {
        // its storage, or the name of an index that exists
        parts.until(&["NOT", "CHECK", "CONSTRAINT", "UNIQUE"]);
    }
    Ok(Some(Constraint { name, kind, columns, condition }))
}

fn column(parts: &mut Parts, constraints: &mut Vec<Constraint>) -> Result<Column> {
    let name = parts.name()?;
    let column_type = column_type(parts)?;
    let mut column = Column { name, column_type, nullable: true, folds_case: false, default: None };
    while parts.peek().is_some() {
        if parts.take("DEFAULT") {
            let ends = ["NOT", "NULL", "CONSTRAINT", "PRIMARY", "UNIQUE", "CHECK"];
            column.default = Some(match parts.peek() {
                Some(word) if word.is("NULL") => {
                    parts.next();
                    "NULL".to_owned()
                }
                _ => render(parts.until(&ends)),
            });
        } else if parts.take("NOT NULL") {
            column.nullable = false;
        } else if parts.take("COLLATE BINARY_CI") {
            column.folds_case = true;
        } else if !(parts.take("NULL") || parts.take("ENABLE")) {
            match constraint(parts, Some(&column.name))? {
                Some(constraint) => {
                    column.nullable &= constraint.kind != ConstraintKind::Primary;
                    constraints.push(constraint);
                }
                // a named NOT NULL is not kept by its name
                None if parts.take("NOT NULL") => column.nullable = false,
                None => return Err(OraError::unsupported("column of this form")),
            }
        }
    }
    Ok(column)
}

fn column_type(parts: &mut Parts) -> Result<ColumnType> {
    let mut name = parts.name()?;
    let mut arguments = Vec::new();
    let mut in_chars = false;
    if parts.peek().is_some_and(|token| token.is("(")) {
        let mut negative = false;
        for token in parts.parenthesized()? {
            match token {
                Token::Number(number) => {
                    let number: i32 = number.parse().map_err(|_| OraError::new(1722))?;
                    arguments.push(if negative { -number } else { number });
                }
                Token::Symbol("-") => negative = true,
                Token::Symbol("*") => arguments.push(38),
                token => in_chars |= token.is("CHAR"),
            }
        }
    }
    if parts.take("WITH TIME ZONE") {
        name.push_str(" WITH TIME ZONE");
    }
    ColumnType::named(&name, &arguments, in_chars)
}

/// `begin execute immediate '...'; exception when others then ... end;`, nested at will.
#[derive(Debug)]
pub(crate) struct Block {
    pub(crate) steps: Vec<Step>,
    pub(crate) ignored: Ignored,
}

#[derive(Debug)]
pub(crate) enum Step {
    Execute(String),
    Commit,
    Block(Block),
}

/// The errors that a block's exception handler swallows.
#[derive(Debug)]
pub(crate) enum Ignored {
    All,
    Codes(Vec<i32>),
}

impl Ignored {
    pub(crate) fn has(&self, code: i32) -> bool {
        match self {
            Self::All => true,
            Self::Codes(codes) => codes.contains(&code),
        }
    }
}

impl Block {
    pub(crate) fn parse(parts: &mut Parts) -> Result<Self> {
        parts.expect("BEGIN")?;
        let mut steps = Vec::new();
        let mut ignored = Ignored::Codes(Vec::new());
        loop {
            if parts.peek().is_some_and(|token| token.is("BEGIN")) {
                steps.push(Step::Block(Self::parse(parts)?));
                continue;
            }
            if parts.take("EXECUTE IMMEDIATE") {
                let Some(Token::Text(sql)) = parts.next() else {
                    return Err(beyond("EXECUTE IMMEDIATE without a literal"));
                };
                steps.push(Step::Execute(sql.clone()));
            } else if parts.take("COMMIT") {
                steps.push(Step::Commit);
            } else if parts.take("EXCEPTION WHEN OTHERS THEN") {
                ignored = handler(parts)?;
                continue;
            } else if parts.take("END") {
                parts.expect(";")?;
                return Ok(Self { steps, ignored });
            } else if !parts.take("NULL") {
                return Err(beyond("statement in a PL/SQL block"));
            }
            parts.expect(";")?;
        }
    }
}

fn beyond(what: &str) -> OraError {
    OraError::with(6550, format_args!("stand-in: {what} is not supported"))
}

/// `NULL;` or `IF SQLCODE ... THEN RAISE; END IF;` where the condition names the codes to ignore.
fn handler(parts: &mut Parts) -> Result<Ignored> {
    if parts.take("NULL ;") {
        return Ok(Ignored::All);
    }
    parts.expect("IF")?;
    let condition = parts.until(&["THEN"]);
    parts.expect("THEN RAISE ; END IF ;")?;
    let negated = condition.iter().any(|token| token.is("!=") || token.is("<>") || token.is("NOT"));
    let codes = condition.iter().filter_map(|token| match token {
        Token::Number(number) => number.parse().ok(),
        _ => None,
    });
    if negated { Ok(Ignored::Codes(codes.collect())) } else { Err(beyond("exception handler of this form")) }
}
