//! [`Parts`]: a reader of a statement's tokens, from left to right.

use crate::error::{OraError, Result};
use crate::token::Token;
use crate::translate::{Scope, translate};

/// A reader of tokens from left to right.
pub(crate) struct Parts<'a> {
    rest: &'a [Token],
    pub(crate) scope: &'a Scope<'a>,
}

impl<'a> Parts<'a> {
    pub(crate) fn new(tokens: &'a [Token], scope: &'a Scope<'a>) -> Self {
        Self { rest: tokens, scope }
    }

    pub(crate) fn peek(&self) -> Option<&'a Token> {
        self.rest.first()
    }

    pub(crate) fn rest(&self) -> &'a [Token] {
        self.rest
    }

    pub(crate) fn next(&mut self) -> Option<&'a Token> {
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(first)
    }

    /// Takes the words if they come next, all of them or none.
    pub(crate) fn take(&mut self, words: &str) -> bool {
        let count = words.split(' ').count();
        let found = self.rest.len() >= count && words.split(' ').zip(self.rest).all(|(word, token)| token.is(word));
        if found {
            self.rest = &self.rest[count..];
        }
        found
    }

    pub(crate) fn expect(&mut self, words: &str) -> Result<()> {
        if self.take(words) { Ok(()) } else { Err(OraError::unsupported(format_args!("{words} expected"))) }
    }

    pub(crate) fn name(&mut self) -> Result<String> {
        let name = self.next().and_then(Token::name);
        name.map(str::to_owned).ok_or_else(|| OraError::with(903, "invalid table name"))
    }

    /// `[owner.]name`; any other owner's table is none that this user can see.
    pub(crate) fn table(&mut self) -> Result<String> {
        let name = self.name()?;
        if !self.take(".") {
            return Ok(name);
        }
        if name == self.scope.owner { self.name() } else { Err(OraError::new(942)) }
    }

    /// All tokens up to one of the words outside of parentheses, or to the end.
    pub(crate) fn until(&mut self, words: &[&str]) -> &'a [Token] {
        let mut depth = 0;
        let end = self.rest.iter().position(|token| {
            if depth == 0 && words.iter().any(|word| token.is(word)) {
                return true;
            }
            depth += i32::from(token.is("(")) - i32::from(token.is(")"));
            depth < 0
        });
        let (taken, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
        self.rest = rest;
        taken
    }

    /// The tokens between a pair of parentheses that comes next.
    pub(crate) fn parenthesized(&mut self) -> Result<&'a [Token]> {
        self.expect("(")?;
        let inner = self.until(&[]);
        self.expect(")")?;
        Ok(inner)
    }

    pub(crate) fn names_in_parentheses(&mut self) -> Result<Vec<String>> {
        let inner = self.parenthesized()?;
        let mut names = Vec::new();
        for part in split(inner, ",") {
            names.push(Parts::new(part, self.scope).name()?);
        }
        Ok(names)
    }

    pub(crate) fn end(&self) -> Result<()> {
        match self.rest.first() {
            None => Ok(()),
            Some(Token::Symbol(";")) => Err(OraError::new(911)),
            Some(token) => {
                Err(OraError::with(933, format_args!("SQL command not properly ended (stand-in: {token:?})")))
            }
        }
    }

    /// A name, unless it is one of the words that may stand in its place.
    pub(crate) fn alias(&mut self, stops: &[&str]) -> Option<String> {
        let name = self.peek()?.name()?;
        if stops.contains(&name) {
            return None;
        }
        self.next();
        Some(name.to_owned())
    }

    pub(crate) fn translated(&self, tokens: &[Token]) -> Result<String> {
        translate(tokens, self.scope)
    }
}

/// The parts between the separators that stand outside of parentheses.
pub(crate) fn split<'a>(tokens: &'a [Token], separator: &str) -> impl Iterator<Item = &'a [Token]> {
    let mut depth = 0;
    tokens.split(move |token| {
        depth += i32::from(token.is("(")) - i32::from(token.is(")"));
        depth == 0 && token.is(separator)
    })
}
