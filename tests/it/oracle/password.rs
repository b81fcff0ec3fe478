//! A refused password: tried once, so that the account is not locked, and again when the operator has acted.

use oci_standin::{FailOn, USER};

use super::load::{assert_refused_within, under_load};
use super::{Server, TABLE, assert_unavailable, millis, start, wait_until};
use crate::standin::Database;

impl Server {
    /// Writes the file that `store.oracle.password_file` names, as a secret store does: in one step.
    fn write_password(&self, password: &str) {
        let folder = self.database.folder.path();
        std::fs::write(folder.join("password.new"), password).unwrap();
        std::fs::rename(folder.join("password.new"), folder.join("password")).unwrap();
    }

    fn logon_attempts(&self) -> u64 {
        self.database.standin.counters().logon_attempts
    }

    /// Waits for the one attempt that is refused.
    fn refused(self, ora: &str) -> Self {
        assert!(self.app.wait_for_log("ALARM: no further logon").contains(ora), "{}", self.app.log());
        self
    }
}

/// A server whose database has another password than its password file.
fn with_a_wrong_password(more: &[&str]) -> Server {
    let database = Database::fresh();
    database.execute(TABLE);
    database.standin.set_account(USER, "another").unwrap();
    Server::on(database, more).refused("ORA-01017")
}

#[test]
fn a_wrong_password_under_load_costs_one_logon_in_all() {
    let server = with_a_wrong_password(&[]);
    let seen = under_load(&server.app, 16, |load| {
        load.wait_for(100);
        std::thread::sleep(millis(4000));
        assert_eq!(server.app.get("/health/live").status, 200);
        assert_eq!(server.app.get("/health/ready").status, 503);
    });
    // Nobody waits for a session that cannot come.
    assert_refused_within(&seen, millis(1000));
    assert_eq!(server.logon_attempts(), 1);
    assert_eq!(server.lines("ALARM"), 1, "{}", server.app.log());
}

#[test]
fn a_new_password_file_ends_the_wait_and_another_wrong_one_costs_one_more_logon() {
    let server = with_a_wrong_password(&[]);
    server.write_password("wrong as well");
    wait_until("a second attempt", || server.logon_attempts() == 2);
    assert_unavailable(&server.app.ask("http://example.com/"), "store-unavailable");
    std::thread::sleep(millis(1500));
    assert_eq!(server.logon_attempts(), 2);
    server.write_password("another\n");
    wait_until("a good answer", || server.app.ask("http://example.com/").status == 200);
    let server = server.settled(4);
    assert_eq!(server.logon_attempts(), 2 + 4);
    wait_until("readiness", || server.app.get("/health/ready").status == 200);
}

#[test]
fn sighup_lets_one_more_logon_through() {
    let database = Database::fresh();
    database.execute(TABLE);
    database.standin.set_account_locked(true);
    let server = Server::on(database, &[]).refused("ORA-28000");
    server.app.signal("HUP");
    wait_until("a second attempt", || server.logon_attempts() == 2);
    std::thread::sleep(millis(1500));
    assert_eq!(server.logon_attempts(), 2);
    assert_unavailable(&server.app.ask("http://example.com/"), "store-unavailable");
    server.database.standin.set_account_locked(false);
    server.app.signal("HUP");
    wait_until("a good answer", || server.app.ask("http://example.com/").status == 200);
}

#[test]
fn an_expired_password_stops_the_logons_too() {
    let database = Database::fresh();
    database.execute(TABLE);
    database.standin.fail_next(1, 28001, FailOn::Logon);
    let server = Server::on(database, &[]).refused("ORA-28001");
    // The next logon would be let in, but is not tried.
    std::thread::sleep(millis(1500));
    assert_eq!(server.logon_attempts(), 1);
}

#[test]
fn a_refused_password_does_not_stop_the_start_even_where_the_store_is_required() {
    let server = with_a_wrong_password(&["store.require_at_start=true"]);
    assert_eq!(server.app.get("/health/live").status, 200);
    assert_unavailable(&server.app.ask("http://example.com/"), "store-unavailable");
    assert_eq!(server.logon_attempts(), 1);
}

#[test]
fn sessions_from_before_the_password_was_changed_go_on_serving() {
    let server = Server::start(&["store.oracle.pool_size=2"]).settled(2);
    server.database.standin.set_account(USER, "another").unwrap();
    server.database.standin.fail_next(1, 28, FailOn::Select);
    assert_eq!(server.app.ask("http://example.com/").status, 200, "retried on the other session");
    let server = server.refused("ORA-01017");
    for n in 0..20 {
        assert_eq!(server.app.ask(&format!("http://example.com/{n}")).status, 200, "{}", server.app.log());
    }
    assert_eq!(server.logon_attempts(), 2 + 1);
}

#[test]
fn a_password_file_that_is_missing_stops_the_start_and_is_named() {
    let database = Database::fresh();
    let settings = database.settings();
    std::fs::remove_file(database.folder.path().join("password")).unwrap();
    let mut command = crate::app::augur();
    command.args(["serve", "--set", "server.listen=[\"127.0.0.1:0\"]"]);
    settings.iter().for_each(|setting| {
        command.args(["--set", setting]);
    });
    let done = command.output().unwrap();
    let text = String::from_utf8(done.stderr).unwrap();
    assert_eq!(done.status.code(), Some(1));
    assert!(text.contains("cannot read store.oracle.password_file"), "{text}");
}

#[test]
fn replicas_do_not_lock_the_account_either() {
    let database = Database::fresh();
    database.execute(TABLE);
    database.standin.set_account(USER, "another").unwrap();
    let apps: Vec<_> = (0..3).map(|_| start(&database, &[])).collect();
    for app in &apps {
        app.wait_for_log("ALARM: no further logon");
        assert_eq!(app.ask("http://example.com/").status, 503);
    }
    assert_eq!(database.standin.counters().logon_attempts, 3);
}

#[test]
fn that_the_password_will_expire_is_told_and_keeps_nobody_out() {
    let database = Database::fresh();
    database.execute(TABLE);
    database.standin.set_password_expires(true);
    let server = Server::on(database, &[]);
    assert!(server.app.wait_for_log("logged on with a warning").contains("ORA-28002"));
    assert_eq!(server.app.ask("http://example.com/").status, 200);
}
