//! An operator's own query: pairs of a text and a number, from any table of the configured database.

use anyhow::ensure;

/// A row of the query; `None` where one of its columns is NULL, or the text is empty, which Oracle takes for the same.
pub type Pair<'a> = Option<(&'a str, f64)>;

/// The one SELECT that `sql` holds, without what stands behind it.
///
/// # Errors
/// A sentence where it is something else, or more than one statement.
pub(super) fn single_select(sql: &str) -> anyhow::Result<&str> {
    let sql = sql.trim();
    let mut first_word = None;
    let mut end = None;
    let mut goes_on = false;
    let mut at = 0;
    while let Some(first) = sql[at..].chars().next() {
        let rest = &sql[at..];
        let past = |closing: &str, from: usize| rest[from..].find(closing).map(|found| from + found + closing.len());
        let (length, is_blank) = match first {
            '-' if rest.starts_with("--") => (past("\n", 2), true),
            '/' if rest.starts_with("/*") => (past("*/", 2), true),
            '\'' => (past("'", 1), false),
            '"' => (past("\"", 1), false),
            '`' => (past("`", 1), false),
            c if c.is_alphanumeric() || c == '_' => {
                (rest.find(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '$' | '#'))), false)
            }
            c => (Some(c.len_utf8()), c.is_whitespace() || c == ';'),
        };
        let length = length.unwrap_or(rest.len());
        if first == ';' {
            end.get_or_insert(at);
        } else if !is_blank {
            goes_on |= end.is_some();
            first_word.get_or_insert(&rest[..length]);
        }
        at += length;
    }
    let is_select = |word: &str| ["select", "with"].iter().any(|known| word.eq_ignore_ascii_case(known));
    ensure!(
        first_word.is_some_and(is_select),
        "it must be a SELECT (or WITH ... SELECT) of two columns, a text and a number, such as select url, result from url_result"
    );
    ensure!(!goes_on, "it must be a single statement; nothing may stand behind the semicolon");
    Ok(&sql[..end.unwrap_or(sql.len())])
}

/// Checks the number of columns of a query.
pub(super) fn two_columns(count: usize) -> anyhow::Result<()> {
    ensure!(count == 2, "it gives {count} columns; select exactly two, a text and a number");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn one_select_is_taken_without_its_semicolon() {
        for (sql, taken) in [
            (" select a, b from t ; \n-- the end; really", "select a, b from t "),
            (
                "/* a; b */ WITH x AS (SELECT 1) SELECT ';', 2 FROM x",
                "/* a; b */ WITH x AS (SELECT 1) SELECT ';', 2 FROM x",
            ),
            ("select ';''' || \"a;b\", 1 from t -- ;", "select ';''' || \"a;b\", 1 from t -- ;"),
        ] {
            assert_eq!(single_select(sql).expect("a SELECT"), taken);
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for sql in [
            "",
            ";",
            "-- select",
            "delete from t",
            "selected",
            "pragma x",
            "; drop table t",
            "'select'",
            "explain select 1, 2",
        ] {
            let refusal = single_select(sql).expect_err("no SELECT").to_string();
            assert!(refusal.starts_with("it must be a SELECT (or WITH"), "{sql}: {refusal}");
        }
        for sql in ["select 1, 2; delete from t", "select 1, 2;;x", "; select 1, 2", "select '--', 2; drop table t"] {
            let refusal = single_select(sql).expect_err("two statements").to_string();
            assert!(refusal.starts_with("it must be a single statement"), "{sql}: {refusal}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_taken_or_refused(text in ".*", tail in "[;'\"`/*\\-\n a-z]*") {
            let _ = single_select(&text);
            if let Ok(taken) = single_select(&format!("select {tail}")) {
                prop_assert!(taken.starts_with("select"));
            }
        }
    }
}
