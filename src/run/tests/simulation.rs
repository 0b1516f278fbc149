//! The engine, its ledger and its restarts under a clock of its own, with a net between it and a simulated town that delays,
//! doubles, reorders and loses. Everything follows from a seed: one that fails fails again.
//!
//! `NANMING_SEEDS=0..500 cargo test -p nanming --lib simulation` plays other seeds than the first few.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use nanming_dataflows::Time;
use nanming_dataflows::decision::AssignmentPhase;
use nanming_dataflows::event::{AssignmentId, Batch, CallChange, CallEvent, CallFacts, Category, Needs, Priority};
use nanming_dataflows::ids::UnitId;
use nanming_dataflows::keyed::Tick;
use nanming_simulators::town;
use nanming_simulators::world::{World, WorldSettings};

use super::*;
use crate::ledger::refusals;

/// A Thursday, 07:30 in Guiyang.
const START_MS: u64 = 1_767_828_600_000;
/// Calls are raised so long, and what is open has so long to be served, s.
const CALLS_S: u64 = 600;
const SERVED_S: u64 = 3_000;
/// Two thousand minutes of city time.
const SEEDS: Range<u64> = 0..32;
const SAVE_S: u64 = 5;

/// Chances, the same in every run of a seed (xorshift).
struct Chance(u64);

impl Chance {
    fn below(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % n
    }

    fn is(&mut self, milli: u64) -> bool {
        self.below(1_000) < milli
    }
}

/// When an engine dies in a tick.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Death {
    BeforeCommit,
    BeforeTelling,
    AfterTelling,
}

struct Simulation {
    city: Arc<City>,
    chance: Chance,
    world: World,
    dir: TempDir,
    ledger: Option<Ledger>,
    engine: Option<Engine>,
    begins_ms: Time,
    /// What is told to the next engine in its first tick.
    facts: Vec<Event>,
    untold: Option<TickRecord>,
    /// Snapshots, the newest of each state, and their tick.
    kept: Restored,
    /// On its way to the engine, by when it comes.
    air: BTreeMap<(Time, u64), Event>,
    /// When the last answer of each unit comes.
    answers_ms: BTreeMap<UnitId, Time>,
    sent: u64,
    raised: u64,
    seen: Seen,
    deaths: u64,
    /// Of all that was decided, where somebody wants to compare it: it takes longer than to decide.
    digest: Option<blake3::Hasher>,
}

/// What anybody could have seen from outside.
#[derive(Default)]
struct Seen {
    accepted: BTreeSet<CallId>,
    over: BTreeSet<CallId>,
    /// Who was ever sent by an assignment, and which ones are in force.
    sent: BTreeMap<AssignmentId, UnitId>,
    live: BTreeMap<UnitId, AssignmentId>,
    escalated: BTreeSet<CallId>,
}

impl Simulation {
    fn new(seed: u64) -> Simulation {
        let city = Arc::new(town::small(2, 2, seed % 5));
        let settings = WorldSettings { seed, start_ms: START_MS, ..WorldSettings::default() };
        let dir = tempfile::tempdir().unwrap();
        let mut simulation = Simulation {
            chance: Chance(seed * 2_654_435_761 + 88_172_645_463_325_252),
            world: World::new(Arc::clone(&city), settings),
            dir,
            ledger: None,
            engine: None,
            begins_ms: 0,
            facts: Vec::new(),
            untold: None,
            kept: Restored::default(),
            air: BTreeMap::new(),
            answers_ms: BTreeMap::new(),
            sent: 0,
            raised: 0,
            seen: Seen::default(),
            deaths: 0,
            digest: None,
            city,
        };
        simulation.start(START_MS);
        simulation
    }

    /// How often the engine died.
    fn play(&mut self) -> u64 {
        for second in 1..=CALLS_S + SERVED_S {
            let tick = START_MS + second * 1_000 + self.chance.below(400);
            for event in self.world.step(tick) {
                self.send(event, tick);
            }
            if second <= CALLS_S && self.chance.is(12) {
                let alarm = self.alarm(tick);
                self.send(alarm, tick);
            }
            if self.engine.is_none() && tick >= self.begins_ms {
                self.start(tick);
            }
            if self.engine.is_some() {
                self.tick(tick, second);
            }
        }
        self.judge();
        self.deaths
    }

    /// Gives an event to the net. Sensors' may be lost; who raises a call or answers says it until it is taken, and controllers
    /// have a connection, which loses nothing as long as it stands.
    fn send(&mut self, event: Event, now_ms: Time) {
        if matches!(event, Event::Signal(_)) && self.engine.is_none() {
            return;
        }
        let is_sensed =
            !matches!(event, Event::Call(_) | Event::Ack(_) | Event::Roster(_) | Event::Hold(_) | Event::Signal(_));
        if is_sensed && (self.chance.is(20) || self.engine.is_none()) {
            return;
        }
        let copies = 1 + u64::from(self.chance.is(30));
        for _ in 0..copies {
            let delay_ms = if self.chance.is(150) { self.chance.below(8_000) } else { 0 };
            let mut comes_ms = now_ms + delay_ms;
            if let Event::Ack(ack) = &event {
                // A terminal says one thing after the other.
                let last_ms = self.answers_ms.entry(ack.unit).or_default();
                *last_ms = comes_ms.max(*last_ms);
                comes_ms = *last_ms;
            }
            self.sent += 1;
            self.air.insert((comes_ms, self.sent), event.clone());
        }
    }

    fn alarm(&mut self, time_ms: Time) -> Event {
        let (grid, link) = (self.chance.below(4) as usize, self.chance.below(self.city.links.len() as u64) as usize);
        self.raised += 1;
        let facts = CallFacts {
            priority: [Priority::A, Priority::B, Priority::C][self.chance.below(3) as usize],
            category: [Category::Help, Category::Crime, Category::Disturbance][self.chance.below(3) as usize],
            at: self.city.links[link].shape[0],
            grid: self.city.grids[grid].id,
            needs: Needs { units: 1 + u8::from(self.chance.is(100)), ..Needs::ONE },
        };
        Event::Call(CallEvent { time_ms, call: CallId(5_000_000_000 + self.raised), change: CallChange::Opened(facts) })
    }

    /// What has come through the net makes a tick; the engine may die in it.
    fn tick(&mut self, tick: Time, second: u64) {
        let later = self.air.split_off(&(tick + 1, 0));
        let came = std::mem::replace(&mut self.air, later);
        let mut batch = Batch::default();
        batch.extend(std::mem::take(&mut self.facts));
        let restored = batch.calls.len();
        batch.extend(came.values().cloned());
        let save = (second.is_multiple_of(SAVE_S)).then_some(Kind::Seen);
        let engine = self.engine.as_mut().unwrap();
        engine.submit(tick, batch.clone(), Tick { save, is_whole: false }).unwrap();
        let finished = engine.finished().unwrap();
        let record = TickRecord { decisions: finished.decisions, ..TickRecord::closing(tick, &batch) };
        let deaths = [Death::BeforeCommit, Death::BeforeTelling, Death::AfterTelling];
        let death = self.chance.is(4).then(|| deaths[self.chance.below(3) as usize]);
        // Lamps are told before anything is written.
        record.decisions.commands.iter().for_each(|command| self.world.switch(command));
        if death == Some(Death::BeforeCommit) {
            self.air.extend(came.into_iter().filter(|(_, event)| matches!(event, Event::Call(_) | Event::Ack(_))));
            return self.die(tick);
        }
        self.ledger.as_mut().unwrap().commit(std::slice::from_ref(&record)).unwrap();
        self.seen.take(&record, restored);
        if let Some(digest) = &mut self.digest {
            digest.update(format!("{:?}", record.decisions).as_bytes());
        }
        if death == Some(Death::BeforeTelling) {
            // Terminals hear when they are connected again.
            self.untold = Some(record);
            return self.die(tick);
        }
        self.tell(&record);
        if !finished.saved.is_empty() {
            self.kept.tick = tick;
            finished.saved.iter().for_each(|saved| self.kept.states.put(saved));
        }
        if death == Some(Death::AfterTelling) {
            self.die(tick);
        }
    }

    fn tell(&mut self, record: &TickRecord) {
        record.calls.iter().for_each(|call| self.world.note_call(call));
        self.world.dispatch(&record.decisions);
    }

    fn die(&mut self, tick: Time) {
        (self.engine, self.ledger) = (None, None);
        self.begins_ms = tick + 500 + self.chance.below(20_000);
        self.deaths += 1;
    }

    /// As a run starts: what the ledger and the newest snapshot know.
    fn start(&mut self, now_ms: Time) {
        let ledger = Ledger::open(&self.dir.path().join("ledger.sqlite"), 1, &self.city).unwrap();
        self.seen.is_in(&ledger);
        if let Some(record) = self.untold.take() {
            self.tell(&record);
        }
        let rosters = ledger.rosters(now_ms).unwrap();
        self.facts = facts(&self.city, &ledger, rosters.events, now_ms).unwrap().0;
        let states = self.kept.clone().for_start(now_ms).states;
        let workers = 1 + self.chance.below(2) as usize;
        (self.engine, self.ledger) = (Some(Engine::start_with(&self.city, workers, states)), Some(ledger));
    }

    fn judge(&mut self) {
        assert_eq!(self.world.summary().unsafe_commands, 0, "a command outside its envelope");
        let ledger = match self.ledger.take() {
            Some(ledger) => ledger,
            None => Ledger::open(&self.dir.path().join("ledger.sqlite"), 1, &self.city).unwrap(),
        };
        self.seen.is_in(&ledger);
        let served: BTreeSet<CallId> = self.seen.live.values().map(|id| id.call).collect();
        for call in self.seen.accepted.difference(&self.seen.over) {
            let is_known = served.contains(call) || self.seen.escalated.contains(call);
            let page = Book::open(&self.dir.path().join("ledger.sqlite")).unwrap().page(*call).unwrap();
            assert!(is_known, "neither a unit nor an escalation: {page:?}");
        }
        assert!(self.seen.over.len() * 2 > self.seen.accepted.len(), "{} are over", self.seen.over.len());
    }
}

impl Seen {
    /// What a committed tick said.
    fn take(&mut self, record: &TickRecord, restored: usize) {
        let taken = refusals::calls(record).skip(restored).filter(|(_, refused)| refused.is_none());
        let opened = taken.filter(|(call, _)| matches!(call.change, CallChange::Opened(_)));
        self.accepted.extend(opened.map(|(call, _)| call.call));
        let d = &record.decisions;
        for ended in d.assignment_statuses.iter().filter(|s| matches!(s.phase, AssignmentPhase::Ended(_))) {
            if self.live.get(&ended.unit) == Some(&ended.id) {
                self.live.remove(&ended.unit);
            }
        }
        for new in &d.assignments {
            let before = self.sent.insert(new.id, new.unit);
            assert!(before.is_none(), "assignment {:?} was given before, to {before:?}", new.id);
            let engaged = self.live.insert(new.unit, new.id);
            assert!(engaged.is_none(), "unit {:?} is on {engaged:?} and is sent to {:?}", new.unit, new.id);
        }
        self.over.extend(d.calls.iter().filter(|s| s.phase.is_over()).map(|s| s.call));
        self.escalated.extend(d.escalations.iter().map(|e| e.call));
    }

    /// The ledger knows all of it, and nothing else.
    fn is_in(&self, ledger: &Ledger) {
        let in_force = ledger.assignments_in_force().unwrap();
        let held: BTreeMap<UnitId, AssignmentId> =
            in_force.iter().map(|a| (a.assignment.unit, a.assignment.id)).collect();
        assert_eq!(held, self.live, "assignments in force");
        let open: BTreeSet<CallId> = ledger.open_calls().unwrap().iter().map(|(call, _)| call.call).collect();
        let known: BTreeSet<CallId> = self.accepted.difference(&self.over).copied().collect();
        let lost: Vec<_> = known.difference(&open).collect();
        assert!(lost.is_empty(), "accepted calls that the ledger does not hold open: {lost:?}");
    }
}

/// Seeds as they are asked for.
fn seeds() -> Range<u64> {
    let Ok(asked) = std::env::var("NANMING_SEEDS") else { return SEEDS };
    let bounds = asked.split_once("..").and_then(|(from, to)| Some(from.parse().ok()?..to.parse().ok()?));
    bounds.expect("NANMING_SEEDS is to be like 0..500")
}

#[test]
fn whatever_the_net_and_death_do_no_call_is_lost_and_nobody_is_sent_twice() {
    let (next, deaths) = (AtomicU64::new(seeds().start), AtomicU64::new(0));
    let play = || {
        while let Some(seed) = Some(next.fetch_add(1, Ordering::Relaxed)).filter(|seed| seeds().contains(seed)) {
            println!("seed {seed}");
            deaths.fetch_add(Simulation::new(seed).play(), Ordering::Relaxed);
        }
    };
    // One seed's play has no word in another's.
    std::thread::scope(|scope| {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        (0..threads).for_each(|_| drop(scope.spawn(play)));
    });
    let deaths = deaths.into_inner();
    assert!(deaths > seeds().count() as u64, "{deaths} deaths are too few to show anything");
}

#[test]
fn a_seed_plays_the_same_again() {
    let digest = || {
        let mut simulation = Simulation { digest: Some(blake3::Hasher::new()), ..Simulation::new(3) };
        (simulation.play(), simulation.digest.map(|digest| digest.finalize()))
    };
    assert_eq!(digest(), digest());
}
