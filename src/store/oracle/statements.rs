//! The SQL texts for Oracle, constant per store so that the driver's statement cache always hits.

use crate::store::names::TableNames;
use crate::store::sql::{ddl_with_names, with_names, with_owner, without_upper_bound};

/// Lengths of the IN-list: few, so that few statements are parsed and cached; keys in between repeat the last one.
/// More keys than the last take several round trips.
pub(super) const LIST_LENGTHS: [usize; 5] = [1, 8, 16, 32, 64];

/// The SQL texts with the configured names.
pub(super) struct Statements {
    pub(super) create: String,
    /// By [`LIST_LENGTHS`].
    find: [String; LIST_LENGTHS.len()],
    /// The same, and the rows are locked until the transaction ends.
    find_locked: [String; LIST_LENGTHS.len()],
    pub(super) row: String,
    /// The same, and the row is locked until the transaction ends.
    pub(super) lock: String,
    pub(super) insert: String,
    pub(super) put: String,
    pub(super) delete: String,
    pub(super) page: String,
    /// Without an upper bound.
    pub(super) page_to_end: String,
    pub(super) ping: String,
    pub(super) has_model: bool,
    pub(super) has_created: bool,
    /// The key column as ORA-12899 names it.
    pub(super) key_column: String,
}

impl Statements {
    pub(super) fn new(names: &TableNames) -> Self {
        let sql = |text: &str| with_names(text, names);
        let find = sql(include_str!("../../../sql/oracle/find.sql"));
        let row = sql(include_str!("../../../sql/oracle/row.sql"));
        let has_model = names.model.is_some();
        Self {
            create: ddl(names),
            find: LIST_LENGTHS.map(|length| with_list(&find, length)),
            find_locked: LIST_LENGTHS.map(|length| locked(&with_list(&find, length))),
            lock: locked(&row),
            row,
            insert: sql(if has_model {
                include_str!("../../../sql/oracle/insert.sql")
            } else {
                include_str!("../../../sql/oracle/insert_plain.sql")
            }),
            put: sql(if has_model {
                include_str!("../../../sql/oracle/put.sql")
            } else {
                include_str!("../../../sql/oracle/put_plain.sql")
            }),
            delete: sql(include_str!("../../../sql/oracle/delete.sql")),
            page: sql(include_str!("../../../sql/oracle/page.sql")),
            page_to_end: sql(&without_upper_bound(include_str!("../../../sql/oracle/page.sql"))),
            ping: sql(include_str!("../../../sql/oracle/ping.sql")),
            has_model,
            has_created: names.created.is_some(),
            key_column: names.key.dictionary_name(),
        }
    }

    /// Those of the image table.
    pub(super) fn of_images(names: &TableNames) -> Self {
        let sql = |text: &str| with_owner(text, names);
        let find = sql(include_str!("../../../sql/oracle/image_find.sql"));
        let row = sql(include_str!("../../../sql/oracle/image_row.sql"));
        Self {
            create: image_ddl(names),
            find: LIST_LENGTHS.map(|length| with_list(&find, length)),
            find_locked: LIST_LENGTHS.map(|length| locked(&with_list(&find, length))),
            lock: locked(&row),
            row,
            insert: sql(include_str!("../../../sql/oracle/image_insert.sql")),
            put: sql(include_str!("../../../sql/oracle/image_put.sql")),
            delete: sql(include_str!("../../../sql/oracle/image_delete.sql")),
            page: sql(include_str!("../../../sql/oracle/image_page.sql")),
            page_to_end: sql(&without_upper_bound(include_str!("../../../sql/oracle/image_page.sql"))),
            ping: sql(include_str!("../../../sql/oracle/image_ping.sql")),
            has_model: true,
            has_created: true,
            key_column: "IMAGE_SHA256".to_owned(),
        }
    }

    /// The lookup of up to the largest list length of keys, with how many binds it takes.
    pub(super) fn find(&self, keys: usize) -> (&str, usize) {
        let at = place_of(keys);
        (&self.find[at], LIST_LENGTHS[at])
    }

    /// The same that locks the rows.
    pub(super) fn find_locked(&self, keys: usize) -> (&str, usize) {
        let at = place_of(keys);
        (&self.find_locked[at], LIST_LENGTHS[at])
    }
}

/// The DDL that makes the table, with the configured names.
pub(in crate::store) fn ddl(names: &TableNames) -> String {
    ddl_with_names(include_str!("../../../sql/oracle/create.sql"), names)
}

/// The DDL that makes the image table.
pub(in crate::store) fn image_ddl(names: &TableNames) -> String {
    with_owner(include_str!("../../../sql/oracle/image_create.sql"), names)
}

/// The place of the shortest list that holds this many keys.
fn place_of(keys: usize) -> usize {
    LIST_LENGTHS.iter().position(|&length| length >= keys).unwrap_or(LIST_LENGTHS.len() - 1)
}

fn locked(select: &str) -> String {
    format!("{select}\nFOR UPDATE")
}

fn with_list(find: &str, length: usize) -> String {
    let binds: Vec<String> = (1..=length).map(|at| format!(":{at}")).collect();
    find.replace("(:1)", &format!("({})", binds.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::TableSettings;

    #[test]
    fn a_page_of_a_table_with_two_columns_has_four_of_different_names() {
        let plain = TableSettings { model_column: "".into(), created_column: "".into(), ..TableSettings::default() };
        let page = Statements::new(&TableNames::parse(&plain).expect("names")).page;
        assert!(page.contains("NULL AS ROW_MODEL") && page.contains("NULL AS ROW_CREATED"), "{page}");
    }

    #[test]
    fn lists_grow_in_fixed_steps() {
        let statements = Statements::new(&TableNames::parse(&TableSettings::default()).expect("names"));
        assert_eq!(statements.find(1).1, 1);
        assert_eq!(statements.find(2).1, 8);
        assert_eq!(statements.find(64).1, 64);
        assert!(statements.find(2).0.ends_with("WHERE URL IN (:1, :2, :3, :4, :5, :6, :7, :8)"));
    }
}
