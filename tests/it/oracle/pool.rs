//! Many connections of clients on few sessions of the database.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Barrier;

use super::{Server, cache_status, load, millis};

const KEYS: usize = 1000;

/// Stores 1,000 keys and drives hits from `clients` keep-alive connections.
fn drive_hits(server: &Server, clients: usize, hits_each: usize) {
    let inspector = server.database.inspector();
    for n in 0..KEYS {
        inspector.execute(&format!("INSERT INTO URL_RESULT (URL, RESULT) VALUES ('k{n}', {n})"), &[]).unwrap();
    }
    server.database.standin.set_round_trip(millis(2));
    server.database.standin.reset_counters();
    let together = Barrier::new(clients);
    std::thread::scope(|scope| {
        for client in 0..clients {
            let together = &together;
            scope.spawn(move || {
                let mut stream = server.app.connect();
                together.wait();
                for n in 0..hits_each {
                    let key = (client * hits_each + n) % KEYS;
                    assert_eq!(ask(&mut stream, key), format!("{{\"result\":{key}.0}}"));
                }
            });
        }
    });
}

/// One request on a connection that stays open: cheaper than a client library, which would be measured as well.
fn ask(stream: &mut TcpStream, key: usize) -> String {
    let body = format!("{{\"url\":\"k{key}\"}}");
    let request = format!(
        "POST /url HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = [0; 1024];
    let mut length = 0;
    loop {
        length += stream.read(&mut answer[length..]).unwrap();
        let text = std::str::from_utf8(&answer[..length]).unwrap();
        if let Some((head, body)) = text.split_once("\r\n\r\n")
            && body.ends_with('}')
        {
            assert!(head.starts_with("HTTP/1.1 200"), "{text}");
            return body.to_owned();
        }
    }
}

#[test]
fn hits_of_256_connections_share_round_trips_on_4_sessions() {
    let server = Server::start(&["store.oracle.pool_size=4", "log.level=warn,augur=info,augur::access=off"]).settled(4);
    let (clients, hits_each) = (256, 20);
    drive_hits(&server, clients, hits_each);
    let cost = server.database.standin.counters();
    assert_eq!(cost.max_sessions, 4);
    assert_eq!((cost.pings, cost.logon_attempts), (0, 0));
    // One by one there would be as many as hits.
    assert!(cost.round_trips * 4 < (clients * hits_each) as u64, "{cost:?}");
}

#[test]
fn two_sessions_serve_everything_that_eight_lanes_were_meant_for() {
    let server = Server::on(limited(2), &["store.oracle.pool_size=8"]).settled(2);
    server.database.standin.set_round_trip(millis(2));
    let seen = load::under_load(&server.app, 32, |load| {
        load.wait_for(300);
        // Long enough for more logons to be tried and refused.
        server.app.wait_for_log("Oracle takes no more sessions");
        let attempts = server.database.standin.counters().logon_attempts;
        super::wait_until("another logon", || server.database.standin.counters().logon_attempts > attempts + 1);
        load.wait_for(300);
    });
    assert!(seen.iter().all(|answer| answer.status == 200));
    assert_eq!(server.database.standin.counters().max_sessions, 2);
    assert_eq!(server.lines("Oracle takes no more sessions"), 1, "{}", server.app.log());
    // More are taken once they are to be had.
    server.database.standin.set_session_limit(None);
    super::wait_until("the pool is full", || server.database.standin.counters().open_sessions == 8);
}

fn limited(sessions: u64) -> crate::standin::Database {
    let database = crate::standin::Database::fresh();
    database.execute(super::TABLE);
    database.standin.set_session_limit(Some(sessions));
    database
}

#[test]
fn readiness_and_health_answer_while_all_sessions_are_busy() {
    let server = Server::start(&["store.oracle.pool_size=1", "store.oracle.acquire_timeout_ms=200"]).settled(1);
    server.database.standin.set_round_trip(millis(20));
    load::under_load(&server.app, 16, |load| {
        load.wait_for(50);
        for _ in 0..20 {
            assert_eq!(server.app.get("/health/ready").status, 200);
            assert_eq!(server.app.get("/health/live").status, 200);
            std::thread::sleep(millis(100));
        }
    });
}

#[test]
fn equal_keys_at_the_same_moment_cost_one_lookup_and_one_insert() {
    let server = Server::start(&["store.oracle.pool_size=4"]).settled(4);
    server.database.standin.set_round_trip(millis(200));
    server.database.standin.reset_counters();
    let together = Barrier::new(8);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                together.wait();
                cache_status(&server.app.ask("http://example.com/"));
            });
        }
    });
    let cost = server.database.standin.counters();
    assert_eq!((cost.round_trips, cost.commits), (2, 1), "{cost:?}");
}
