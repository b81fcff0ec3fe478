//! The clauses of the store contract about single rows that people look at and correct, and about pages.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};

use augur::domain::{Key, NewResult, Outcome};
use augur::store::{Change, Changed, Found, Inserted, Range, Rejection, StoreSession};

use super::clauses::{WAIT, session};
use super::{Backend, found, key, row};

/// Makes or replaces a row, whatever is there.
pub(crate) fn put(session: &mut dyn StoreSession, row: &NewResult) -> Changed {
    let replace = Change::Replace { outcome: row.outcome.clone(), model: row.model.clone() };
    session.update(&row.key, &mut |_| replace.clone()).unwrap()
}

/// Removes a row; whether there was one.
pub(crate) fn delete(session: &mut dyn StoreSession, key: &Key) -> bool {
    matches!(session.update(key, &mut |_| Change::Remove).unwrap(), Changed::Removed { .. })
}

pub(crate) fn a_row_is_made_replaced_and_removed_and_each_time_told_before_and_after(backend: &dyn Backend) {
    let mut session = session(backend);
    assert_eq!(session.row(&key("a")).unwrap(), None);
    let Changed::Replaced { before: None, after: made } = put(&mut *session, &row("a", 1.0)) else { panic!() };
    assert_eq!((&made.key, &made.outcome, made.model.as_deref()), (&key("a"), &Outcome::float(1.0), Some("m@1")));
    assert!(made.created_at.as_ref().is_some_and(|at| at.ends_with('Z')), "{made:?}");
    assert_eq!(session.row(&key("a")).unwrap().as_ref(), Some(&made));
    assert_eq!(session.page(&Range::default(), 10).unwrap(), std::slice::from_ref(&made));

    let correction = NewResult { key: key("a"), outcome: Outcome::integer(2), model: Some("manual".to_owned()) };
    let Changed::Replaced { before, after } = put(&mut *session, &correction) else { panic!() };
    assert_eq!(before.as_ref(), Some(&made));
    // as the column of floats gives it back
    assert_eq!((&after.outcome, after.model.as_deref()), (&Outcome::float(2.0), Some("manual")));
    assert_eq!(after.created_at, made.created_at);
    let corrected = Found { outcome: Outcome::float(2.0), model: Some("manual".to_owned()) };
    assert_eq!(session.find_many(&[key("a")]).unwrap(), [Some(corrected)]);
    put(&mut *session, &NewResult { key: key("a"), outcome: Outcome::Null, model: None });
    assert_eq!(session.find_many(&[key("a")]).unwrap(), [Some(Found { outcome: Outcome::Null, model: None })]);

    let Changed::Removed { before } = session.update(&key("a"), &mut |_| Change::Remove).unwrap() else { panic!() };
    assert_eq!(before.outcome, Outcome::Null);
    assert_eq!(session.update(&key("a"), &mut |_| Change::Remove).unwrap(), Changed::Kept(None));
    assert_eq!(session.insert_many(&[row("a", 3.0)]).unwrap(), [Inserted::Stored(Outcome::float(3.0))]);
}

pub(crate) fn what_is_kept_or_rejected_stays_as_it_was_and_locks_nobody_out(backend: &dyn Backend) {
    let mut session = session(backend);
    let mut other = self::session(backend);
    session.insert_many(&[row("a", 1.0)]).unwrap();
    let there = session.row(&key("a")).unwrap();
    assert_eq!(session.update(&key("a"), &mut |_| Change::Keep).unwrap(), Changed::Kept(there));
    assert_eq!(session.update(&key("x"), &mut |_| Change::Keep).unwrap(), Changed::Kept(None));
    put(&mut *other, &row("a", 2.0));
    let text = Change::Replace { outcome: Outcome::Text("phishing".to_owned()), model: None };
    for text_key in ["a", "x"] {
        let rejected = session.update(&key(text_key), &mut |_| text.clone()).unwrap();
        assert_eq!(rejected, Changed::Rejected(Rejection::ValueDoesNotFit));
        // Would wait for a transaction that was left open, or commit it.
        put(&mut *other, &row("y", 3.0));
    }
    assert_eq!(session.find_many(&[key("a"), key("x")]).unwrap(), [Some(found(2.0)), None]);
    assert_eq!(session.page(&Range::default(), 10).unwrap().len(), 2);
}

pub(crate) fn updates_from_many_sessions_are_never_lost(backend: &dyn Backend) {
    const EACH: usize = 20;
    let store = backend.store();
    std::thread::scope(|scope| {
        for _ in 0..store.max_sessions() {
            scope.spawn(|| {
                let mut session = store.session(WAIT).unwrap();
                for _ in 0..EACH {
                    let mut add_one = |row: Option<&augur::domain::StoredResult>| {
                        let length = match row.map(|row| &row.model) {
                            Some(Some(model)) => model.len() + 1,
                            _ => 1,
                        };
                        Change::Replace { outcome: Outcome::Null, model: Some("x".repeat(length)) }
                    };
                    session.update(&key("counter"), &mut add_one).unwrap();
                }
            });
        }
    });
    let row = session(backend).row(&key("counter")).unwrap().unwrap();
    assert_eq!(row.model.unwrap().len(), EACH * store.max_sessions());
}

pub(crate) fn one_of_many_sessions_makes_the_row_and_the_others_see_it(backend: &dyn Backend) {
    let store = backend.store();
    for n in 0..20 {
        let key = key(&n.to_string());
        let made: usize = std::thread::scope(|scope| {
            let makers: Vec<_> = (0..store.max_sessions())
                .map(|maker| {
                    let key = &key;
                    scope.spawn(move || {
                        let mine = Change::Replace { outcome: Outcome::float(maker as f64), model: None };
                        let mut make = |row: Option<&_>| if row.is_none() { mine.clone() } else { Change::Keep };
                        let changed = store.session(WAIT).unwrap().update(key, &mut make).unwrap();
                        usize::from(matches!(changed, Changed::Replaced { before: None, .. }))
                    })
                })
                .collect();
            makers.into_iter().map(|maker| maker.join().unwrap()).sum()
        });
        assert_eq!(made, 1);
    }
}

pub(crate) fn a_prefix_holds_exactly_the_keys_that_begin_with_it(backend: &dyn Backend) {
    let mut session = session(backend);
    let texts = [
        "a",
        "ab",
        "ab/1",
        "ab/2",
        "ab\u{d7ff}x",
        "ab\u{e000}",
        "ab\u{10ffff}",
        "ac",
        "b",
        "B",
        "\u{10ffff}z",
        "%",
        "_",
    ];
    let rows: Vec<NewResult> = texts.iter().map(|text| row(text, 1.0)).collect();
    session.insert_many(&rows).unwrap();
    let sorted: BTreeSet<&str> = texts.into_iter().collect();
    for prefix in ["", "a", "ab", "ab/", "ab\u{d7ff}", "ab\u{10ffff}", "ac", "b", "\u{10ffff}", "%", "_", "nothing"] {
        let mut seen: Vec<Key> = Vec::new();
        loop {
            let range = Range { after: seen.last(), prefix, model: None };
            let page = session.page(&range, 2).unwrap();
            if page.is_empty() {
                break;
            }
            seen.extend(page.into_iter().map(|row| row.key));
        }
        let expected: Vec<&str> = sorted.iter().copied().filter(|text| text.starts_with(prefix)).collect();
        assert_eq!(seen.iter().map(Key::as_str).collect::<Vec<_>>(), expected, "{prefix}");
    }
    let before = Range { after: Some(&key("A")), prefix: "ab/", model: None };
    assert_eq!(session.page(&before, 10).unwrap().len(), 2);
    let behind = Range { after: Some(&key("ac")), prefix: "ab", model: None };
    assert_eq!(session.page(&behind, 10).unwrap().len(), 0);
}

pub(crate) fn a_page_can_be_of_one_model(backend: &dyn Backend) {
    let mut session = session(backend);
    let rows: Vec<NewResult> =
        (0..30).map(|n| NewResult { model: Some(format!("m@{}", n % 3)), ..row(&format!("k{n:02}"), 1.0) }).collect();
    session.insert_many(&rows).unwrap();
    backend.execute("INSERT INTO URL_RESULT (URL, RESULT) VALUES ('k00x', 1)");
    let tenth = key("k10");
    let of = |after, prefix, model| Range { after, prefix, model: Some(model) };
    assert_eq!(session.page(&of(None, "", "m@1"), 100).unwrap().len(), 10);
    assert_eq!(session.page(&of(None, "k1", "m@1"), 100).unwrap().len(), 4);
    let page = session.page(&of(Some(&tenth), "", "m@1"), 2).unwrap();
    assert_eq!(page.into_iter().map(|row| row.key).collect::<Vec<_>>(), [key("k13"), key("k16")]);
    assert_eq!(session.page(&of(None, "", "m"), 100).unwrap().len(), 0);
}

pub(crate) fn pages_stay_right_while_rows_come_and_go(backend: &dyn Backend) {
    let mut session = session(backend);
    let untouched: Vec<NewResult> = (0..500).map(|n| row(&format!("k{n:04}"), 1.0)).collect();
    for rows in untouched.chunks(100) {
        session.insert_many(rows).unwrap();
    }
    let store = backend.store();
    let done = AtomicBool::new(false);
    let seen = std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut session = store.session(WAIT).unwrap();
            for n in (0..500).cycle() {
                let coming = row(&format!("k{n:04}x"), 2.0);
                session.insert_many(std::slice::from_ref(&coming)).unwrap();
                delete(&mut *session, &coming.key);
                if done.load(Ordering::Relaxed) {
                    break;
                }
            }
        });
        let mut seen: Vec<Key> = Vec::new();
        loop {
            let page = session.page(&Range { after: seen.last(), ..Range::default() }, 7).unwrap();
            if page.is_empty() {
                break;
            }
            seen.extend(page.into_iter().map(|row| row.key));
        }
        done.store(true, Ordering::Relaxed);
        seen
    });
    let kept: Vec<&Key> = seen.iter().filter(|key| !key.as_str().ends_with('x')).collect();
    assert_eq!(kept, untouched.iter().map(|row| &row.key).collect::<Vec<_>>());
}
