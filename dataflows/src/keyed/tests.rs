use std::cell::RefCell;
use std::rc::Rc;
use std::sync::{Arc, Mutex};

use timely::dataflow::ProbeHandle;
use timely::dataflow::operators::vec::Input as _;
use timely::dataflow::operators::{Inspect, Probe};

use super::*;
use crate::ids::LinkId;
use crate::observe::observe;

/// Adds up what it is told and says the sum `delay` ms after the last word.
struct Sum {
    delay: Time,
}

impl Machine for Sum {
    type Key = LinkId;
    type Event = (u64, i64);
    type State = i64;
    type Out = (Time, LinkId, i64);

    fn name(&self) -> &'static str {
        "sum"
    }

    fn step(
        &self,
        key: LinkId,
        sum: &mut i64,
        tick: Time,
        events: &[(LinkId, (u64, i64))],
        out: &mut Outbox<Self::Out>,
    ) {
        for (_, (_, n)) in events {
            *sum = *sum * 3 + n;
            out.wake_at(tick + self.delay);
        }
        if events.is_empty() {
            out.emit((tick, key, *sum));
        }
    }
}

#[test]
fn a_timer_fires_at_the_first_tick_not_before_it_and_the_last_word_counts() {
    let told = vec![(2, (LinkId(1), (2, 5))), (4, (LinkId(1), (4, 1))), (4, (LinkId(2), (4, 7)))];
    let seen = observe(1..=20, |scope, ticks| keyed(scope.given(told), ticks, Sum { delay: 5 }, &Vault::default()));
    assert_eq!(seen, vec![(9, LinkId(1), 16), (9, LinkId(2), 7)]);
}

#[test]
fn events_of_a_tick_are_stepped_in_event_time_whatever_their_order_of_arrival() {
    let forth = vec![(3, (LinkId(1), (1, 1))), (3, (LinkId(1), (2, 2)))];
    let back = forth.iter().rev().copied().collect::<Vec<_>>();
    let run = |told: Vec<_>| {
        observe(1..=20, |scope, ticks| keyed(scope.given(told), ticks, Sum { delay: 1 }, &Vault::default()))
    };
    assert_eq!(run(forth.clone()), run(back));
    assert_eq!(run(forth), vec![(4, LinkId(1), 5)]);
}

/// Feeds ticks `from..to` to `workers` workers that start from `restored`; returns what was said and what was saved at `save`.
fn run(
    workers: usize,
    restored: Vec<Saved>,
    from: Time,
    to: Time,
    save: Option<Time>,
) -> (Vec<(Time, LinkId, i64)>, Vec<Saved>) {
    let all: Arc<Mutex<(Vec<_>, Vec<_>)>> = Arc::default();
    let shared = Arc::clone(&all);
    timely::execute(timely::Config::process(workers), move |worker| {
        let vault = Vault::restoring(restored.clone());
        let said: Rc<RefCell<Vec<_>>> = Rc::default();
        let probe = ProbeHandle::new();
        let (mut events, mut ticks) = worker.dataflow::<Time, _, _>(|scope| {
            let (events, stream) = scope.new_input();
            let (ticks, clock) = scope.new_input();
            let sink = Rc::clone(&said);
            keyed(stream, clock, Sum { delay: 7 }, &vault)
                .inspect(move |x| sink.borrow_mut().push(*x))
                .probe_with(&probe);
            (events, ticks)
        });
        let (index, peers) = (worker.index() as u64, worker.peers() as u64);
        for tick in from..to {
            events.advance_to(tick);
            ticks.advance_to(tick);
            ticks.send(Tick { save: save == Some(tick) });
            if tick % peers == index {
                events.send((LinkId((tick * 7 % 13) as u32), (tick, tick as i64)));
            }
            events.advance_to(tick + 1);
            ticks.advance_to(tick + 1);
            worker.step_while(|| probe.less_equal(&tick));
        }
        let mut all = shared.lock().unwrap();
        all.0.extend(said.take());
        all.1.extend(vault.take());
    })
    .unwrap();
    let mut all = std::mem::take(&mut *all.lock().unwrap());
    all.0.sort();
    all
}

#[test]
fn any_number_of_workers_says_the_same() {
    let (one, _) = run(1, vec![], 1, 60, None);
    assert!(one.len() > 10);
    assert_eq!(run(2, vec![], 1, 60, None).0, one);
    assert_eq!(run(3, vec![], 1, 60, None).0, one);
}

#[test]
fn a_restart_from_a_save_goes_on_as_if_nothing_had_happened() {
    let (whole, _) = run(1, vec![], 1, 60, None);
    let (before, saved) = run(2, vec![], 1, 31, Some(30));
    assert!(!saved.is_empty());
    let (after, _) = run(3, saved, 31, 60, None);
    assert_eq!([before, after].concat(), whole);
}
