//! An engine that is killed again and again, and the city that goes on: senders of alarms, terminals, signal controllers. After
//! each death the books are read and held against all that anybody was told.

use std::time::Duration;

use nanming_dataflows::network::City;
use nanming_simulators::sumo_net::with_units;
use nanming_simulators::town;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

use crate::envelope::below;

mod books;
mod callers;
mod clock;
mod disk;
mod faulty;
mod flood;
mod memory;
mod points;
mod street;
mod terminals;
mod told;
mod victim;

use books::Books;
use callers::Callers;
use street::{SETTINGS, SPEED, Seen, Street};
use told::Told;
pub(crate) use victim::Victim;

const UNITS: usize = 60;
/// It lives for so long at most, ms; one of so many times longer: in that lights change.
const LIFE_MS: usize = 800;
const LONG_LIFE_MS: usize = 6_000;
const LONG: usize = 5;
const LIT_MS: usize = 5_000;
/// Changes of lamps as the four controllers begin: dark, red, a stage.
const BEGINNINGS: usize = 12;
/// One of so many lives ends while it begins.
const STILLBORN: usize = 5;

/// What is to be done.
pub(crate) struct Plan {
    pub(crate) seed: u64,
    pub(crate) kills: usize,
    pub(crate) senders: u64,
    /// Of a sender between two alarms.
    pub(crate) pause: Duration,
}

/// What came of it.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) accepted: usize,
    pub(crate) assignments: usize,
    pub(crate) answers: usize,
    /// Frames that terminals were sent again.
    pub(crate) again: usize,
    /// From each start to the first tick.
    pub(crate) restarts: Vec<Duration>,
    pub(crate) seen: Seen,
}

/// The city around the engine.
struct Rig<'a> {
    victim: Victim,
    told: Told,
    street: Street<'a>,
    callers: Callers,
    _terminals: tokio::runtime::Runtime,
    before: Books,
    restarts: Vec<Duration>,
    seed: u64,
}

fn city() -> City {
    let mut city = town::small(2, 2, 1);
    let more = UNITS - city.units.len();
    with_units(&mut city, more, 1);
    city.units.iter_mut().for_each(|unit| unit.shift_min = (0, 0));
    city
}

impl<'a> Rig<'a> {
    fn new(city: &'a City, plan: &Plan) -> Rig<'a> {
        let dir = tempfile::tempdir().unwrap();
        nanming::city_file::write(city, &dir.path().join("town.json")).unwrap();
        let (told, street) = (Told::default(), Street::start(city, dir.path()));
        let mut settings =
            SETTINGS.map(|(name, value)| (format!("NANMING_CONTROLLERS__{name}"), value.to_owned())).to_vec();
        settings.push(("NANMING_TERMINALS__KEY".into(), terminals::KEY.into()));
        let victim = Victim::new(dir, settings, &["--city", "town.json", "--no-sim", "--speed", &SPEED.to_string()]);
        let callers = Callers::start(&victim.at, &told, city, plan.seed, plan.senders, plan.pause);
        let _terminals = terminals::connect(&victim.at, &told, city, plan.seed);
        let (before, restarts) = (Books::default(), Vec::new());
        Rig { victim, told, street, callers, _terminals, before, restarts, seed: plan.seed }
    }

    fn wait_until_healthy(&mut self) {
        let took = self.victim.wait_until_healthy();
        self.restarts.push(took);
    }

    /// It is dead: the books are read.
    fn inquest(&mut self, what: &str) {
        let books = Books::read(self.victim.path());
        let complaints = books.complaints(&self.told.words(), &self.before);
        let seed = self.seed;
        assert!(complaints.is_empty(), "seed {seed}, {what}: {complaints:#?}\n{}", self.victim.last_words());
        self.before = books;
    }

    /// The last life: every call is served, and everything is looked at once more.
    fn end(mut self) -> Outcome {
        self.wait_until_healthy();
        self.callers.end();
        let accepted: Vec<u64> = self.told.words().accepted.keys().copied().collect();
        let is_over = |victim: &Victim, id: &u64| {
            victim.get(&format!("/calls/{id}")).is_some_and(|(_, page)| {
                page.contains("\"phase\":\"closed\",\"priority\"")
                    || page.contains("\"phase\":\"cancelled\",\"priority\"")
            })
        };
        let mut open = accepted.clone();
        self.victim.wait_for("the end of every call", |victim| {
            open.retain(|id| !is_over(victim, id));
            open.is_empty()
        });
        let conflicts = self.victim.get("/metrics").unwrap().1;
        assert!(conflicts.lines().any(|line| line == "nanming_ledger_conflicts_total 0"), "an ID was given twice");
        self.victim.kill();
        let books = Books::read(self.victim.path());
        let words = self.told.words();
        let mut complaints = books.complaints(&words, &self.before);
        complaints.extend(words.complaints.iter().cloned());
        let seen = self.street.seen();
        complaints.extend(seen.complaints.iter().cloned());
        assert!(complaints.is_empty(), "seed {}: {complaints:#?}", self.seed);
        assert_eq!((books.open(), books.forgotten()), (0, vec![]), "seed {}", self.seed);
        let (assignments, answers, again) = (words.assignments.len(), words.answers.len(), words.again);
        Outcome { accepted: accepted.len(), assignments, answers, again, restarts: self.restarts, seen }
    }
}

/// Plays it. Panics when anything is not as it must be.
pub(crate) fn play(plan: &Plan) -> Outcome {
    let (city, mut random) = (city(), ChaCha8Rng::seed_from_u64(plan.seed));
    let mut rig = Rig::new(&city, plan);
    for kill in 1..=plan.kills {
        rig.victim.start(&[]);
        if below(&mut random, STILLBORN) > 0 {
            rig.wait_until_healthy();
        }
        let most_ms = if below(&mut random, LONG) == 0 { LONG_LIFE_MS } else { LIFE_MS };
        std::thread::park_timeout(Duration::from_millis(below(&mut random, most_ms) as u64));
        rig.victim.kill();
        rig.inquest(&format!("kill {kill}"));
    }
    rig.victim.start(&[]);
    rig.end()
}

fn setting(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().map_or(otherwise, |text| text.parse().unwrap())
}

/// Lives long enough for lights to change, by an engine that has nothing else to do.
#[test]
fn lights_of_an_engine_that_is_killed_at_random_moments_stay_inside_their_envelope() {
    let (seed, kills) = (setting("NANMING_SEED", 3), setting("NANMING_KILLS", 12));
    eprintln!("NANMING_SEED={seed} NANMING_KILLS={kills}");
    let (city, mut random) = (city(), ChaCha8Rng::seed_from_u64(seed));
    let mut rig = Rig::new(&city, &Plan { seed, kills: 0, senders: 0, pause: Duration::ZERO });
    for _ in 0..kills {
        rig.victim.start(&[]);
        rig.wait_until_healthy();
        std::thread::park_timeout(Duration::from_millis(below(&mut random, LIT_MS) as u64));
        rig.victim.kill();
    }
    // A slow machine may have killed it before it changed any lights.
    rig.victim.start(&[]);
    let Rig { victim, street, .. } = &mut rig;
    victim.wait_for("lights that change", |_| street.seen().changes > BEGINNINGS);
    let seen = street.seen();
    eprintln!("{seen:?}");
    assert!(seen.complaints.is_empty(), "seed {seed}: {:#?}", seen.complaints);
    assert!(seen.wishes > kills as usize, "{seen:?}");
}

/// `NANMING_KILLS` and `NANMING_SEED` make it longer, or another.
#[test]
fn killed_at_random_moments_nothing_is_lost_doubled_or_unsafe() {
    let (seed, kills) = (setting("NANMING_SEED", 1), setting("NANMING_KILLS", 24) as usize);
    eprintln!("NANMING_SEED={seed} NANMING_KILLS={kills}");
    let outcome = play(&Plan { seed, kills, senders: 3, pause: Duration::from_millis(60) });
    eprintln!("{outcome:?}");
    assert!(outcome.accepted > 10 * kills && outcome.assignments > outcome.accepted / 2, "{outcome:?}");
    assert!(outcome.again > 0 && outcome.answers > outcome.accepted, "{outcome:?}");
    assert!(outcome.restarts.len() > kills / 2, "{outcome:?}");
    assert!(outcome.seen.taken_over >= 4 && outcome.seen.wishes >= 4, "{outcome:?}");
}
