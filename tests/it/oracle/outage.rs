//! The database restarts, is down, hangs, or is not there yet.

use std::process::Stdio;
use std::time::{Duration, Instant};

use oci_standin::Hang;

use super::load::{assert_refused_within, under_load};
use super::{STORED, Server, TABLE, assert_unavailable, cache_status, millis, wait_until};
use crate::app::{PATIENCE, augur};
use crate::standin::Database;

/// What a busy test machine may add to any wait.
const SLACK: Duration = Duration::from_millis(1000);

#[test]
fn a_restart_under_load_fails_no_request() {
    let server = Server::start(&[]).settled(4);
    let seen = under_load(&server.app, 16, |load| {
        load.wait_for(100);
        for round in 0..6 {
            // Every second time the lines stay open, and only the next call finds out.
            match round % 2 {
                0 => server.database.standin.restart(),
                _ => server.database.standin.restart_unnoticed(),
            }
            load.wait_for(200);
            // The next round has four sessions to end, too.
            let replaced = 4 * (round + 2);
            wait_until("new sessions", || server.database.standin.counters().logons >= replaced);
            // A request is repeated once: one that meets two restarts fails.
            load.wait_for_those_asked();
        }
    });
    let failed: Vec<_> = seen.iter().filter(|answer| answer.status != 200).collect();
    assert!(failed.is_empty(), "{failed:?}\n{}", server.app.log());
    let cost = server.database.standin.counters();
    assert!(cost.logons >= 4 + 6 * 4, "every restart ends all sessions: {cost:?}");
}

#[test]
fn a_pool_of_one_gives_its_dead_connection_up_before_it_asks_for_another() {
    let server = Server::start(&["store.oracle.pool_size=1"]).settled(1);
    for _ in 0..3 {
        server.database.standin.restart_unnoticed();
        assert_eq!(server.app.ask("http://example.com/").status, 200, "{}", server.app.log());
    }
}

#[test]
fn readiness_is_not_lost_while_the_lanes_hold_every_session() {
    let server = Server::start(&["store.oracle.pool_size=1", "store.oracle.acquire_timeout_ms=300"]).settled(1);
    server.database.standin.set_round_trip(millis(20));
    let seen = under_load(&server.app, 32, |load| {
        for _ in 0..5 {
            load.wait_for(50);
            assert_eq!(server.app.get("/health/ready").status, 200, "{}", server.app.log());
        }
    });
    assert!(seen.iter().all(|answer| answer.status == 200), "{}", server.app.log());
}

#[test]
fn an_outage_under_load_is_503_in_time_with_few_logons_and_ends_by_itself() {
    let server = Server::start(&["store.oracle.acquire_timeout_ms=500"]).settled(4);
    let standin = &server.database.standin;
    let (mut down, mut up) = (Instant::now(), Instant::now());
    let seen = under_load(&server.app, 16, |load| {
        load.wait_for(100);
        standin.reset_counters();
        standin.set_down(true);
        down = Instant::now();
        std::thread::sleep(millis(3000));
        let attempts = standin.counters().logon_attempts;
        let allowed = 2 * down.elapsed().as_secs() + 2;
        assert!((1..=allowed).contains(&attempts), "{attempts} logons, {allowed} allowed");
        assert_eq!(server.app.get("/health/live").status, 200);
        assert_eq!(server.app.get("/health/ready").status, 503);
        standin.set_down(false);
        up = Instant::now();
        std::thread::sleep(millis(2000) + SLACK);
        load.wait_for(100);
    });
    let during: Vec<_> = seen
        .iter()
        .filter(|answer| answer.asked > down + millis(500) && answer.asked + answer.took < up)
        .cloned()
        .collect();
    assert_refused_within(&during, millis(500) + SLACK);
    let recovered: Vec<_> = seen.iter().filter(|answer| answer.asked > up + millis(2000)).collect();
    assert!(recovered.len() >= 100 && recovered.iter().all(|answer| answer.status == 200), "{}", server.app.log());
    assert_eq!(server.lines("cannot log on to Oracle"), 1, "{}", server.app.log());
}

#[test]
fn a_start_with_the_database_down_serves_503_and_recovers_by_itself() {
    let database = Database::fresh();
    database.execute(TABLE);
    database.standin.set_down(true);
    let server = Server::on(database, &["store.oracle.acquire_timeout_ms=200"]);
    assert_unavailable(&server.app.ask("http://example.com/"), "store-unavailable");
    assert_eq!(server.app.get("/health/live").status, 200);
    assert_eq!(server.app.get("/health/ready").status, 503);
    assert!(server.app.wait_for_log("cannot log on to Oracle").contains("ORA-12541"));
    server.database.standin.set_down(false);
    wait_until("the first good answer", || server.app.ask("http://example.com/").status == 200);
    wait_until("readiness", || server.app.get("/health/ready").status == 200);
}

/// Starts a server that must not start and gives what it says.
fn refusal(database: &Database) -> String {
    let mut command = augur();
    command.args(["serve", "--set", "server.listen=[\"127.0.0.1:0\"]", "--set", "store.require_at_start=true"]);
    for setting in database.settings() {
        command.args(["--set", &setting]);
    }
    let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
    let end = Instant::now() + PATIENCE;
    while child.try_wait().unwrap().is_none() {
        if Instant::now() > end {
            child.kill().unwrap();
        }
        std::thread::sleep(millis(20));
    }
    let done = child.wait_with_output().unwrap();
    let text = String::from_utf8(done.stderr).unwrap();
    assert_eq!(done.status.code(), Some(1), "{text}");
    text.lines().find(|line| line.starts_with("augur: ")).unwrap_or_else(|| panic!("{text}")).to_owned()
}

#[test]
fn an_unreachable_database_stops_the_start_where_it_is_required() {
    let database = Database::fresh();
    database.standin.set_down(true);
    let reason = refusal(&database);
    assert!(reason.contains("store.require_at_start") && reason.contains("ORA-12541"), "{reason}");
}

#[test]
fn a_missing_table_stops_the_start_where_it_is_required() {
    let reason = refusal(&Database::fresh());
    assert!(reason.contains("store.require_at_start") && reason.contains("run `augur schema apply`"), "{reason}");
}

#[test]
fn a_call_that_hangs_is_given_up_within_twice_its_time_limit() {
    for hang in [Hang::Busy, Hang::Silent] {
        // The request's own time limit is far away: it is the store that gives up.
        let server = Server::start(&["store.oracle.call_timeout_ms=400", "server.request_timeout_ms=30000"]).settled(4);
        server.database.standin.set_hang(hang);
        let asked = Instant::now();
        assert_unavailable(&server.app.ask("http://example.com/"), "deadline");
        assert!(asked.elapsed() < millis(800) + SLACK, "{hang:?}: {:?}", asked.elapsed());
        server.database.standin.set_hang(Hang::No);
        wait_until("a good answer", || server.app.ask("http://example.com/").status == 200);
    }
}

#[test]
fn while_a_database_keeps_silent_every_request_is_given_up_in_time_and_not_only_the_first() {
    // The request's own time limit is far away: it is the store that gives up.
    let server = Server::start(&[
        "store.oracle.pool_size=4",
        "store.oracle.call_timeout_ms=500",
        "store.oracle.acquire_timeout_ms=500",
        "server.request_timeout_ms=30000",
    ])
    .settled(4);
    server.database.standin.set_hang(Hang::Silent);
    for n in 0..5 {
        let asked = Instant::now();
        let answer = server.app.ask("http://example.com/");
        assert_eq!(answer.status, 503);
        assert!(asked.elapsed() < millis(1000) + SLACK, "{n}: {:?}", asked.elapsed());
    }
    server.database.standin.set_hang(Hang::No);
    wait_until("a good answer", || server.app.ask("http://example.com/").status == 200);
    assert_eq!(server.database.standin.counters().pings, 0);
}

#[test]
fn a_database_that_hangs_under_load_blocks_neither_the_workers_nor_the_lanes_for_good() {
    for hang in [Hang::Busy, Hang::Silent] {
        // The request's own time limit is far away: it is the store that gives up.
        let server = Server::start(&[
            "store.oracle.call_timeout_ms=500",
            "store.oracle.acquire_timeout_ms=500",
            "server.request_timeout_ms=30000",
        ])
        .settled(4);
        let (mut hung, mut released) = (Instant::now(), Instant::now());
        let seen = under_load(&server.app, 16, |load| {
            load.wait_for(50);
            server.database.standin.set_hang(hang);
            hung = Instant::now();
            while hung.elapsed() < millis(4000) {
                let asked = Instant::now();
                assert_eq!(server.app.get("/health/live").status, 200);
                assert!(asked.elapsed() < SLACK, "live took {:?}", asked.elapsed());
                std::thread::sleep(millis(50));
            }
            assert_eq!(server.app.get("/health/ready").status, 503);
            server.database.standin.set_hang(Hang::No);
            released = Instant::now();
            std::thread::sleep(millis(2000) + SLACK);
            load.wait_for(50);
        });
        let during: Vec<_> = seen
            .iter()
            .filter(|answer| answer.asked > hung && answer.asked + answer.took < released)
            .cloned()
            .collect();
        // Twice the call timeout for the batch that a request waits behind, and as much for its own.
        assert_refused_within(&during, millis(2000) + SLACK);
        let after: Vec<_> = seen.iter().filter(|answer| answer.asked > released + millis(2000)).collect();
        assert!(after.len() >= 50 && after.iter().all(|answer| answer.status == 200), "{}", server.app.log());
    }
}

#[test]
fn requests_that_timed_out_in_the_queue_leave_no_work_behind() {
    let server = Server::start(&["store.oracle.pool_size=1", "server.request_timeout_ms=300"]).settled(1);
    server.database.standin.set_hang(Hang::Busy);
    let round_trips = || server.database.standin.counters().round_trips;
    let before = round_trips();
    std::thread::scope(|scope| {
        let ask = |path: String| {
            let app = &server.app;
            scope.spawn(move || assert_unavailable(&app.ask(&format!("http://example.com/{path}")), "deadline"));
        };
        ask("first".to_owned());
        // From here on the one lane hangs, and what comes waits in the queue.
        wait_until("the lane's call", || round_trips() > before);
        (0..20).for_each(|n| ask(format!("queued{n}")));
    });
    server.database.standin.set_hang(Hang::No);
    wait_until("the lane is free", || server.app.ask("http://example.com/last").status == 200);
    // The lane had taken one batch before it hung, of the first key; the others were let go.
    assert_eq!(server.database.count("SELECT COUNT(*) FROM URL_RESULT WHERE URL LIKE '%/queued%'"), 0);
    assert_eq!(cache_status(&server.app.ask("http://example.com/new")), STORED);
}

#[test]
fn an_idle_server_whose_database_keeps_silent_comes_to_its_end() {
    // Each goodbye waits for its answer for twice as long: all of them together for longer than the end of a server may take.
    let mut server = Server::start(&["store.oracle.call_timeout_ms=30000"]).settled(4);
    server.database.standin.set_hang(Hang::Silent);
    server.app.signal("TERM");
    assert_eq!(server.app.wait().code(), Some(0));
}

#[test]
fn a_server_whose_database_hangs_stops_within_its_grace_time() {
    for hang in [Hang::Busy, Hang::Silent] {
        let mut server = Server::start(&["server.shutdown_grace_ms=500"]).settled(4);
        server.database.standin.set_hang(hang);
        std::thread::scope(|scope| {
            let (address, stop) = (server.app.address, Instant::now());
            scope.spawn(move || {
                use std::io::Write;
                let mut stream = std::net::TcpStream::connect(address).unwrap();
                let head = "POST /url HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 11";
                stream.write_all(format!("{head}\r\n\r\n{{\"url\":\"a\"}}").as_bytes()).unwrap();
                std::thread::sleep(millis(1000));
            });
            std::thread::sleep(millis(300));
            server.app.signal("TERM");
            assert_eq!(server.app.wait().code(), Some(0));
            assert!(stop.elapsed() < millis(800) + 3 * SLACK, "{hang:?}: {:?}", stop.elapsed());
        });
    }
}
