//! `augur doctor` on Oracle: every step from the client library to the plan of the lookup, one line each. Logs on once.

use std::time::Instant;

use anyhow::anyhow;
use oracle::{Connection, Version};
use r2d2::ManageConnection;

use super::connect_string::{has_timeout, is_easy_connect};
use super::errors::{Class, classify};
use super::manager::{Manager, has_call_timeout};
use super::pooled::Pooled;
use super::{OracleStore, load_client, probe, schema};
use crate::store::check::IMAGES;
use crate::store::{Check, Expected, OracleSettings, TableNames, Verdict};

const CLIENT: &str = "client library";
const CONNECT_STRING: &str = "connect string";
const CONNECT: &str = "connect";
const CREDENTIALS: &str = "credentials";
const SERVER: &str = "server version";
const TABLE: &str = "table";

/// Clients from here on have parameters in Easy Connect strings.
const FIRST_CLIENT_WITH_PARAMETERS: i32 = 19;

/// All checks, in order. What cannot be reached is `skipped`.
pub(in crate::store) fn diagnose(
    settings: &OracleSettings,
    names: &TableNames,
    expected: &Expected,
    images: Option<&Expected>,
    replicas: u32,
) -> Vec<Check> {
    let mut checks = Vec::new();
    let behind_logon: Vec<&str> = BEHIND_LOGON.into_iter().chain(images.map(|_| IMAGES)).collect();
    let client = match load_client(settings) {
        Ok(client) => client,
        Err(error) => {
            checks.push(Check::failed(CLIENT, format!("{error:#}")));
            skip_rest(&mut checks, &[CONNECT_STRING, CONNECT, CREDENTIALS], "there is no client library");
            skip_rest(&mut checks, &behind_logon, "there is no client library");
            return checks;
        }
    };
    checks.push(client_check(settings, &client));
    checks.push(connect_string_check(&settings.connect_string, client.major()));
    let Some((store, mut pooled)) = log_on(settings, names, &client, &mut checks) else {
        skip_rest(&mut checks, &behind_logon, "there is no session");
        return checks;
    };
    checks.push(server_check(&pooled, &client));
    let schema = schema::check(&store, &pooled, expected);
    let readable = match schema {
        Ok(schema) => {
            let readable = is_readable(&schema);
            checks.extend(schema);
            readable
        }
        Err(failure) => {
            checks.push(Check::failed(TABLE, failure.message()));
            false
        }
    };
    if readable {
        checks.extend(probe::privileges(&store, &mut pooled));
    } else {
        skip_rest(&mut checks, &[probe::PRIVILEGES], "the table cannot be read");
    }
    checks.push(probe::character_set(&pooled));
    if readable {
        checks.extend(probe::lookup(&store, &pooled));
    } else {
        skip_rest(&mut checks, &[probe::LOOKUP, probe::PLAN], "the table cannot be read");
    }
    checks.push(probe::sessions(&pooled, settings.pool_size, replicas));
    if let Some(expected) = images {
        checks.extend(image_table(&store.images(), &mut pooled, expected));
    }
    checks
}

/// Whether rows can be read from a table of which this was found.
fn is_readable(schema: &[Check]) -> bool {
    schema
        .iter()
        .all(|check| check.verdict != Verdict::Failed || !matches!(check.about, TABLE | "key column" | "result column"))
}

/// The table of pictures' labels, and the rights on it. What a lookup costs was tried on the other one.
fn image_table(store: &OracleStore, conn: &mut Connection, expected: &Expected) -> Vec<Check> {
    let mut found = match schema::check(store, conn, expected) {
        Ok(found) => found,
        Err(failure) => return vec![Check::failed(IMAGES, failure.message())],
    };
    if is_readable(&found) {
        found.extend(probe::privileges(store, conn));
    }
    Check::gathered(IMAGES, found)
}

/// What needs a session.
const BEHIND_LOGON: [&str; 7] =
    [SERVER, TABLE, probe::PRIVILEGES, probe::CHARACTER_SET, probe::LOOKUP, probe::PLAN, probe::SESSIONS];

fn skip_rest(checks: &mut Vec<Check>, abouts: &[&'static str], reason: &str) {
    checks.extend(abouts.iter().map(|about| Check::skipped(about, reason)));
}

fn client_check(settings: &OracleSettings, client: &Version) -> Check {
    let place = if settings.client_lib_dir.as_os_str().is_empty() {
        loaded_from().unwrap_or_else(|| "the system's library path".to_owned())
    } else {
        settings.client_lib_dir.display().to_string()
    };
    let found = format!("{client} in {place}");
    if !has_call_timeout(client) {
        return Check::warning(
            CLIENT,
            format!("{found} has no call timeout, so a hung call holds its connection: install Instant Client 19"),
        );
    }
    Check::ok(CLIENT, found)
}

/// The library that the system's search has found, as Linux tells it.
fn loaded_from() -> Option<String> {
    let maps = std::fs::read_to_string("/proc/self/maps").ok()?;
    let line = maps.lines().find(|line| line.contains("/libclntsh.so"))?;
    line.split_once('/').map(|(_, path)| format!("/{path}"))
}

fn connect_string_check(connect_string: &str, client_major: i32) -> Check {
    let remedy = "a database that does not answer would hold a logon for a minute or longer";
    if has_timeout(connect_string) {
        return Check::ok(CONNECT_STRING, format!("{connect_string} sets its connect timeouts"));
    }
    if is_easy_connect(connect_string) {
        if client_major >= FIRST_CLIENT_WITH_PARAMETERS {
            return Check::ok(CONNECT_STRING, format!("{connect_string} gets connect timeouts added"));
        }
        return Check::warning(
            CONNECT_STRING,
            format!(
                "{connect_string}: client {client_major} reads no connect timeouts there, and {remedy}: install Instant Client 19"
            ),
        );
    }
    if connect_string.trim_start().starts_with('(') {
        return Check::warning(
            CONNECT_STRING,
            format!(
                "a descriptor is used as given, without connect timeouts: {remedy}; add (CONNECT_TIMEOUT=5)(TRANSPORT_CONNECT_TIMEOUT=2) to its DESCRIPTION"
            ),
        );
    }
    Check::warning(
        CONNECT_STRING,
        format!(
            "{connect_string} is a TNS alias, to which no connect timeouts can be added: {remedy}; set them in tnsnames.ora, or write //host:1521/service"
        ),
    )
}

/// The one logon, which tells two things: whether the database answers, and whether it lets us in.
fn log_on(
    settings: &OracleSettings,
    names: &TableNames,
    client: &Version,
    checks: &mut Vec<Check>,
) -> Option<(OracleStore, Pooled)> {
    let manager = match Manager::new(settings, client) {
        Ok(manager) => manager,
        Err(error) => {
            checks.push(Check::skipped(CONNECT, "there is no password to log on with"));
            checks.push(Check::failed(CREDENTIALS, format!("{error:#}")));
            return None;
        }
    };
    let started = Instant::now();
    let connected = manager.connect();
    let time = format!("answered within {} ms", started.elapsed().as_millis());
    match connected {
        Ok(pooled) => {
            checks.push(Check::ok(CONNECT, time));
            checks.push(match pooled.last_warning() {
                Some(warning) => Check::warning(
                    CREDENTIALS,
                    format!("logged on as {}, but change the password soon: {warning}", settings.user),
                ),
                None => Check::ok(CREDENTIALS, format!("logged on as {}", settings.user)),
            });
            let store = OracleStore::with_idle(settings, names, client, manager, Some(0));
            Some((store, pooled))
        }
        Err(error) if classify(&error) == Class::Credentials => {
            checks.push(Check::ok(CONNECT, time));
            let remedy = credentials_remedy(error.oci_code());
            checks.push(Check::failed(CREDENTIALS, format!("{error}: {remedy}")));
            None
        }
        Err(error) => {
            let remedy = match classify(&error) {
                Class::Overload => "the database takes no more sessions: see its processes and sessions",
                _ => "is store.oracle.connect_string right, the listener up, the database open?",
            };
            checks.push(Check::failed(CONNECT, format!("{error}: {remedy}")));
            checks.push(Check::skipped(CREDENTIALS, "nobody answers"));
            None
        }
    }
}

fn credentials_remedy(code: Option<i32>) -> &'static str {
    match code {
        Some(28000) => "have a DBA unlock the account, after the password is right everywhere",
        Some(28001) => "set a new password for the account",
        Some(1045) => "GRANT CREATE SESSION to the user",
        Some(28040 | 3134) => {
            "client and server are too far apart: Instant Client 19 reaches servers from 11.2 to 23ai"
        }
        _ => "correct store.oracle.user or store.oracle.password_file; ten refused logons lock an account",
    }
}

fn server_check(pooled: &Pooled, client: &Version) -> Check {
    let (server, banner) = match pooled.server_version() {
        Ok(version) => version,
        Err(error) => return Check::failed(SERVER, anyhow!(error).to_string()),
    };
    let banner = banner.lines().next().unwrap_or_default().to_owned();
    match oldest_server(client.major()) {
        oldest if (server.major(), server.minor()) < oldest => Check::warning(
            SERVER,
            format!(
                "{server} ({banner}): client {client} is made for servers from {}.{} on; install Instant Client 19",
                oldest.0, oldest.1
            ),
        ),
        _ => Check::ok(SERVER, format!("{server} ({banner})")),
    }
}

/// The oldest server that a client supports: 23 goes back to 19, 21 to 12.1, those before to 11.2.
fn oldest_server(client_major: i32) -> (i32, i32) {
    match client_major {
        ..=20 => (11, 2),
        21..=22 => (12, 1),
        _ => (19, 0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newer_a_client_the_younger_the_servers_that_it_reaches() {
        assert_eq!([19, 21, 23].map(oldest_server), [(11, 2), (12, 1), (19, 0)]);
    }

    #[test]
    fn only_a_connect_string_without_any_timeout_is_warned_of() {
        let verdict = |text, client| connect_string_check(text, client).verdict;
        assert_eq!(verdict("//db:1521/XE", 19), Verdict::Ok);
        assert_eq!(verdict("//db:1521/XE", 18), Verdict::Warning);
        assert_eq!(verdict("xe", 23), Verdict::Warning);
        assert_eq!(verdict("(DESCRIPTION=(ADDRESS=(HOST=db)))", 23), Verdict::Warning);
        assert_eq!(verdict("(DESCRIPTION=(connect_timeout=5)(ADDRESS=(HOST=db)))", 18), Verdict::Ok);
    }
}
