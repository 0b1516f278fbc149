//! An engine that is killed again and again, and the city that goes on: senders of alarms by HTTP and by Kafka, terminals, signal
//! controllers, sensors. After each death the books are read and held against all that anybody was told.

use std::time::{Duration, Instant};

use nanming_dataflows::network::City;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

use crate::envelope::below;
use crate::running::PATIENCE;

mod books;
mod callers;
mod clock;
mod disk;
mod faulty;
mod flood;
mod memory;
mod orders;
pub(crate) mod place;
mod points;
mod power;
mod sensors;
mod street;
mod terminals;
mod told;
mod topic;
mod victim;

use books::Books;
use callers::Callers;
pub(crate) use place::{Place, TOWN};
use sensors::{Fed, Sensors};
use street::{SETTINGS, Seen, Street};
use told::Told;
use topic::Topic;
pub(crate) use topic::Traffic;
pub(crate) use victim::Victim;

/// One of so many lives is a long one.
const LONG: usize = 5;
const LIT_MS: usize = 5_000;
/// Changes of lamps as the four controllers begin: dark, red, a stage.
const BEGINNINGS: usize = 12;
/// What the engine says of an order that it should not have given: every order of every junction is looked at once more.
const OUTSIDE: &str = "outside its envelope";
/// Between two looks at calls that are not over.
const LOOK: Duration = Duration::from_millis(20);
/// After so many deaths it is said how far it is.
const TOLD: usize = 20;
/// One of so many lives ends while it begins.
const STILLBORN: usize = 5;

/// What is to be done.
pub(crate) struct Plan {
    pub(crate) place: &'static Place,
    pub(crate) seed: u64,
    pub(crate) kills: usize,
    pub(crate) senders: u64,
    /// Between two alarms of a sender.
    pub(crate) every: Duration,
    /// Callers by way of Kafka.
    pub(crate) topic: Option<Traffic>,
    /// Whether the disk loses what was not synced when the engine dies.
    pub(crate) loses_power: bool,
}

/// What came of it.
#[derive(Debug)]
#[allow(dead_code)] // some of it is for the bench to tell
pub(crate) struct Outcome {
    pub(crate) accepted: usize,
    /// Calls that a broker took.
    pub(crate) written: usize,
    pub(crate) broker_deaths: usize,
    /// Sectors that were lost with the power.
    pub(crate) lost_sectors: usize,
    /// Orders to lights that were read from a topic.
    pub(crate) orders: usize,
    pub(crate) assignments: usize,
    pub(crate) answers: usize,
    /// Frames that terminals were sent again.
    pub(crate) again: usize,
    /// From each start to the first tick.
    pub(crate) restarts: Vec<Duration>,
    /// All lives while alarms were due, from each start to its death.
    pub(crate) lived: Duration,
    pub(crate) fed: Fed,
    pub(crate) seen: Seen,
}

/// The city around the engine.
struct Rig<'a> {
    victim: Victim,
    told: Told,
    street: Street<'a>,
    callers: Callers,
    topic: Option<Topic>,
    sensors: Option<Sensors>,
    _terminals: tokio::runtime::Runtime,
    before: Books,
    restarts: Vec<Duration>,
    lost_sectors: usize,
    /// Which play this is.
    play: String,
}

impl<'a> Rig<'a> {
    fn new(city: &'a City, plan: &Plan) -> Rig<'a> {
        let (dir, Plan { place, seed, .. }) = (tempfile::tempdir().unwrap(), plan);
        if place.options.contains(&"town.json") {
            nanming::city_file::write(city, &dir.path().join("town.json")).unwrap();
        }
        let streets = place.has_sensors.then(|| sensors::streets(city, *seed));
        let (told, street) = (Told::default(), Street::start(city, dir.path(), place.equipment));
        let mut settings =
            SETTINGS.map(|(name, value)| (format!("NANMING_CONTROLLERS__{name}"), value.to_owned())).to_vec();
        settings.push(("NANMING_TERMINALS__KEY".into(), terminals::KEY.into()));
        let (topic, orders) = plan.topic.map(|traffic| Topic::start(&told, city, *seed, traffic)).unzip();
        settings.extend(topic.iter().flat_map(Topic::settings));
        if plan.loses_power {
            settings.extend(power::settings(dir.path()));
        }
        let victim = Victim::new(dir, settings, place.options);
        let at = &victim.at;
        let sensors = streets.map(|streets| Sensors::start(at, &told, (streets, orders), street.junctions()));
        let callers = Callers::start(at, &told, city, *seed, plan.senders, plan.every);
        let _terminals = terminals::connect(at, &told, city, *seed, place.pace);
        let (before, restarts) = (Books::default(), Vec::new());
        let (lost_sectors, play) = (0, format!("{}, seed {seed}", place.name));
        Rig { victim, told, street, callers, topic, sensors, _terminals, before, restarts, lost_sectors, play }
    }

    /// The broker dies in one of so many lives, and is back within the next one.
    fn shake_broker(&mut self, life: usize) {
        let Some(topic) = &mut self.topic else { return };
        topic.revive();
        if life.is_multiple_of(topic.dies_once_in) {
            topic.kill();
        }
    }

    fn wait_until_healthy(&mut self) {
        let took = self.victim.wait_until_healthy();
        self.restarts.push(took);
    }

    /// It is dead: the books are read.
    fn inquest(&mut self, what: &str) {
        let books = Books::read(self.victim.path());
        let mut complaints = books.complaints(&self.told.words(), &self.before);
        complaints.extend(self.victim.lines_with(OUTSIDE));
        let play = &self.play;
        assert!(complaints.is_empty(), "{play}, {what}: {complaints:#?}\n{}", self.victim.last_words());
        self.before = books;
    }

    /// How far it is, for who waits for it.
    fn tell(&self, kills: usize) {
        let (words, lived_s) = (self.told.words(), self.victim.at.lived().as_secs());
        let (accepted, written, assignments) = (words.accepted.len(), words.written.len(), words.assignments.len());
        let play = &self.play;
        eprintln!("{play}: {kills} kills, lived {lived_s} s: {accepted} + {written} calls, {assignments} assignments");
    }

    /// The last life: every call is served, and everything is looked at once more.
    fn end(mut self) -> Outcome {
        self.wait_until_healthy();
        self.callers.end();
        let lived = self.victim.at.lived();
        let (_broker, counts) = self.topic.map(Topic::end).unzip();
        let (broker_deaths, orders) = counts.unwrap_or_default();
        let fed = self.sensors.map(Sensors::end).unwrap_or_default();
        wait_until_all_is_served(&self.victim, &self.told, &self.play);
        let conflicts = self.victim.get("/metrics").unwrap().1;
        assert!(conflicts.lines().any(|line| line == "nanming_ledger_conflicts_total 0"), "an ID was given twice");
        self.victim.kill();
        let books = Books::read(self.victim.path());
        let words = self.told.words();
        let mut complaints = books.complaints(&words, &self.before);
        complaints.extend(words.complaints.iter().cloned().chain(books.unread(&words)));
        complaints.extend(self.victim.lines_with(OUTSIDE));
        let seen = self.street.seen();
        complaints.extend(seen.complaints.iter().cloned());
        assert!(complaints.is_empty(), "{}: {complaints:#?}", self.play);
        assert_eq!((books.open(), books.forgotten()), (0, vec![]), "{}", self.play);
        Outcome {
            accepted: words.accepted.len(),
            written: words.written.len(),
            broker_deaths,
            lost_sectors: self.lost_sectors,
            orders,
            assignments: words.assignments.len(),
            answers: words.answers.len(),
            again: words.again,
            restarts: self.restarts,
            lived,
            fed,
            seen,
        }
    }
}

/// For as long as calls end: there may be more than units, and a busy machine serves them late.
fn wait_until_all_is_served(victim: &Victim, told: &Told, play: &str) {
    let is_over = |id: &u64| {
        let page = victim.get(&format!("/calls/{id}")).map(|(_, page)| page).unwrap_or_default();
        ["closed", "cancelled"].iter().any(|end| page.contains(&format!("\"phase\":\"{end}\",\"priority\"")))
    };
    let (mut open, mut since) = (told.words().ids(), Instant::now());
    while !open.is_empty() {
        let before = open.len();
        open.retain(|id| !is_over(id));
        if open.len() < before {
            since = Instant::now();
        }
        let first = open.first().and_then(|id| victim.get(&format!("/calls/{id}")));
        let left = open.len();
        assert!(since.elapsed() < PATIENCE, "{play}: {left} calls do not end, as {first:?}: {}", victim.last_words());
        std::thread::park_timeout(LOOK);
    }
}

/// Plays it. Panics when anything is not as it must be.
pub(crate) fn play(plan: &Plan) -> Outcome {
    let Plan { place, seed, kills, .. } = plan;
    let (city, mut random) = (place.city(), ChaCha8Rng::seed_from_u64(*seed));
    let mut rig = Rig::new(&city, plan);
    for kill in 1..=*kills {
        rig.victim.start(&[]);
        if below(&mut random, STILLBORN) > 0 {
            rig.wait_until_healthy();
        }
        rig.shake_broker(kill);
        let most_ms = if below(&mut random, LONG) == 0 { place.long_life_ms } else { place.life_ms };
        std::thread::park_timeout(Duration::from_millis(below(&mut random, most_ms) as u64));
        rig.victim.kill();
        if plan.loses_power {
            rig.lost_sectors += power::lose(rig.victim.path(), &mut random);
        }
        rig.inquest(&format!("kill {kill}"));
        if kill.is_multiple_of(TOLD) {
            rig.tell(kill);
        }
    }
    rig.victim.start(&[]);
    rig.end()
}

/// Fifty calls a second.
const IN_TOWN: Plan =
    Plan { place: &TOWN, seed: 1, kills: 0, senders: 5, every: EVERY, topic: None, loses_power: false };
/// Between two alarms of a sender.
const EVERY: Duration = Duration::from_millis(100);

fn setting(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().map_or(otherwise, |text| text.parse().unwrap())
}

/// Lives long enough for lights to change, by an engine that has nothing else to do.
#[test]
fn lights_of_an_engine_that_is_killed_at_random_moments_stay_inside_their_envelope() {
    let (seed, kills) = (setting("NANMING_SEED", 3), setting("NANMING_KILLS", 12));
    eprintln!("NANMING_SEED={seed} NANMING_KILLS={kills}");
    let (city, mut random) = (TOWN.city(), ChaCha8Rng::seed_from_u64(seed));
    let mut rig = Rig::new(&city, &Plan { seed, senders: 0, ..IN_TOWN });
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
    let outcome = play(&Plan { seed, kills, ..IN_TOWN });
    eprintln!("{outcome:?}");
    assert!(outcome.accepted > 10 * kills && outcome.assignments > outcome.accepted / 2, "{outcome:?}");
    assert!(outcome.again > 0 && outcome.answers > outcome.accepted, "{outcome:?}");
    assert!(outcome.restarts.len() > kills / 2, "{outcome:?}");
    assert!(outcome.seen.taken_over >= 4 && outcome.seen.wishes >= 4, "{outcome:?}");
}

/// Of what was written since the last sync any part is missing.
#[test]
fn what_was_answered_outlives_a_loss_of_power() {
    let (seed, kills) = (setting("NANMING_SEED", 7), setting("NANMING_KILLS", 16) as usize);
    eprintln!("NANMING_SEED={seed} NANMING_KILLS={kills}");
    let outcome = play(&Plan { seed, kills, loses_power: true, ..IN_TOWN });
    eprintln!("{outcome:?}");
    assert!(outcome.accepted > 10 * kills && outcome.lost_sectors > 0, "{outcome:?}");
}

/// Alarms by way of a real broker, which is killed too.
#[test]
fn what_a_broker_has_taken_is_served_whatever_is_killed_between() {
    let (seed, kills) = (setting("NANMING_SEED", 5), setting("NANMING_KILLS", 12) as usize);
    eprintln!("NANMING_SEED={seed} NANMING_KILLS={kills}");
    let topic = Some(Traffic { every: Duration::from_millis(40), dies_once_in: 5 });
    let outcome = play(&Plan { seed, kills, topic, ..IN_TOWN });
    eprintln!("{outcome:?}");
    assert!(outcome.written > 10 * kills && outcome.accepted > 0, "{outcome:?}");
    assert!(outcome.broker_deaths == kills / 5 && outcome.orders > 0, "{outcome:?}");
}
