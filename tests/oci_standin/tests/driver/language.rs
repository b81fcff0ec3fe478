//! The dialect: what statements mean, and what is refused.

use oracle::Connection;

use super::{Database, KEY, insert, ora};

fn keys(connection: &Connection, sql: &str) -> Vec<String> {
    let rows = connection.query_as::<String>(sql, &[]).unwrap();
    rows.map(|row| row.unwrap()).collect()
}

#[test]
fn names_and_syntax_are_checked_by_their_numbers() {
    let database = Database::with_table();
    let connection = database.connect();
    let code = |sql: &str| ora(connection.execute(sql, &[]));
    assert_eq!(code("insert into nothing values (1)"), 942);
    assert_eq!(code("insert into other.url_result (url) values ('x')"), 942);
    assert_eq!(code("update url_result set nothing = 1"), 904);
    assert_eq!(code("delete from url_result where nothing = 1"), 904);
    assert_eq!(code(super::CREATE), 955);
    assert_eq!(code("create table t (a nonsense)"), 902);
    assert_eq!(code("create index i on url_result (url)"), 1408);
    assert_eq!(code("alter table url_result add (model varchar2(10))"), 1430);
    assert_eq!(code("drop table nothing purge"), 942);
    assert_eq!(code("delete from url_result;"), 911);
    assert_eq!(code("truncate table url_result"), 900);
    assert_eq!(code("insert into url_result (url, model) values ('x')"), 947);
    assert_eq!(code("insert into url_result (url) values ('x"), 1756);
}

#[test]
fn a_unique_key_is_named_when_it_is_violated() {
    let database = Database::with_table();
    let connection = database.connect();
    insert(&connection, "x", 1.0).unwrap();
    let error = insert(&connection, "x", 2.0).unwrap_err();
    let text = "ORA-00001: unique constraint (AUGUR.URL_RESULT_PK) violated";
    assert_eq!(error.to_string(), format!("OCI Error: {text}"));
    connection.execute("create unique index models on url_result (model, result)", &[]).unwrap();
    let other = "insert into url_result (url, model, result) values (:1, 'm', 1)";
    connection.execute(other, &[&"y"]).unwrap();
    let error = connection.execute(other, &[&"z"]).unwrap_err();
    assert!(error.to_string().contains("(AUGUR.MODELS)"), "{error}");
    let ignoring = "insert /*+ ignore_row_on_dupkey_index(url_result (url)) */ into url_result (url) values ('x')";
    assert_eq!(connection.execute(ignoring, &[]).unwrap().row_count().unwrap(), 0);
}

#[test]
fn rows_are_limited_as_in_every_version() {
    let database = Database::with_table();
    let connection = database.connect();
    for url in ["c", "a", "b"] {
        insert(&connection, url, 1.0).unwrap();
    }
    let old = "select * from (select url from url_result order by url) where rownum <= 2";
    assert_eq!(keys(&connection, old), ["a", "b"]);
    let one = "select url from url_result where url > 'b' and rownum = 1";
    assert_eq!(keys(&connection, one), ["c"]);
    let new = "select url from augur.url_result r where r.url > 'a' order by url fetch first 1 rows only";
    assert_eq!(keys(&connection, new), ["b"]);
    let paged = "select url from url_result order by url offset 1 rows fetch next 5 rows only";
    assert_eq!(keys(&connection, paged), ["b", "c"]);
    let bound = "select * from (select url from url_result order by url) where rownum <= :n";
    let rows: Vec<_> = connection.query_as::<String>(bound, &[&1]).unwrap().collect();
    assert_eq!(rows.len(), 1);
}

#[test]
fn an_in_list_may_repeat_keys_and_hold_nulls() {
    let database = Database::with_table();
    let connection = database.connect();
    insert(&connection, "a", 1.0).unwrap();
    insert(&connection, "50%", 2.0).unwrap();
    let sql = "select /*+ index(t) */ url from url_result t where url in (:1, :2, :3, :4) order by url";
    let none: Option<&str> = None;
    let rows =
        connection.query_as::<String>(sql, &[&(&"a", &KEY), &(&"a", &KEY), &(&none, &KEY), &(&"50%", &KEY)]).unwrap();
    assert_eq!(rows.map(|row| row.unwrap()).collect::<Vec<_>>(), ["50%", "a"]);
    let like = "select url from url_result where url like '50\\%%' escape '\\' and not url like 'A%'";
    assert_eq!(keys(&connection, like), ["50%"]);
}

#[test]
fn quoted_names_keep_their_case() {
    let database = Database::new();
    let connection = database.connect();
    connection
        .execute(
            "create table \"Old\" (\"url\" varchar2(9) primary key, url varchar2(9), \"Key\" number default 7)",
            &[],
        )
        .unwrap();
    connection.execute("insert into \"Old\" (\"url\", url) values ('lower', 'upper')", &[]).unwrap();
    let mut statement = connection.statement("select * from \"Old\"").build().unwrap();
    let row = statement.query_row(&[]).unwrap();
    let names: Vec<_> = row.column_info().iter().map(|column| column.name()).collect();
    assert_eq!(names, ["url", "URL", "Key"]);
    assert_eq!(row.get_as::<(String, String, i32)>().unwrap(), ("lower".into(), "upper".into(), 7));
    assert_eq!(ora(connection.execute("delete from old", &[])), 942);
}

#[test]
fn a_merge_updates_or_inserts() {
    let database = Database::with_table();
    let connection = database.connect();
    let merge = "merge into url_result t using (select :url url, :result result from dual) s on (t.url = s.url)
        when matched then update set t.result = s.result, t.model = 'new'
        when not matched then insert (url, result) values (s.url, s.result)";
    for result in [1.0, 2.0] {
        let done = connection.execute_named(merge, &[("url", &"x"), ("result", &result)]);
        assert_eq!(done.unwrap().row_count().unwrap(), 1);
    }
    let found: (f64, String) = connection.query_row_as("select result, model from url_result", &[]).unwrap();
    assert_eq!(found, (2.0, "new".to_owned()));
    let update = "update url_result set result = result + 1, created_at = default where url = :1";
    assert_eq!(connection.execute(update, &[&"x"]).unwrap().row_count().unwrap(), 1);
    insert(&connection, "y", 1.0).unwrap();
    let clash = "update url_result set url = 'z'";
    assert_eq!(ora(connection.execute(clash, &[])), 1);
    let untouched = "select url from url_result order by url";
    assert_eq!(keys(&connection, untouched), ["x", "y"]);
    let error = connection.execute("update url_result set url = null", &[]);
    assert_eq!(ora(error), 1400);
}

#[test]
fn scripts_may_run_twice() {
    let database = Database::new();
    let connection = database.connect();
    let script = "begin
            begin execute immediate 'create table t (a number, b varchar2(9) default ''x'')';
            exception when others then if sqlcode != -955 then raise; end if; end;
            begin execute immediate 'alter table t add (c number(3) default 5 not null)';
            exception when others then if sqlcode not in (-1430, -955) then raise; end if; end;
            execute immediate 'alter session set nls_sort = binary';
        end;";
    connection.execute(script, &[]).unwrap();
    connection.execute("insert into t (a) values (1)", &[]).unwrap();
    connection.execute(script, &[]).unwrap();
    let found: (String, i32) = connection.query_row_as("select b, c from t", &[]).unwrap();
    assert_eq!(found, ("x".to_owned(), 5));
    let careless = "begin execute immediate 'create table t (a number)'; end;";
    assert_eq!(ora(connection.execute(careless, &[])), 955);
}

#[test]
fn the_dictionary_tells_of_tables() {
    let database = Database::with_table();
    let connection = database.connect();
    let column = "select column_name, data_type, data_length, char_length, char_used, nullable, data_default
        from user_tab_columns where table_name = :1 order by column_id";
    type Column = (String, String, i64, i64, Option<String>, String, Option<String>);
    let columns: Vec<Column> =
        connection.query_as::<Column>(column, &[&"URL_RESULT"]).unwrap().map(|row| row.unwrap()).collect();
    let some = |text: &str| Some(text.to_owned());
    assert_eq!(columns.len(), 4);
    assert_eq!(columns[0], ("URL".into(), "VARCHAR2".into(), 40, 40, some("B"), "N".into(), None));
    assert_eq!(columns[2].4, some("C"));
    assert_eq!(columns[3].6, some("SYS_EXTRACT_UTC(SYSTIMESTAMP)"));
    let key = "select c.constraint_type, i.uniqueness, k.column_name from user_constraints c
        join user_indexes i on i.index_name = c.index_name
        join user_ind_columns k on k.index_name = i.index_name where c.table_name = 'URL_RESULT'";
    let key: (String, String, String) = connection.query_row_as(key, &[]).unwrap();
    assert_eq!(key, ("P".into(), "UNIQUE".into(), "URL".into()));
    for view in ["session_privs", "user_tab_privs", "v$parameter", "v$version", "all_synonyms", "v$resource_limit"] {
        connection.query(&format!("select * from {view}"), &[]).unwrap();
    }
    let charset = "select value from nls_database_parameters where parameter = 'NLS_CHARACTERSET'";
    assert_eq!(keys(&connection, charset), ["AL32UTF8"]);
    let schema = "select sys_context('USERENV', 'CURRENT_SCHEMA'), user, 1 from dual";
    let schema: (String, String, i32) = connection.query_row_as(schema, &[]).unwrap();
    assert_eq!(schema, ("AUGUR".into(), "AUGUR".into(), 1));
}
