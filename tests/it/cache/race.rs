//! The race of a lookup and a change: what was read before the change is not remembered after it.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use augur::auth::Keys;
use augur::domain::{Key, NewResult, Outcome, StoredResult};
use augur::model::{Live, UrlModel};
use augur::service::{Answer, CacheSettings, LaneSettings, LookupThenPredict, Source, UrlService};
use augur::store::{
    Change, Changed, Check, Expected, Found, Inserted, Range, ResultStore, Stale, StoreError, StoreSession, Swap,
    Swapped,
};

use super::{Server, URL, from};
use crate::app::PATIENCE;
use crate::keys::KeysFile;

/// What of a table can be made to wait.
#[derive(PartialEq)]
enum At {
    Lookup,
    Insert,
}

/// A table whose next lookup or insert can be made to wait when it has been done and is not yet answered.
#[derive(Default)]
struct Table {
    rows: Mutex<HashMap<Key, Found>>,
    gate: Mutex<Option<Gate>>,
}

/// Where the next one waits, says so, and is let go on.
struct Gate {
    at: At,
    waits: SyncSender<()>,
    may_go: Receiver<()>,
}

impl Table {
    /// Says when the next one waits, and lets it go on.
    fn stop_next(&self, at: At) -> (Receiver<()>, SyncSender<()>) {
        let ((waits, waiting), (go, may_go)) = (sync_channel(1), sync_channel(1));
        *self.gate.lock().unwrap() = Some(Gate { at, waits, may_go });
        (waiting, go)
    }

    fn pass_gate(&self, here: &At) {
        let gate = self.gate.lock().unwrap().take_if(|gate| gate.at == *here);
        if let Some(Gate { waits, may_go, .. }) = gate {
            waits.send(()).unwrap();
            may_go.recv_timeout(PATIENCE).unwrap();
        }
    }
}

impl ResultStore for Table {
    fn session(&self, _wait: Duration) -> Result<Box<dyn StoreSession + '_>, StoreError> {
        Ok(Box::new(Session(self)))
    }
    fn max_sessions(&self) -> usize {
        2
    }
    fn acquire_timeout(&self) -> Duration {
        PATIENCE
    }
    fn describe(&self) -> String {
        "a table that waits".to_owned()
    }
    fn table(&self) -> String {
        "T".to_owned()
    }
    fn apply_schema(&self) -> Result<(), StoreError> {
        unreachable!()
    }
    fn check_schema(&self, _: &Expected) -> Result<Vec<Check>, StoreError> {
        unreachable!()
    }
}

struct Session<'a>(&'a Table);

impl StoreSession for Session<'_> {
    fn find_many(&mut self, keys: &[Key]) -> Result<Vec<Option<Found>>, StoreError> {
        let found = keys.iter().map(|key| self.0.rows.lock().unwrap().get(key).cloned()).collect();
        self.0.pass_gate(&At::Lookup);
        Ok(found)
    }

    fn insert_many(&mut self, rows: &[NewResult]) -> Result<Vec<Inserted>, StoreError> {
        let insert = |row: &NewResult| {
            let found = Found { outcome: row.outcome.clone(), model: row.model.clone() };
            assert_eq!(self.0.rows.lock().unwrap().insert(row.key.clone(), found), None);
            Inserted::Stored(row.outcome.clone())
        };
        let inserted = rows.iter().map(insert).collect();
        self.0.pass_gate(&At::Insert);
        Ok(inserted)
    }

    fn update(
        &mut self,
        key: &Key,
        decide: &mut dyn FnMut(Option<&StoredResult>) -> Change,
    ) -> Result<Changed, StoreError> {
        let row = |outcome, model| StoredResult { key: key.clone(), outcome, model, created_at: None };
        let mut rows = self.0.rows.lock().unwrap();
        let before = rows.get(key).cloned().map(|found| row(found.outcome, found.model));
        Ok(match (decide(before.as_ref()), before) {
            (Change::Replace { outcome, model }, before) => {
                rows.insert(key.clone(), Found { outcome: outcome.clone(), model: model.clone() });
                Changed::Replaced { before, after: row(outcome, model) }
            }
            (Change::Remove, Some(before)) => {
                rows.remove(key);
                Changed::Removed { before }
            }
            (Change::Keep | Change::Remove, before) => Changed::Kept(before),
        })
    }

    fn row(&mut self, _: &Key) -> Result<Option<StoredResult>, StoreError> {
        unreachable!()
    }
    fn swap_many(&mut self, _: &[Swap]) -> Result<Vec<Swapped>, StoreError> {
        unreachable!()
    }
    fn page(&mut self, _: &Range<'_>, _: usize) -> Result<Vec<StoredResult>, StoreError> {
        unreachable!()
    }
    fn ping(&mut self) -> Result<(), StoreError> {
        unreachable!()
    }
}

/// The service on that table.
struct Raced {
    table: Arc<Table>,
    service: UrlService,
    key: Key,
}

impl Raced {
    fn new() -> Self {
        let table = Arc::new(Table::default());
        let live = Arc::new(Live::new(UrlModel::embedded().unwrap()));
        let lanes = LaneSettings { max_batch: 64, queue_capacity: 64 };
        let cache = CacheSettings { max_entries: 100, ttl_ms: 3_600_000 };
        let store: Arc<dyn ResultStore> = table.clone();
        let service = LookupThenPredict::start(store, live, lanes, Stale::Serve, cache).unwrap();
        Self { table, service, key: Key::stored("k") }
    }

    fn ask(&self) -> Answer {
        let deadline = Instant::now() + PATIENCE;
        block_on(self.service.answer(self.key.clone(), self.key.clone(), deadline)).unwrap()
    }

    /// Asks, and makes the change after the table has been used for that and before the lane hears of it.
    fn ask_and_change_meanwhile(&self, at: At, change: Change) -> Answer {
        let (waiting, go) = self.table.stop_next(at);
        let mut keys = KeysFile::new();
        let key = keys.add("curator", &["results:write"]);
        let by = Keys::watch(&keys.path()).unwrap().holder(&key).unwrap();
        std::thread::scope(|scope| {
            let asking = scope.spawn(|| self.ask());
            waiting.recv_timeout(PATIENCE).unwrap();
            let results = self.service.stored_results();
            let changing = results.change(self.key.clone(), by, move |_| change.clone(), Instant::now() + PATIENCE);
            block_on(changing).unwrap();
            go.send(()).unwrap();
            asking.join().unwrap()
        })
    }
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(future)
}

#[test]
fn what_a_lookup_read_before_a_correction_is_not_remembered_after_it() {
    let raced = Raced::new();
    let old = Found { outcome: Outcome::float(0.25), model: None };
    raced.table.rows.lock().unwrap().insert(raced.key.clone(), old);
    let new = Change::Replace { outcome: Outcome::float(0.75), model: Some("manual".to_owned()) };
    let meanwhile = raced.ask_and_change_meanwhile(At::Lookup, new);
    assert_eq!(meanwhile.outcome, Outcome::float(0.25), "it was asked before");
    let answer = raced.ask();
    assert_eq!((answer.outcome, answer.source), (Outcome::float(0.75), Source::Hit));
    let answer = raced.ask();
    assert!(matches!(answer.source, Source::Memory { .. }), "{answer:?}");
    assert_eq!(answer.outcome, Outcome::float(0.75));
}

#[test]
fn what_was_stored_and_then_removed_is_not_remembered_after_that() {
    let raced = Raced::new();
    let meanwhile = raced.ask_and_change_meanwhile(At::Insert, Change::Remove);
    assert_eq!(meanwhile.source, Source::Stored);
    assert_eq!(raced.ask().source, Source::Stored, "it is predicted anew");
    assert!(matches!(raced.ask().source, Source::Memory { .. }));
}

/// Ends the clients also where an assertion fails: the scope waits for them.
struct Stop<'a>(&'a AtomicBool);

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn of_corrections_under_load_none_is_lost() {
    let server = Server::start(100, super::LONG);
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let _stop = Stop(&done);
        for _ in 0..4 {
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    server.app.ask(URL);
                }
            });
        }
        for n in 0..100 {
            assert!(server.call("PUT", URL, Some(&format!("{{\"result\": {n}}}"))) < 300);
            // This one may share the lookup of somebody who asked before; the next one cannot.
            server.app.ask(URL);
            let answer = server.app.ask(URL);
            assert_eq!(answer.result_text(), format!("{n}.0"), "from {}", from(&answer));
        }
    });
}
