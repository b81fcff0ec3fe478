//! The clauses of the store contract.

use std::collections::BTreeSet;
use std::time::Duration;

use augur::domain::{Key, NewResult, Outcome};
use augur::store::{Changed, Expected, Found, Inserted, Range, Rejection, StoreError, StoreSession, Verdict};

pub(super) use super::corrections::*;
pub(super) use super::swaps::*;
use super::{Backend, found, key, row};

pub(super) const WAIT: Duration = Duration::from_secs(10);

pub(crate) fn session(backend: &dyn Backend) -> Box<dyn StoreSession + '_> {
    backend.store().session(WAIT).unwrap()
}

pub(super) fn a_miss_is_none_and_no_error(backend: &dyn Backend) {
    assert_eq!(session(backend).find_many(&[key("a")]).unwrap(), [None]);
    assert_eq!(session(backend).find_many(&[]).unwrap(), []);
    assert_eq!(session(backend).insert_many(&[]).unwrap(), []);
}

pub(super) fn what_is_inserted_is_found_bit_for_bit(backend: &dyn Backend) {
    let mut session = session(backend);
    let numbers = [0.1, 1.0, -2.5, 1e300, 5e-324, f64::MAX, 1.0 / 3.0, 0.0];
    let rows: Vec<NewResult> = numbers.iter().enumerate().map(|(n, x)| row(&format!("k{n}"), *x)).collect();
    let keys: Vec<Key> = rows.iter().map(|row| row.key.clone()).collect();
    let inserted = session.insert_many(&rows).unwrap();
    let stored = session.find_many(&keys).unwrap();
    for ((x, inserted), stored) in numbers.iter().zip(inserted).zip(stored) {
        assert_eq!(inserted, Inserted::Stored(Outcome::float(*x)));
        assert_eq!(stored, Some(found(*x)));
    }
}

pub(super) fn answers_come_in_the_order_of_the_keys(backend: &dyn Backend) {
    let mut session = session(backend);
    session.insert_many(&[row("b", 2.0), row("a", 1.0), row("c", 3.0)]).unwrap();
    let answers = session.find_many(&[key("c"), key("x"), key("a"), key("b"), key("a1")]).unwrap();
    assert_eq!(answers, [Some(found(3.0)), None, Some(found(1.0)), Some(found(2.0)), None]);
}

pub(super) fn the_first_write_wins_and_everybody_learns_it(backend: &dyn Backend) {
    let mut session = session(backend);
    assert_eq!(session.insert_many(&[row("a", 1.0)]).unwrap(), [Inserted::Stored(Outcome::float(1.0))]);
    let second = NewResult { model: Some("m@2".to_owned()), ..row("a", 2.0) };
    assert_eq!(session.insert_many(&[second]).unwrap(), [Inserted::Existed(found(1.0))]);
    assert_eq!(session.find_many(&[key("a")]).unwrap(), [Some(found(1.0))]);
}

pub(super) fn a_batch_with_some_keys_there_already_stores_the_rest(backend: &dyn Backend) {
    let mut session = session(backend);
    let old: Vec<NewResult> = (0..10).map(|n| row(&format!("k{:02}", n * 6), -1.0)).collect();
    session.insert_many(&old).unwrap();
    // Not in key order, as requests come.
    let all: Vec<NewResult> = (0..64).rev().map(|n| row(&format!("k{n:02}"), f64::from(n))).collect();
    let inserted = session.insert_many(&all).unwrap();
    for (row, inserted) in all.iter().zip(&inserted) {
        let expected = if old.iter().any(|old| old.key == row.key) {
            Inserted::Existed(found(-1.0))
        } else {
            Inserted::Stored(row.outcome.clone())
        };
        assert_eq!(*inserted, expected, "{:?}", row.key);
    }
    let keys: Vec<Key> = all.iter().map(|row| row.key.clone()).collect();
    assert!(session.find_many(&keys).unwrap().iter().all(Option::is_some));
}

pub(super) fn equal_keys_from_many_sessions_leave_one_row(backend: &dyn Backend) {
    let store = backend.store();
    let answers: Vec<Vec<Inserted>> = std::thread::scope(|scope| {
        let writers: Vec<_> = (0..store.max_sessions())
            .map(|writer| {
                scope.spawn(move || {
                    let mut session = store.session(WAIT).unwrap();
                    (0..50)
                        .flat_map(|n| session.insert_many(&[row(&format!("k{n}"), writer as f64)]).unwrap())
                        .collect()
                })
            })
            .collect();
        writers.into_iter().map(|writer| writer.join().unwrap()).collect()
    });
    for n in 0..50 {
        let values: Vec<&Outcome> = answers
            .iter()
            .map(|answers| match &answers[n] {
                Inserted::Stored(outcome) | Inserted::Existed(Found { outcome, .. }) => outcome,
                Inserted::Rejected(reason) => panic!("{reason:?}"),
            })
            .collect();
        assert!(values.iter().all(|value| *value == values[0]), "{values:?}");
        let winners = answers.iter().filter(|answers| matches!(answers[n], Inserted::Stored(_))).count();
        assert_eq!(winners, 1);
    }
    assert_eq!(session(backend).page(&Range::default(), 1000).unwrap().len(), 50);
}

pub(super) fn overlapping_batches_in_any_order_never_fail(backend: &dyn Backend) {
    let store = backend.store();
    std::thread::scope(|scope| {
        for writer in 0..store.max_sessions() {
            scope.spawn(move || {
                let mut session = store.session(WAIT).unwrap();
                for round in 0..10 {
                    let mut rows: Vec<NewResult> = (0..20).map(|n| row(&format!("{round}/{n}"), n.into())).collect();
                    rows.rotate_left(writer * 5);
                    if writer % 2 == 1 {
                        rows.reverse();
                    }
                    session.insert_many(&rows).unwrap();
                }
            });
        }
    });
    assert_eq!(session(backend).page(&Range::default(), 1000).unwrap().len(), 200);
}

pub(super) fn a_row_that_another_unique_key_refuses_costs_nobody_else_his(backend: &dyn Backend) {
    backend.execute("CREATE UNIQUE INDEX URL_RESULT_M ON URL_RESULT (MODEL)");
    let of = |key: &str, model: &str| NewResult { model: Some(model.to_owned()), ..row(key, 1.0) };
    let stored = Inserted::Stored(Outcome::float(1.0));
    let refused = Inserted::Rejected(Rejection::Conflict);
    let mut session = session(backend);
    session.insert_many(&[of("a", "m@1")]).unwrap();
    let rows = [of("b", "m@2"), of("c", "m@1"), of("a", "m@3"), of("d", "m@4")];
    let existed = Inserted::Existed(found(1.0));
    assert_eq!(session.insert_many(&rows).unwrap(), [stored.clone(), refused.clone(), existed, stored]);
    assert_eq!(session.insert_many(&rows[1..2]).unwrap(), [refused]);
    assert_eq!(session.page(&Range::default(), 10).unwrap().len(), 3);
    assert_eq!(put(&mut *session, &rows[1]), Changed::Rejected(Rejection::Conflict));
    assert_eq!(put(&mut *session, &of("b", "m@1")), Changed::Rejected(Rejection::Conflict));
}

pub(super) fn rows_of_other_programs_are_read_as_they_stand(backend: &dyn Backend) {
    backend.execute("INSERT INTO URL_RESULT (URL, RESULT) VALUES ('foreign', 0.25)");
    backend.execute("INSERT INTO URL_RESULT (URL, RESULT) VALUES ('null', NULL)");
    let answers = session(backend).find_many(&[key("foreign"), key("null")]).unwrap();
    assert_eq!(answers[0], Some(Found { outcome: Outcome::float(0.25), model: None }));
    assert_eq!(answers[1], Some(Found { outcome: Outcome::Null, model: None }));
    let page = session(backend).page(&Range::default(), 10).unwrap();
    assert_eq!(page.len(), 2);
    assert!(page.iter().all(|row| row.created_at.as_ref().is_some_and(|at| at.ends_with('Z'))), "{page:?}");
}

pub(super) fn pages_walk_the_whole_table_in_key_order(backend: &dyn Backend) {
    let mut session = session(backend);
    let rows: Vec<NewResult> = (0..100).map(|n| row(&format!("k{:03}", (n * 37) % 100), n.into())).collect();
    session.insert_many(&rows).unwrap();
    let mut seen = Vec::new();
    loop {
        let page = session.page(&Range { after: seen.last(), ..Range::default() }, 7).unwrap();
        assert!(page.len() <= 7);
        if page.is_empty() {
            break;
        }
        assert!(page.iter().all(|row| row.model.as_deref() == Some("m@1") && row.created_at.is_some()));
        seen.extend(page.into_iter().map(|row| row.key));
    }
    let expected: Vec<Key> = (0..100).map(|n| key(&format!("k{n:03}"))).collect();
    assert_eq!(seen, expected);
}

pub(super) fn keys_are_compared_by_their_bytes(backend: &dyn Backend) {
    let mut session = session(backend);
    let keys = ["a", "A", "a ", " a", "ä", "a\u{308}", "http://x/?q='", "%", "_", "日本", "🦀"];
    let rows: Vec<NewResult> = keys.iter().enumerate().map(|(n, text)| row(text, n as f64)).collect();
    assert!(session.insert_many(&rows).unwrap().iter().all(|inserted| matches!(inserted, Inserted::Stored(_))));
    for (n, text) in keys.iter().enumerate() {
        assert_eq!(session.find_many(&[key(text)]).unwrap(), [Some(found(n as f64))], "{text}");
    }
    let page: Vec<Key> = session.page(&Range::default(), 100).unwrap().into_iter().map(|row| row.key).collect();
    let expected: Vec<Key> = keys.iter().map(|text| key(text)).collect::<BTreeSet<_>>().into_iter().collect();
    assert_eq!(page, expected);
}

pub(super) fn the_longest_key_is_stored_and_found(backend: &dyn Backend) {
    let mut session = session(backend);
    for text in ["u".repeat(4000), "ä".repeat(2000), "🦀".repeat(1000)] {
        session.insert_many(&[row(&text, 1.0)]).unwrap();
        assert_eq!(session.find_many(&[key(&text)]).unwrap(), [Some(found(1.0))], "{} bytes", text.len());
    }
}

pub(super) fn batches_of_every_size_around_the_list_lengths(backend: &dyn Backend) {
    let mut session = session(backend);
    for size in [1, 2, 7, 8, 9, 16, 17, 33, 63, 64, 65, 130] {
        let rows: Vec<NewResult> = (0..size).map(|n| row(&format!("{size}/{n}"), n.into())).collect();
        let keys: Vec<Key> = rows.iter().map(|row| row.key.clone()).collect();
        assert_eq!(session.find_many(&keys).unwrap(), vec![None; keys.len()], "{size}");
        session.insert_many(&rows).unwrap();
        let expected: Vec<Option<Found>> = (0..size).map(|n| Some(found(n.into()))).collect();
        assert_eq!(session.find_many(&keys).unwrap(), expected, "{size}");
    }
}

pub(super) fn a_missing_table_is_a_schema_error_and_can_be_made(backend: &dyn Backend) {
    let verdicts = || -> BTreeSet<Verdict> {
        let expected = Expected { max_key_bytes: 4000, model: Some("m@1".to_owned()) };
        backend.store().check_schema(&expected).unwrap().into_iter().map(|check| check.verdict).collect()
    };
    assert_eq!(verdicts(), BTreeSet::from([Verdict::Ok]));
    backend.execute("DROP TABLE URL_RESULT");
    assert!(matches!(session(backend).find_many(&[key("a")]), Err(StoreError::Schema { .. })));
    assert!(matches!(session(backend).insert_many(&[row("a", 1.0)]), Err(StoreError::Schema { .. })));
    assert!(matches!(session(backend).ping(), Err(StoreError::Schema { .. })));
    assert_eq!(verdicts(), BTreeSet::from([Verdict::Failed]));
    backend.store().apply_schema().unwrap();
    backend.store().apply_schema().unwrap();
    session(backend).ping().unwrap();
    assert_eq!(session(backend).find_many(&[key("a")]).unwrap(), [None]);
}
