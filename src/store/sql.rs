//! SQL files with their default names replaced by the configured ones.

use super::names::{Identifier, TableNames};

/// Replaces exactly the identifiers `URL_RESULT`, `URL_RESULT_PK`, `URL`, `RESULT`, `MODEL` and `CREATED_AT` of `sql` by
/// the configured names. A column that the table does not have reads as NULL, which fits a SELECT; statements that write
/// it have a variant without. A closing newline is cut.
pub(super) fn with_names(sql: &str, names: &TableNames) -> String {
    let column = |name: &Option<Identifier>| name.as_ref().map_or("NULL".to_owned(), ToString::to_string);
    replaced(sql, |token| match token {
        "URL_RESULT" => Some(names.qualified_table()),
        "URL_RESULT_PK" => Some(names.primary_key()),
        "URL" => Some(names.key.to_string()),
        "RESULT" => Some(names.result.to_string()),
        "MODEL" => Some(column(&names.model)),
        "CREATED_AT" => Some(column(&names.created)),
        _ => None,
    })
}

/// The SQL of an `image_*.sql` file: that table has names of its own, and the owner of the other one.
pub(super) fn with_owner(sql: &str, names: &TableNames) -> String {
    replaced(sql, |token| match (token, &names.owner) {
        ("IMAGE_RESULT", Some(owner)) => Some(format!("{owner}.{token}")),
        _ => None,
    })
}

/// Replaces identifiers, leaving comments, quoted names and binds alone. Text literals are searched too, since DDL stands
/// in them (an [`Identifier`] holds no quote that could end one).
fn replaced(sql: &str, name: impl Fn(&str) -> Option<String>) -> String {
    let mut out = String::with_capacity(sql.len() + 32);
    let mut rest = sql;
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '"' => rest[1..].find('"').map_or(rest.len(), |end| end + 2),
            '-' if rest.starts_with("--") => rest.find('\n').unwrap_or(rest.len()),
            c if c.is_ascii_alphabetic() || matches!(c, '_' | ':' | '?') => rest[1..]
                .find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '_' | '$' | '#')))
                .map_or(rest.len(), |end| end + 1),
            other => other.len_utf8(),
        };
        let (token, tail) = rest.split_at(length);
        match name(token) {
            Some(name) => out.push_str(&name),
            None => out.push_str(token),
        }
        rest = tail;
    }
    out.trim_end().to_owned()
}

/// The SQL of a page without the line of its upper bound, for a range that has none.
pub(super) fn without_upper_bound(page: &str) -> String {
    page.lines().filter(|line| !line.contains(" < ")).collect::<Vec<_>>().join("\n")
}

/// The least text that comes after every text that begins with `prefix`, in the order of bytes, which in UTF-8 is the
/// order of characters. `None` where there is none: no text comes after all of those.
pub(super) fn end_of_prefix(prefix: &str) -> Option<String> {
    let mut end = prefix.to_owned();
    while let Some(last) = end.pop() {
        // The range leaves out what is no character (surrogates); the last character has no next one, so the one before
        // it decides.
        if let Some(next) = (last..=char::MAX).nth(1) {
            end.push(next);
            return Some(end);
        }
    }
    None
}

/// The DDL of `create.sql` with the configured names, without the lines of columns that are not wanted.
pub(super) fn ddl_with_names(create: &str, names: &TableNames) -> String {
    let wanted = |line: &&str| {
        let column = line.trim_start();
        !(names.model.is_none() && column.starts_with("MODEL ")
            || names.created.is_none() && column.starts_with("CREATED_AT "))
    };
    with_names(&create.lines().filter(wanted).collect::<Vec<_>>().join("\n"), names)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::TableSettings;
    use proptest::prelude::*;

    #[test]
    fn only_whole_identifiers_are_replaced() {
        let settings = TableSettings {
            name: "SCORES".into(),
            key_column: "\"Address\"".into(),
            result_column: "SCORE".into(),
            model_column: String::new(),
            ..TableSettings::default()
        };
        let names = TableNames::parse(&settings).expect("names");
        assert_eq!(
            with_names(
                "SELECT RESULT, MODEL, 'URLS', \"URL\" FROM URL_RESULT -- URL\nWHERE URL = :URL AND URLS = 1\n",
                &names
            ),
            "SELECT SCORE, NULL, 'URLS', \"URL\" FROM SCORES -- URL\nWHERE \"Address\" = :URL AND URLS = 1"
        );
    }

    #[test]
    fn the_default_names_leave_a_file_as_it_is() {
        let names = TableNames::parse(&TableSettings::default()).expect("names");
        let sql = "INSERT INTO URL_RESULT (URL, RESULT, MODEL) VALUES (:1, :2, :3)";
        assert_eq!(with_names(sql, &names), sql);
    }

    #[test]
    fn the_image_table_takes_only_the_owner_over() {
        let settings =
            TableSettings { name: "app.SCORES".into(), model_column: String::new(), ..TableSettings::default() };
        let names = TableNames::parse(&settings).expect("names");
        assert_eq!(
            with_owner("SELECT LABEL, MODEL FROM IMAGE_RESULT\n", &names),
            "SELECT LABEL, MODEL FROM app.IMAGE_RESULT"
        );
    }
    #[test]
    fn the_end_of_a_prefix_passes_over_what_is_no_character() {
        assert_eq!(end_of_prefix("http://a"), Some("http://b".to_owned()));
        assert_eq!(end_of_prefix("a\u{d7ff}"), Some("a\u{e000}".to_owned()));
        assert_eq!(end_of_prefix("a\u{10ffff}\u{10ffff}"), Some("b".to_owned()));
        assert_eq!(end_of_prefix("\u{10ffff}"), None);
        assert_eq!(end_of_prefix(""), None);
    }

    fn text() -> impl Strategy<Value = String> {
        // Few characters, so that prefixes happen, and those where the order could go wrong.
        let character = prop::sample::select(vec!['a', 'b', '\u{7f}', '\u{80}', '\u{d7ff}', '\u{e000}', '\u{10ffff}']);
        prop::collection::vec(character, 0..5).prop_map(String::from_iter)
    }

    proptest! {
        #[test]
        fn the_bounds_of_a_prefix_hold_exactly_what_begins_with_it(prefix in text(), key in text()) {
            let end = end_of_prefix(&prefix);
            let inside = key >= prefix && end.is_none_or(|end| key < end);
            prop_assert_eq!(inside, key.starts_with(&prefix));
        }
    }
}
