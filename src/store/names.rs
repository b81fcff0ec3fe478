//! Names of the result table and its columns: from the configuration, checked as identifiers.

use std::fmt;

use super::settings::TableSettings;

/// A name that can stand in SQL text: an ordinary identifier, or one in double quotes. Injection is impossible because
/// nothing else parses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identifier(String);

/// Longest identifier, in bytes: Oracle's limit from 12.2 on (30 before).
const MAX_IDENTIFIER_BYTES: usize = 128;

impl Identifier {
    /// Parses `name`, or `"Name"` for one whose case counts.
    ///
    /// # Errors
    /// A sentence that says what is wrong.
    pub fn parse(text: &str) -> Result<Self, String> {
        let quoted = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
        let length = quoted.unwrap_or(text).len();
        if length == 0 || length > MAX_IDENTIFIER_BYTES {
            return Err(format!("`{text}` must be 1 to {MAX_IDENTIFIER_BYTES} bytes long"));
        }
        let valid = match quoted {
            Some(name) => !name.contains(|c: char| matches!(c, '"' | '\'') || c.is_control()),
            None => {
                text.starts_with(|c: char| c.is_ascii_alphabetic())
                    && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '$' | '#'))
            }
        };
        if valid {
            Ok(Self(text.to_owned()))
        } else {
            Err(format!(
                "`{text}` is no identifier: write a letter followed by letters, digits, _, $ or #, or a name in double quotes that holds no quotes"
            ))
        }
    }

    /// The name as the data dictionary holds it: unquoted names are upper case there.
    #[must_use]
    pub fn dictionary_name(&self) -> String {
        match self.0.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
            Some(name) => name.to_owned(),
            None => self.0.to_ascii_uppercase(),
        }
    }
}

impl fmt::Display for Identifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The names that the SQL files' default names are replaced by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableNames {
    /// Schema that owns the table, where the name is qualified.
    pub owner: Option<Identifier>,
    /// The table.
    pub table: Identifier,
    /// The key column.
    pub key: Identifier,
    /// The result column.
    pub result: Identifier,
    /// The column that says which model made a result; `None` where a foreign table has none.
    pub model: Option<Identifier>,
    /// The column that says when; `None` where a foreign table has none.
    pub created: Option<Identifier>,
    /// Whether no setting changes the columns' names.
    fixed: bool,
}

impl TableNames {
    /// Checks the configured names.
    ///
    /// # Errors
    /// A sentence that names the setting.
    pub fn parse(settings: &TableSettings) -> Result<Self, String> {
        let column = |setting: &str, text: &str| {
            Identifier::parse(text).map_err(|reason| format!("store.table.{setting}: {reason}"))
        };
        let optional =
            |setting: &str, text: &str| if text.is_empty() { Ok(None) } else { column(setting, text).map(Some) };
        let (owner, table) = match split_qualified(&settings.name) {
            Some((owner, table)) => (Some(column("name", owner)?), column("name", table)?),
            None => (None, column("name", &settings.name)?),
        };
        let names = Self {
            owner,
            table,
            key: column("key_column", &settings.key_column)?,
            result: column("result_column", &settings.result_column)?,
            model: optional("model_column", &settings.model_column)?,
            created: optional("created_column", &settings.created_column)?,
            fixed: false,
        };
        let mut columns: Vec<String> =
            [Some(&names.key), Some(&names.result), names.model.as_ref(), names.created.as_ref()]
                .into_iter()
                .flatten()
                .map(Identifier::dictionary_name)
                .collect();
        columns.sort_unstable();
        match columns.windows(2).find(|pair| pair[0] == pair[1]) {
            Some(pair) => Err(format!("store.table: two columns are both called {}", pair[0])),
            None => Ok(names),
        }
    }

    /// Those of the image table: fixed ones, and the owner of this table.
    #[must_use]
    pub(super) fn images(&self) -> Self {
        let name = |text: &str| Identifier(text.to_owned());
        Self {
            owner: self.owner.clone(),
            table: name("IMAGE_RESULT"),
            key: name("IMAGE_SHA256"),
            result: name("LABEL"),
            model: Some(name("MODEL")),
            created: Some(name("CREATED_AT")),
            fixed: true,
        }
    }

    /// What to do about a column that is not there under the name of this `setting`.
    pub(super) fn remedy(&self, setting: &str) -> String {
        if self.fixed {
            return "add it".to_owned();
        }
        let optional = matches!(setting, "model_column" | "created_column");
        let without = if optional { ", or \"\" where the table has none" } else { "" };
        format!("set store.table.{setting} to the right one{without}")
    }

    /// What to do about keys of up to `wanted` bytes where the column takes fewer.
    pub(super) fn narrow_key_remedy(&self, bytes: usize, wanted: usize) -> String {
        if self.fixed {
            format!("keys have {wanted}: no result can be stored; widen the column")
        } else {
            format!(
                "limits.max_url_bytes is {wanted}: results of longer URLs are answered but not stored; widen the column or set limits.max_url_bytes = {bytes}"
            )
        }
    }

    /// The table as SQL text names it, with its owner where one is configured.
    #[must_use]
    pub fn qualified_table(&self) -> String {
        match &self.owner {
            Some(owner) => format!("{owner}.{}", self.table),
            None => self.table.to_string(),
        }
    }

    /// Name of the primary key that `create.sql` makes: the table's with `_PK`, within the 30 bytes of Oracle 11.2.
    #[must_use]
    pub fn primary_key(&self) -> String {
        const MAX_STEM_BYTES: usize = 27;
        let name = self.table.dictionary_name();
        let end = (0..=MAX_STEM_BYTES.min(name.len())).rev().find(|&end| name.is_char_boundary(end)).unwrap_or(0);
        format!("\"{}_PK\"", &name[..end])
    }
}

/// Splits `owner.table` at the dot that is outside of double quotes.
fn split_qualified(name: &str) -> Option<(&str, &str)> {
    let mut in_quotes = false;
    let at = name.char_indices().find_map(|(at, c)| {
        in_quotes ^= c == '"';
        (c == '.' && !in_quotes).then_some(at)
    })?;
    Some((&name[..at], &name[at + 1..]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn identifiers_are_names_and_nothing_else() {
        for good in ["URL_RESULT", "a", "x$1#", "\"Mixed Case\"", "\"a;b--c\""] {
            assert!(Identifier::parse(good).is_ok(), "{good}");
        }
        for bad in ["", "1a", "a b", "a;drop table t", "a--", "\"\"", "\"a\"b\"", "\"", "a'b", "\"a'b\"", "ä", "a.b"] {
            assert!(Identifier::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_table_may_be_qualified_and_quoted() {
        let settings = TableSettings { name: "App.\"url.result\"".into(), ..TableSettings::default() };
        let names = TableNames::parse(&settings).expect("names");
        assert_eq!(names.qualified_table(), "App.\"url.result\"");
        assert_eq!(names.primary_key(), "\"url.result_PK\"");
    }

    #[test]
    fn two_columns_cannot_share_a_name() {
        let settings = TableSettings { result_column: "url".into(), ..TableSettings::default() };
        assert_eq!(TableNames::parse(&settings), Err("store.table: two columns are both called URL".to_owned()));
    }

    proptest! {
        #[test]
        fn no_accepted_name_can_leave_its_place(text in any::<String>()) {
            if let Ok(name) = Identifier::parse(&text) {
                let name = name.to_string();
                let inner = name.strip_prefix('"').and_then(|n| n.strip_suffix('"')).unwrap_or(&name);
                prop_assert!(!inner.contains('"'));
                prop_assert!(name.starts_with('"') || name.chars().all(|c| c.is_ascii_alphanumeric() || "_$#".contains(c)));
            }
        }
    }
}
