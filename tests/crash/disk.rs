//! A disk that is full, read only, slow, or loses what it took, under the ledger of a real city.

use std::time::{Duration, Instant};

use serde_json::json;

use super::books::Books;
use super::callers::Callers;
use super::faulty::{City, count};
use super::told::{Told, Words};
use crate::running::Running;

/// City time against the wall's: signals are ordered often.
const SPEED: &str = "20";

#[test]
fn on_a_disk_that_takes_nothing_nobody_is_told_and_all_goes_on_when_it_does_again() {
    for how in ["full", "readonly"] {
        let mut city = City::start(SPEED);
        let mut terminal = city.terminal();
        assert_eq!(city.raise(1).0, 201);
        assert_eq!(terminal.hear("assignment")["call"], 1);
        city.fail(how);
        let (status, answer) = city.raise(2);
        assert_eq!((status, &answer["error"]), (503, &json!("not_confirmed")), "{how}: {answer}");
        city.wait_for_status(503);
        let (status, answer) = city.raise(3);
        assert_eq!((status, &answer["error"]), (503, &json!("ledger_unavailable")), "{how}: {answer}");
        city.signals_go_on();
        assert!(city.count("nanming_ledger_commit_failures_total") > 0);
        assert_eq!(city.victim.get("/calls/2").unwrap().0, 503, "{how}: it is in no book, and may be in it soon");
        assert_eq!(city.count("nanming_ledger_distrusted"), 0, "nothing is lost");

        city.mend();
        city.wait_for_status(200);
        assert_eq!(city.raise(2).0, 200, "{how}: it was taken at last");
        assert_eq!(city.raise(3).0, 201, "{how}: it was refused at once");
        city.victim.kill();
        let books = Books::read(city.victim.path());
        assert_eq!(books.complaints(&Words::default(), &Books::default()), [""; 0], "{how}");
        assert_eq!(books.calls.len(), 3, "{how}");
    }
}

#[test]
fn after_a_sync_that_failed_the_engine_writes_no_more_and_the_next_one_goes_on() {
    let mut city = City::start(SPEED);
    assert_eq!(city.raise(1).0, 201);
    city.fail("sync");
    assert_eq!(city.raise(2).0, 503);
    city.victim.wait_for("distrust", |victim| count(victim, "nanming_ledger_distrusted") == 1);
    city.wait_for_status(503);
    city.signals_go_on();
    assert_eq!(city.victim.has_ended(), None, "while the disk fails another engine would find no ledger");
    city.mend();
    assert_eq!(city.victim.wait_for_its_end("the end"), (Some(1), None), "whoever watches over it starts it again");
    city.victim.wait_for("why", |victim| victim.last_words().contains("start it again with the same ledger"));
    city.victim.start(&[]);
    city.victim.wait_until_healthy();
    assert!(matches!(city.raise(2).0, 200 | 201));
    assert_eq!(city.raise(1).0, 200);
}

/// The kernel's own way: pages that it could not write are taken for clean, and only one sync says so.
#[test]
fn pages_that_the_system_dropped_are_written_again_from_the_log() {
    let mut city = City::start(SPEED);
    let (told, town) = (Told::default(), Running::lay_out(city.victim.path()));
    let callers = Callers::start(&city.victim.at, &told, &town, 3, 4, Duration::from_millis(2));
    city.victim.wait_for("calls", |_| told.words().accepted.len() > 50);
    city.fail("eat");
    assert_eq!(city.victim.wait_for_its_end("the end"), (Some(1), None));
    let before = told.words().accepted.len();
    city.victim.start(&[]);
    city.victim.wait_until_healthy();
    city.victim.wait_for("calls again", |_| told.words().accepted.len() > before + 50);
    callers.end();
    city.victim.kill();
    let (books, words) = (Books::read(city.victim.path()), told.words());
    assert_eq!(books.complaints(&words, &Books::default()), [""; 0]);
    assert_eq!(words.complaints, [""; 0]);
}

#[test]
fn on_a_slow_disk_callers_wait_and_signals_do_not() {
    const SLOW: Duration = Duration::from_secs(2);
    let mut city = City::start(SPEED);
    city.signals_go_on();
    city.fail(&format!("slow {}", SLOW.as_millis()));
    let began = Instant::now();
    let status = std::thread::scope(|scope| {
        let raised = scope.spawn(|| city.raise(1).0);
        let before = city.count("nanming_signal_commands_total");
        let mut more = 0;
        while !raised.is_finished() {
            more = city.count("nanming_signal_commands_total") - before;
        }
        assert!(more > 0, "{more}");
        raised.join().unwrap()
    });
    assert!(status == 201 && began.elapsed() >= SLOW, "{status} after {:?}", began.elapsed());
    city.mend();
    assert_eq!(city.victim.get("/healthz").unwrap().0, 200);
}
