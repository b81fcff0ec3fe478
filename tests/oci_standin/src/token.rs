//! [`Token`]: the words of an Oracle statement.

use crate::error::{OraError, Result};

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Token {
    /// An unquoted word, in upper case as Oracle reads it.
    Word(String),
    /// An identifier in double quotes, its case kept.
    Quoted(String),
    Number(String),
    Text(String),
    /// A placeholder: its name in upper case and its number, from 1, in the order of appearance.
    Bind(String, usize),
    Symbol(&'static str),
    /// An optimizer hint `/*+ ... */`.
    Hint(String),
}

const SYMBOLS: [&str; 22] = [
    "<>", "!=", "^=", "<=", ">=", "||", ":=", "=>", "(", ")", ",", ".", ";", "=", "<", ">", "+", "-", "*", "/", "@",
    "%",
];

impl Token {
    pub(crate) fn is(&self, word: &str) -> bool {
        match self {
            Self::Word(own) => own == word,
            Self::Symbol(own) => *own == word,
            _ => false,
        }
    }

    /// The name that a token stands for where an identifier is expected.
    pub(crate) fn name(&self) -> Option<&str> {
        match self {
            Self::Word(name) | Self::Quoted(name) => Some(name),
            _ => None,
        }
    }
}

pub(crate) fn tokenize(sql: &str) -> Result<Vec<Token>> {
    let mut tokens = Vec::new();
    let mut binds = 0;
    let mut rest = sql;
    while let Some(first) = rest.chars().next() {
        let word_length =
            |text: &str| text.find(|c: char| !(c.is_alphanumeric() || "_$#".contains(c))).unwrap_or(text.len());
        let (token, length) = match first {
            c if c.is_whitespace() => (None, c.len_utf8()),
            '-' if rest.starts_with("--") => (None, rest.find('\n').unwrap_or(rest.len())),
            '/' if rest.starts_with("/*") => {
                let end = rest.find("*/").ok_or_else(|| OraError::new(1742))?;
                let hint = rest[2..end].strip_prefix('+');
                (hint.map(|hint| Token::Hint(hint.to_uppercase())), end + 2)
            }
            '\'' | '"' => {
                let (text, length) = quoted(rest, first).ok_or_else(|| OraError::new(1756))?;
                let token = if first == '"' { Token::Quoted(text) } else { Token::Text(text) };
                (Some(token), length)
            }
            ':' if rest[1..].starts_with(|c: char| c.is_alphanumeric() || c == '"') => {
                let name = &rest[1..];
                let (name, length) = match name.strip_prefix('"') {
                    Some(name) => (name.split('"').next().unwrap_or(name).to_owned(), 2),
                    None => (name[..word_length(name)].to_uppercase(), 0),
                };
                binds += 1;
                let length = 1 + name.len() + length;
                (Some(Token::Bind(name, binds)), length)
            }
            c if c.is_ascii_digit() || c == '.' && rest[1..].starts_with(|c: char| c.is_ascii_digit()) => {
                let length = number_length(rest);
                (Some(Token::Number(rest[..length].to_owned())), length)
            }
            c if c.is_alphabetic() => {
                let length = word_length(rest);
                (Some(Token::Word(rest[..length].to_uppercase())), length)
            }
            _ => {
                let symbol = SYMBOLS.iter().find(|symbol| rest.starts_with(**symbol));
                let symbol = symbol.ok_or_else(|| OraError::new(911))?;
                (Some(Token::Symbol(symbol)), symbol.len())
            }
        };
        tokens.extend(token);
        rest = &rest[length..];
    }
    Ok(tokens)
}

/// The content of a quoted text, where a doubled quote stands for one, and its length with the quotes.
fn quoted(text: &str, quote: char) -> Option<(String, usize)> {
    let mut content = String::new();
    let mut chars = text.char_indices().skip(1).peekable();
    while let Some((at, c)) = chars.next() {
        if c != quote {
            content.push(c);
        } else if chars.next_if(|next| next.1 == quote).is_some() {
            content.push(quote);
        } else {
            return Some((content, at + 1));
        }
    }
    None
}

fn number_length(text: &str) -> usize {
    let bytes = text.as_bytes();
    let digits = |from: usize| {
        let count = bytes[from..].iter().take_while(|byte| byte.is_ascii_digit());
        from + count.count()
    };
    let mut end = digits(0);
    if bytes.get(end) == Some(&b'.') {
        end = digits(end + 1);
    }
    if matches!(bytes.get(end), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(bytes.get(end + 1), Some(b'+' | b'-')));
        let exponent_end = digits(end + 1 + sign);
        if exponent_end > end + 1 + sign {
            end = exponent_end;
        }
    }
    end
}

/// The tokens as Oracle text again, for the dictionary's DATA_DEFAULT.
pub(crate) fn render(tokens: &[Token]) -> String {
    let words = tokens.iter().map(|token| match token {
        Token::Word(word) => word.clone(),
        Token::Quoted(name) => format!("\"{name}\""),
        Token::Number(number) => number.clone(),
        Token::Text(text) => format!("'{}'", text.replace('\'', "''")),
        Token::Bind(name, _) => format!(":{name}"),
        Token::Symbol(symbol) => (*symbol).to_owned(),
        Token::Hint(hint) => format!("/*+{hint}*/"),
    });
    let mut text = String::new();
    for word in words {
        let glued = text.is_empty() || text.ends_with(['(', '.']) || ["(", ")", ",", "."].contains(&word.as_str());
        if !glued {
            text.push(' ');
        }
        text.push_str(&word);
    }
    text
}
