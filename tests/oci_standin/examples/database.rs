//! A stand-in database for benchmarks: `database FOLDER ROUND_TRIP_US COMMIT_US` makes one where there is none, with the
//! client library beside it (`libclntsh.so`), and sets its times in microseconds. `database FOLDER call` prints how long
//! one lookup of a stored key takes through the driver: the median, in microseconds.

use std::env;
use std::io::{self, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use oci_standin::{PASSWORD, StandIn, USER, link_client_library};
use oracle::{Connection, InitParams};

type AnyError = Box<dyn std::error::Error>;

fn main() -> Result<(), AnyError> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [folder, "call"] => measure_a_call(Path::new(folder)),
        [folder, round_trip_us, commit_us] => {
            let database = StandIn::open(folder).or_else(|_| StandIn::create(folder))?;
            link_client_library(folder)?;
            database.set_round_trip(Duration::from_micros(round_trip_us.parse()?));
            database.set_commit_time(Duration::from_micros(commit_us.parse()?));
            Ok(())
        }
        _ => Err("usage: database FOLDER ROUND_TRIP_US COMMIT_US, or database FOLDER call".into()),
    }
}

fn measure_a_call(folder: &Path) -> Result<(), AnyError> {
    const CALLS: usize = 500;
    let database = StandIn::open(folder)?;
    InitParams::new().oracle_client_lib_dir(folder.to_str().ok_or("the folder's name is not UTF-8")?)?.init()?;
    let connection = Connection::connect(USER, PASSWORD, database.connect_string())?;
    let key: String = connection.query_row_as("SELECT MIN(URL) FROM URL_RESULT", &[])?;
    let mut statement =
        connection.statement("SELECT RESULT FROM URL_RESULT WHERE URL = :1").fetch_array_size(1).build()?;
    let mut times = Vec::with_capacity(CALLS);
    for _ in 0..CALLS {
        let started = Instant::now();
        statement.query_row_as::<Option<f64>>(&[&key])?;
        times.push(started.elapsed().as_micros());
    }
    times.sort_unstable();
    writeln!(io::stdout(), "{}", times[CALLS / 2])?;
    Ok(())
}
