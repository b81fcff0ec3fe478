//! What `augur doctor` tries out in a session: rights, character set, a lookup with its plan and price, session limits.

use anyhow::anyhow;
use oracle::Connection;

use super::dictionary::{first, query};
use super::errors::Failure;
use super::{OracleStore, rows, schema};
use crate::domain::Key;
use crate::store::Check;
use crate::store::sql::with_names;

pub(super) const PRIVILEGES: &str = "privileges";
pub(super) const CHARACTER_SET: &str = "character set";
pub(super) const LOOKUP: &str = "lookup";
pub(super) const PLAN: &str = "plan of the lookup";
pub(super) const SESSIONS: &str = "session limits";

/// What the database's own processes, its backups and its people need.
const HEAD_ROOM: u64 = 40;

/// Runs each kind of change on no row: that asks for the right, works through roles, synonyms and views, and reads no
/// view of the dictionary. SELECT was tried before.
pub(super) fn privileges(store: &OracleStore, conn: &mut Connection) -> Vec<Check> {
    let tries = [
        ("INSERT", include_str!("../../../sql/oracle/inspect/can_insert.sql"), true),
        ("UPDATE", include_str!("../../../sql/oracle/inspect/can_update.sql"), false),
        ("DELETE", include_str!("../../../sql/oracle/inspect/can_delete.sql"), false),
    ];
    // Triggers may write something even for no row: it is rolled back.
    conn.set_autocommit(false);
    let mut lacking = Vec::new();
    for (right, sql, essential) in tries {
        if let Err(error) = conn.execute(&with_names(sql, &store.names), &[]) {
            let grant = format!("GRANT {right} ON {} TO {}", store.names.qualified_table(), store.user);
            lacking.push(if essential {
                Check::failed(PRIVILEGES, format!("no {right}, so no prediction can be stored: {grant} ({error})"))
            } else {
                Check::warning(
                    PRIVILEGES,
                    format!("no {right}, so stored results can only be added to: {grant} ({error})"),
                )
            });
        }
    }
    let undone = conn.rollback();
    conn.set_autocommit(true);
    if let Err(error) = undone {
        lacking.push(Check::failed(PRIVILEGES, anyhow!(error).to_string()));
    }
    if lacking.is_empty() {
        lacking.push(Check::ok(PRIVILEGES, "SELECT, INSERT, UPDATE, DELETE"));
    }
    lacking
}

pub(super) fn character_set(conn: &Connection) -> Check {
    let value = first::<String>(conn, include_str!("../../../sql/oracle/inspect/character_set.sql"), &[]);
    match value {
        Ok(Some(name)) if name == "AL32UTF8" => Check::ok(CHARACTER_SET, name),
        Ok(Some(name)) => Check::warning(
            CHARACTER_SET,
            format!(
                "{name}: characters of a URL that it lacks are replaced, and such a URL is predicted anew each time; AL32UTF8 holds all"
            ),
        ),
        Ok(None) => Check::skipped(CHARACTER_SET, "the database does not tell"),
        Err(failure) => skipped(CHARACTER_SET, failure),
    }
}

/// Does a lookup as `serve` does it, and asks what it cost and how it was carried out.
pub(super) fn lookup(store: &OracleStore, conn: &Connection) -> [Check; 2] {
    let any_key = with_names(include_str!("../../../sql/oracle/inspect/any_key.sql"), &store.names);
    let key = match first::<Option<String>>(conn, &any_key, &[]) {
        // An empty table: a miss costs the same.
        Ok(key) => Key::stored(key.flatten().as_deref().unwrap_or("augur doctor")),
        Err(failure) => {
            let reason = failure.message();
            return [Check::failed(LOOKUP, reason.clone()), Check::skipped(PLAN, reason)];
        }
    };
    let find = || rows::find_chunk(store, conn, std::slice::from_ref(&key)).map(|_| ());
    // The first one has to be parsed and described.
    if let Err(failure) = find() {
        let reason = failure.message();
        return [Check::failed(LOOKUP, reason.clone()), Check::skipped(PLAN, reason)];
    }
    let plan = match plan_text(conn) {
        Ok(text) => judge_plan(&text),
        Err(failure) => skipped(PLAN, failure),
    };
    [round_trips(conn, find), plan]
}

fn round_trips(conn: &Connection, find: impl Fn() -> Result<(), Failure>) -> Check {
    let made = || {
        let made = first::<i64>(conn, include_str!("../../../sql/oracle/inspect/round_trips.sql"), &[])?;
        made.ok_or_else(|| Failure::unreadable("no figure"))
    };
    let measure = || {
        // Reading the figure makes trips of its own; the first time more than later.
        made()?;
        let (before, after) = (made()?, made()?);
        find()?;
        Ok::<i64, Failure>((made()? - after) - (after - before))
    };
    match measure() {
        Ok(1) => Check::ok(LOOKUP, "takes 1 round trip"),
        Ok(trips) => Check::warning(
            LOOKUP,
            format!("takes {trips} round trips, not 1: is the result or the model column a LOB or LONG?"),
        ),
        Err(failure) => {
            let Check { about, verdict, text } = skipped(LOOKUP, failure);
            Check { about, verdict, text: format!("works; its round trips {text}") }
        }
    }
}

fn plan_text(conn: &Connection) -> Result<String, Failure> {
    let lines = query::<Option<String>>(conn, include_str!("../../../sql/oracle/inspect/plan.sql"), &[])?;
    Ok(lines.into_iter().flatten().collect::<Vec<_>>().join("\n"))
}

/// Judges the text of DBMS_XPLAN.
fn judge_plan(text: &str) -> Check {
    if !text.contains("Plan hash value") && !text.contains("| Operation") {
        // It tells in words which view it may not read, or that it has lost the statement.
        let reason = text.lines().map(str::trim).rfind(|line| !line.is_empty()).unwrap_or("no plan is told");
        return Check::skipped(PLAN, format!("could not be checked: {reason}"));
    }
    if text.contains("SYS_OP_C2C") {
        return Check::failed(
            PLAN,
            "the key column is converted (SYS_OP_C2C), so that its index is lost: make the key column VARCHAR2",
        );
    }
    if text.contains("INDEX UNIQUE SCAN") {
        return Check::ok(PLAN, "INDEX UNIQUE SCAN, no SYS_OP_C2C");
    }
    if text.contains("TABLE ACCESS FULL") || text.contains("TABLE ACCESS STORAGE FULL") {
        return Check::warning(
            PLAN,
            "every lookup reads the whole table: put a unique key on the key column, or gather the table's statistics",
        );
    }
    Check::warning(PLAN, "no INDEX UNIQUE SCAN: put a unique key on the key column")
}

pub(super) fn sessions(conn: &Connection, pool_size: u32, replicas: u32) -> Check {
    let limits = query::<(String, Option<String>)>(conn, include_str!("../../../sql/oracle/inspect/limits.sql"), &[]);
    let limits = match limits {
        Ok(limits) => limits,
        Err(failure) => return skipped(SESSIONS, failure),
    };
    let limits: Vec<(String, u64)> = limits
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?.parse().ok()?)))
        // 0 stands for no limit of its own, as for `sessions` in a pluggable database.
        .filter(|(_, limit)| *limit > 0)
        .collect();
    // a command such as `rescore` or `doctor` opens a pool of its own
    let wanted = u64::from(pool_size) * (u64::from(replicas) + 1);
    let demand =
        format!("store.oracle.pool_size {pool_size} x ({replicas} replicas + one command) + {HEAD_ROOM} for others");
    let told: Vec<String> = limits.iter().map(|(name, limit)| format!("{name} {limit}")).collect();
    let told = told.join(", ");
    if limits.is_empty() {
        return Check::skipped(SESSIONS, "the database does not tell");
    }
    if limits.iter().any(|(_, limit)| wanted + HEAD_ROOM > *limit) {
        return Check::warning(
            SESSIONS,
            format!("{demand} are more than {told}: lower pool_size, or have a DBA raise processes"),
        );
    }
    Check::ok(SESSIONS, format!("{demand} are within {told}"))
}

fn skipped(about: &'static str, failure: Failure) -> Check {
    schema::skip(about, failure).unwrap_or_else(|failure| Check::failed(about, failure.message()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Verdict;

    /// As DBMS_XPLAN writes it, with an operation and a predicate of the test's choice.
    fn plan(operation: &str, predicate: &str) -> String {
        format!(
            "EXPLAINED SQL STATEMENT:\n------------------------\nSELECT URL FROM URL_RESULT WHERE URL IN (:1)\n\n\
             Plan hash value: 1475438207\n\n| Id  | Operation                   | Name          |\n\
             |   0 | SELECT STATEMENT            |               |\n|*  1 |  {operation} | URL_RESULT_PK |\n\n\
             Predicate Information (identified by operation id):\n\n   1 - {predicate}\n"
        )
    }

    #[test]
    fn a_plan_is_good_only_where_the_unique_index_is_used_as_it_is() {
        let verdict = |text: &str| judge_plan(text).verdict;
        assert_eq!(verdict(&plan("INDEX UNIQUE SCAN", "access(\"URL\"=:1)")), Verdict::Ok);
        assert_eq!(verdict(&plan("INDEX RANGE SCAN", "access(\"URL\"=:1)")), Verdict::Warning);
        let whole = judge_plan(&plan("TABLE ACCESS FULL", "filter(\"URL\"=:1)"));
        assert!(whole.verdict == Verdict::Warning && whole.text.contains("reads the whole table"), "{whole}");
        assert_eq!(verdict(&plan("TABLE ACCESS FULL", "filter(SYS_OP_C2C(\"URL\")=:1)")), Verdict::Failed);
        let silent = judge_plan("User has no SELECT privilege on V$SESSION\n");
        assert_eq!(silent, Check::skipped(PLAN, "could not be checked: User has no SELECT privilege on V$SESSION"));
    }
}
