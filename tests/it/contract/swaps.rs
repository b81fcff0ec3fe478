//! The clauses of the store contract about rows that are changed if they are still what they were.

use augur::domain::{NewResult, Outcome};
use augur::service::{Pace, PruneOptions, Whose, prune};
use augur::store::{Found, Range, Rejection, Swap, Swapped};

use super::clauses::{WAIT, session};
use super::corrections::put;
use super::{Backend, found, key, row};

fn newer(x: f64) -> Found {
    Found { outcome: Outcome::float(x), model: Some("m@2".to_owned()) }
}

fn swap(text: &str, before: Found, after: Option<Found>) -> Swap {
    Swap { key: key(text), before, after }
}

pub(crate) fn rows_are_swapped_only_while_they_are_what_they_were(backend: &dyn Backend) {
    let mut session = session(backend);
    assert_eq!(session.swap_many(&[]).unwrap(), []);
    let rows: Vec<NewResult> = ["a", "b", "c", "d", "e", "f"].iter().map(|text| row(text, 0.1)).collect();
    session.insert_many(&rows).unwrap();
    backend.execute("INSERT INTO URL_RESULT (URL, RESULT) VALUES ('null', NULL)");
    backend.execute("UPDATE URL_RESULT SET RESULT = 0.3 WHERE URL = 'b'");
    put(&mut *session, &NewResult { model: Some("manual".to_owned()), ..row("c", 0.1) });
    let null = Found { outcome: Outcome::Null, model: None };
    // Not in key order.
    let swaps = [
        swap("null", null.clone(), Some(newer(5.0))),
        swap("b", found(0.1), Some(newer(5.0))),
        swap("a", found(0.1), Some(newer(1.0 / 3.0))),
        swap("c", found(0.1), None),
        swap("x", found(0.1), Some(newer(5.0))),
        swap("d", found(0.1), None),
        swap("e", found(0.1), Some(Found { outcome: Outcome::Text("phishing".to_owned()), model: None })),
        swap("f", null, None),
    ];
    let done = |x| Swapped::Done(Some(Outcome::float(x)));
    let expected = [
        done(5.0),
        Swapped::Overtaken,
        done(1.0 / 3.0),
        Swapped::Overtaken,
        Swapped::Overtaken,
        Swapped::Done(None),
        Swapped::Rejected(Rejection::ValueDoesNotFit),
        Swapped::Overtaken,
    ];
    assert_eq!(session.swap_many(&swaps).unwrap(), expected);
    // Another session sees it, and waits for no lock.
    let mut other = self::session(backend);
    put(&mut *other, &row("b", 7.0));
    let there = other.find_many(&["a", "b", "c", "d", "e", "f", "null", "x"].map(key)).unwrap();
    let manual = Found { outcome: Outcome::float(0.1), model: Some("manual".to_owned()) };
    let expected = [
        Some(newer(1.0 / 3.0)),
        Some(found(7.0)),
        Some(manual),
        None,
        Some(found(0.1)),
        Some(found(0.1)),
        Some(newer(5.0)),
        None,
    ];
    assert_eq!(there, expected);
}

pub(crate) fn swaps_of_every_size_change_each_row_once(backend: &dyn Backend) {
    let mut session = session(backend);
    for size in [1, 2, 8, 9, 64, 65, 130] {
        let rows: Vec<NewResult> = (0..size).map(|n| row(&format!("{size}/{n}"), n.into())).collect();
        session.insert_many(&rows).unwrap();
        let created = session.row(&rows[0].key).unwrap().unwrap().created_at;
        let swaps: Vec<Swap> =
            (0..size).map(|n| swap(&format!("{size}/{n}"), found(n.into()), Some(newer(f64::from(n) + 0.5)))).collect();
        let done: Vec<Swapped> = (0..size).map(|n| Swapped::Done(Some(Outcome::float(f64::from(n) + 0.5)))).collect();
        assert_eq!(session.swap_many(&swaps).unwrap(), done, "{size}");
        assert_eq!(session.swap_many(&swaps).unwrap(), vec![Swapped::Overtaken; swaps.len()], "{size}");
        assert_eq!(session.row(&rows[0].key).unwrap().unwrap().created_at, created);
        let removals: Vec<Swap> =
            (0..size).map(|n| swap(&format!("{size}/{n}"), newer(f64::from(n) + 0.5), None)).collect();
        assert_eq!(session.swap_many(&removals).unwrap(), vec![Swapped::Done(None); removals.len()], "{size}");
    }
    assert_eq!(session.page(&Range::default(), 10).unwrap(), []);
}

pub(crate) fn of_many_sessions_that_swap_a_row_one_does(backend: &dyn Backend) {
    const ROWS: usize = 40;
    let store = backend.store();
    let rows: Vec<NewResult> = (0..ROWS).map(|n| row(&format!("k{n:02}"), 0.0)).collect();
    session(backend).insert_many(&rows).unwrap();
    let done: usize = std::thread::scope(|scope| {
        let swappers: Vec<_> = (0..store.max_sessions())
            .map(|swapper| {
                let rows = &rows;
                scope.spawn(move || {
                    let mut swaps: Vec<Swap> = rows
                        .iter()
                        .map(|row| Swap {
                            key: row.key.clone(),
                            before: found(0.0),
                            after: Some(newer(swapper as f64)),
                        })
                        .collect();
                    swaps.rotate_left(swapper * 7);
                    let swapped = store.session(WAIT).unwrap().swap_many(&swaps).unwrap();
                    swapped.iter().filter(|swapped| matches!(swapped, Swapped::Done(_))).count()
                })
            })
            .collect();
        swappers.into_iter().map(|swapper| swapper.join().unwrap()).sum()
    });
    assert_eq!(done, ROWS);
}

pub(crate) fn prune_removes_rows_of_the_model_that_it_names_and_no_others(backend: &dyn Backend) {
    let mut session = session(backend);
    let models = ["m@1", "m@2", "manual", "Manual", "fraud-team", "other@1", "a@m@1", "M@1"];
    let mut rows: Vec<NewResult> =
        models.iter().map(|model| NewResult { model: Some((*model).to_owned()), ..row(model, 0.5) }).collect();
    rows.push(NewResult { model: None, ..row("unknown", 0.5) });
    session.insert_many(&rows).unwrap();
    let mut left = |whose| {
        let pace = Pace { workers: 1, rows_per_s: None };
        let options = PruneOptions { before: jiff::Timestamp::MAX, whose, pace, dry_run: false };
        prune(backend.store(), &options, &|_| ()).unwrap();
        let page = session.page(&Range { after: None, prefix: "", model: None }, 100).unwrap();
        page.into_iter().map(|row| row.key.as_str().to_owned()).collect::<Vec<_>>()
    };
    let versions = |include_unknown| Whose::VersionsOf { name: "m".to_owned(), include_unknown };
    assert!(left(Whose::Exactly("manual".to_owned())).contains(&"manual".to_owned()));
    assert_eq!(left(Whose::Exactly("m@1".to_owned())).len(), 8);
    let others = ["M@1", "Manual", "a@m@1", "fraud-team", "manual", "other@1"];
    assert_eq!(left(versions(false)), [&others[..], &["unknown"]].concat());
    assert_eq!(left(versions(true)), others);
}
