//! Logons that hang, fail, and are refused.

use super::*;

fn wrong() -> Logon {
    Logon::Refused { reason: "ORA-01017".into(), is_wrong: true }
}

fn try_logon(gate: &Gate, password: &str, end: Logon) -> Result<Result<(), ()>, Closed> {
    gate.pass(|| Ok(password.into()), |_| Ok(()), |_| end)
}

#[test]
fn a_logon_that_hangs_keeps_the_next_one_waiting_only_so_long() {
    let gate = Gate { longest_logon: Duration::from_millis(50), ..Gate::new() };
    let (hangs, hung) = std::sync::mpsc::channel::<()>();
    let (entered, inside) = std::sync::mpsc::channel();
    std::thread::scope(|scope| {
        let gate = &gate;
        scope.spawn(move || {
            let logon = |_: &SecretString| {
                entered.send(()).map_err(|_| ())?;
                hung.recv().map_err(|_| ())
            };
            let _ = gate.pass(|| Ok("p".into()), logon, |_| wrong());
        });
        inside.recv().expect("a logon");
        assert_eq!(try_logon(gate, "p", Logon::Good), Err(Closed::Pausing), "it counts as failed");
        std::thread::sleep(FIRST_PAUSE);
        assert!(try_logon(gate, "p", Logon::Good).is_ok());
        drop(hangs);
    });
    assert_eq!(gate.shut(), Some("ORA-01017".into()), "what comes of it late counts all the same");
}

#[test]
fn the_password_is_read_when_it_is_its_turn() {
    let gate = Gate::new();
    let current = Mutex::new("old");
    let (entered, inside) = std::sync::mpsc::channel();
    std::thread::scope(|scope| {
        let first = || {
            let logon = |_: &SecretString| {
                entered.send(()).expect("the test waits");
                std::thread::sleep(Duration::from_millis(100));
                *current.lock().expect("no panic") = "new";
                Ok::<_, ()>(())
            };
            let _ = gate.pass(|| Ok("old".into()), logon, |_| Logon::Good);
        };
        scope.spawn(first);
        inside.recv().expect("a logon");
        let password = || Ok::<SecretString, ()>((*current.lock().expect("no panic")).into());
        let tried = gate.pass(password, |password| Ok(password.expose_secret().to_owned()), |_| Logon::Good);
        assert_eq!(tried, Ok(Ok("new".to_owned())));
    });
}

#[test]
fn a_refused_password_is_never_tried_twice_and_another_one_is() {
    let gate = Gate::new();
    assert!(try_logon(&gate, "old", wrong()).is_ok());
    assert_eq!(try_logon(&gate, "old", Logon::Good), Err(Closed::Shut("ORA-01017".into())));
    assert_eq!(gate.shut(), Some("ORA-01017".into()));
    assert!(try_logon(&gate, "new", Logon::Good).is_ok());
    assert_eq!(gate.shut(), None);
}

#[test]
fn a_refused_password_is_tried_again_on_demand_but_not_for_ever() {
    let gate = Gate::new();
    for _ in 0..MAX_WRONG {
        assert!(try_logon(&gate, "old", wrong()).is_ok());
        gate.open();
    }
    assert_eq!(try_logon(&gate, "old", Logon::Good), Err(Closed::Shut("ORA-01017".into())));
    assert!(try_logon(&gate, "new", wrong()).is_ok());
    gate.open();
    assert!(try_logon(&gate, "new", Logon::Good).is_ok(), "each password has tries of its own");
}

#[test]
fn what_locks_no_account_is_tried_as_often_as_the_operator_likes() {
    let gate = Gate::new();
    let locked = || Logon::Refused { reason: "ORA-28000".into(), is_wrong: false };
    for _ in 0..=MAX_WRONG {
        assert!(try_logon(&gate, "p", locked()).is_ok());
        gate.open();
    }
    assert!(try_logon(&gate, "p", Logon::Good).is_ok());
}

#[test]
fn a_new_password_may_be_tried_again_whatever_became_of_the_old_one() {
    let gate = Gate::new();
    for _ in 0..MAX_WRONG {
        assert!(try_logon(&gate, "old", wrong()).is_ok());
        gate.open();
    }
    assert!(try_logon(&gate, "new", Logon::Failed).is_ok());
    gate.open();
    assert!(try_logon(&gate, "new", Logon::Good).is_ok(), "no pause, and no refusal");
}

#[test]
fn after_a_failure_there_is_a_pause() {
    let gate = Gate::new();
    assert!(try_logon(&gate, "p", Logon::Failed).is_ok());
    assert_eq!(try_logon(&gate, "p", Logon::Good), Err(Closed::Pausing));
    gate.open();
    assert!(try_logon(&gate, "p", Logon::Good).is_ok());
    assert!(try_logon(&gate, "p", Logon::Good).is_ok());
}
