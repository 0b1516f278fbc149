use std::cell::RefCell;
use std::rc::Rc;
use std::sync::{Arc, Mutex};

use timely::dataflow::ProbeHandle;
use timely::dataflow::operators::vec::Input as _;
use timely::dataflow::operators::{Inspect, Probe};

use super::*;
use crate::ids::LinkId;
use crate::observe::{draws, observe};

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
    restored: States,
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
            ticks.send(Tick { save: (save == Some(tick)).then_some(Kind::Told), is_whole: false });
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
    let (one, _) = run(1, States::default(), 1, 60, None);
    assert!(one.len() > 10);
    assert_eq!(run(2, States::default(), 1, 60, None).0, one);
    assert_eq!(run(3, States::default(), 1, 60, None).0, one);
}

#[test]
fn a_restart_from_a_save_goes_on_as_if_nothing_had_happened() {
    let (whole, _) = run(1, States::default(), 1, 60, None);
    let (before, saved) = run(2, States::default(), 1, 31, Some(30));
    assert!(!saved.is_empty());
    let (after, _) = run(3, saved.iter().collect(), 31, 60, None);
    assert_eq!([before, after].concat(), whole);
}

/// Counts visits; a key that is woken goes or waits anew, by what it has counted.
struct Guests;

impl Machine for Guests {
    type Key = LinkId;
    type Event = (Time, u64);
    type State = u64;
    type Out = (Time, LinkId, u64);

    fn name(&self) -> &'static str {
        "guests"
    }

    const LOOKS: usize = 2;

    fn step(
        &self,
        key: LinkId,
        visits: &mut u64,
        tick: Time,
        events: &[(LinkId, (Time, u64))],
        out: &mut Outbox<Self::Out>,
    ) {
        *visits += events.iter().map(|(_, (_, n))| n).sum::<u64>().max(1);
        out.emit((tick, key, *visits));
        match events.is_empty() && *visits % 2 == 1 {
            true => out.forget(),
            false => out.wake_at(tick + 3 + u64::from(key.0) % 11),
        }
    }
}

#[test]
fn keys_that_go_and_come_again_are_those_of_a_plain_map() {
    let mut random = draws();
    let mut plain: BTreeMap<LinkId, (u64, Time)> = BTreeMap::new();
    let mut shard = shard::Shard::new(Guests, Vault::default(), 0, 1);
    let (mut saves, mut said) = (Vec::new(), 0);
    let mut vault = Vault::default();
    for tick in 1..400 {
        if tick % 97 == 1 {
            // A new engine from all saves so far.
            vault = Vault::restoring(saves.iter().collect());
            shard = shard::Shard::new(Guests, vault.clone(), 0, 1);
        }
        let events: Vec<_> = (0..random(90)).map(|_| (LinkId(random(120) as u32), (tick, random(3)))).collect();
        let mut sums: BTreeMap<LinkId, Option<u64>> =
            plain.iter().filter(|(_, (_, wake))| *wake <= tick).map(|(key, _)| (*key, None)).collect();
        events.iter().for_each(|(key, (_, n))| *sums.entry(*key).or_default().get_or_insert(0) += n);
        let expected: Vec<_> = sums
            .into_iter()
            .map(|(key, sum)| {
                let visits = plain.get(&key).map_or(0, |(visits, _)| *visits) + sum.unwrap_or(0).max(1);
                match sum.is_none() && visits % 2 == 1 {
                    true => drop(plain.remove(&key)),
                    false => drop(plain.insert(key, (visits, tick + 3 + u64::from(key.0) % 11))),
                }
                (tick, key, visits)
            })
            .collect();
        said += expected.len();
        let mark = Tick { save: (tick % 97 == 0 || tick % 31 == 0).then_some(Kind::Seen), is_whole: tick % 62 == 0 };
        assert_eq!(shard.run(tick, events, mark), expected);
        let saved = vault.take();
        if saved.iter().any(|saved| saved.is_whole) {
            // Nothing else is needed then.
            saves.clear();
        }
        saves.extend(saved);
    }
    assert!(said > 10_000, "{said}");
}

#[test]
fn events_are_sorted_by_key_and_then_among_themselves() {
    let mut random = crate::observe::draws();
    for _ in 0..300 {
        let mut events: Vec<(u64, u64)> = (0..random(40)).map(|_| (random(6), random(5))).collect();
        let mut sorted = events.clone();
        sorted.sort();
        super::shard::sort(&mut events);
        assert_eq!(events, sorted);
    }
}
