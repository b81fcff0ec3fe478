//! The SQL texts of a table.

use crate::store::names::TableNames;
use crate::store::sql::{ddl_with_names, with_names, with_owner, without_upper_bound};

/// The SQL texts with the configured names.
pub(super) struct Statements {
    pub(super) create: String,
    pub(super) find: String,
    pub(super) row: String,
    pub(super) insert: String,
    pub(super) put: String,
    pub(super) delete: String,
    pub(super) page: String,
    /// Without an upper bound.
    pub(super) page_to_end: String,
    pub(super) ping: String,
    pub(super) has_model: bool,
}

impl Statements {
    pub(super) fn new(names: &TableNames) -> Self {
        let sql = |text: &str| with_names(text, names);
        let has_model = names.model.is_some();
        Self {
            create: ddl(names),
            find: sql(include_str!("../../../sql/sqlite/find.sql")),
            row: sql(include_str!("../../../sql/sqlite/row.sql")),
            insert: sql(if has_model {
                include_str!("../../../sql/sqlite/insert.sql")
            } else {
                include_str!("../../../sql/sqlite/insert_plain.sql")
            }),
            put: sql(if has_model {
                include_str!("../../../sql/sqlite/put.sql")
            } else {
                include_str!("../../../sql/sqlite/put_plain.sql")
            }),
            delete: sql(include_str!("../../../sql/sqlite/delete.sql")),
            page: sql(include_str!("../../../sql/sqlite/page.sql")),
            page_to_end: sql(&without_upper_bound(include_str!("../../../sql/sqlite/page.sql"))),
            ping: sql(include_str!("../../../sql/sqlite/ping.sql")),
            has_model,
        }
    }

    /// Those of the image table.
    pub(super) fn of_images(names: &TableNames) -> Self {
        let sql = |text: &str| with_owner(text, names);
        Self {
            create: image_ddl(names),
            find: sql(include_str!("../../../sql/sqlite/image_find.sql")),
            row: sql(include_str!("../../../sql/sqlite/image_row.sql")),
            insert: sql(include_str!("../../../sql/sqlite/image_insert.sql")),
            put: sql(include_str!("../../../sql/sqlite/image_put.sql")),
            delete: sql(include_str!("../../../sql/sqlite/image_delete.sql")),
            page: sql(include_str!("../../../sql/sqlite/image_page.sql")),
            page_to_end: sql(&without_upper_bound(include_str!("../../../sql/sqlite/image_page.sql"))),
            ping: sql(include_str!("../../../sql/sqlite/image_ping.sql")),
            has_model: true,
        }
    }
}

/// The DDL that makes the table, with the configured names.
pub(in crate::store) fn ddl(names: &TableNames) -> String {
    ddl_with_names(include_str!("../../../sql/sqlite/create.sql"), names)
}

/// The DDL that makes the image table.
pub(in crate::store) fn image_ddl(names: &TableNames) -> String {
    with_owner(include_str!("../../../sql/sqlite/image_create.sql"), names)
}
