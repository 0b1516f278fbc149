//! Snapshots: what the engine's machines remember at a tick, and how far sources are read with it, on the disk.
//!
//! Every few seconds a tick is marked and machines hand over the states that changed since the last one; a thread of its own
//! appends them to a file, as one record with a hash. So no tick waits for more than what changed, nobody's call waits behind
//! megabytes in the ledger, and a record counts whole or not at all. A file that has grown long is replaced by one that begins
//! with all states; the one before it stays until there is another. After a crash the newest record that is whole holds,
//! be it in the file before.
//!
//! Of a snapshot, what was learned is good for ever, and what was seen of the city for [`FRESH_MS`]. Calls, assignments and
//! holds are not in it: they are in the ledger, which knows them to the last tick, and are told as facts.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crossbeam_channel::{Sender, TrySendError, bounded};
use nanming_dataflows::Time;
use nanming_dataflows::bookmark::Bookmark;
use nanming_dataflows::decide::forecast::LAYOUT;
use nanming_dataflows::keyed::{Kind, Saved, States, Tick};
use nanming_dataflows::network::City;
use serde::{Deserialize, Serialize};

use crate::metrics::Metrics;
use crate::offsets::Offsets;

mod chain;
mod file;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) mod fuzzing;
mod keeper;
#[cfg(test)]
mod tests;

use chain::Chain;
use keeper::Keeper;

/// States are asked for so often.
const ASK: Duration = Duration::from_secs(5);
/// What was seen of the city is good for so long, ms of city time: later nobody would know it again.
pub const FRESH_MS: u64 = 600_000;
/// To be raised whenever a machine's state is laid out anew: states of another version are not read.
const VERSION: u32 = 2;

/// States that changed since the part before, and how far sources are read: all of one tick.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Part {
    tick: Time,
    read: Vec<Bookmark>,
    states: Vec<Saved>,
    /// Whether they are all states, whatever was saved before.
    #[serde(skip)]
    is_whole: bool,
}

impl Part {
    /// Goes on with a later one.
    fn absorb(&mut self, later: Part) {
        self.tick = later.tick;
        self.read = later.read;
        self.states.extend(later.states);
        self.is_whole |= later.is_whole;
    }
}

/// Of what the states are: they are only read by an engine that lays them out alike, for the same streets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Of {
    version: u32,
    layout: [usize; LAYOUT.len()],
    city: String,
}

impl Of {
    fn city(city: &City) -> Of {
        Of { version: VERSION, layout: LAYOUT, city: whose(city) }
    }
}

/// What a snapshot held.
#[derive(Clone, Debug, Default)]
pub struct Restored {
    /// Its tick; 0 without one.
    pub tick: Time,
    /// How far sources were read with it.
    pub read: Offsets,
    /// The states.
    pub states: States,
}

impl Restored {
    /// What of it is good for an engine that begins at `start_ms`: all, or what was learned. Sources are read from where the
    /// states are of; offsets of a snapshot that is too old say nothing.
    pub fn for_start(mut self, start_ms: u64) -> Restored {
        if self.tick.saturating_add(FRESH_MS) < start_ms {
            self.states.retain(|_, kind| kind == Kind::Learned);
            self.read = Offsets::default();
        }
        self
    }

    /// Without the states of some machines.
    pub fn without(mut self, machines: &[&str]) -> Restored {
        self.states.retain(|machine, _| !machines.contains(&machine));
        self
    }
}

/// The door's end: asks for states, and hands them on.
pub struct Snapshots {
    to: Sender<Part>,
    /// What the keeper had no room for yet.
    waiting: Part,
    read: Offsets,
    asked: Instant,
    kind: Kind,
    /// Whether the keeper needs all states: what was in its files is there no more.
    wants_whole: Arc<AtomicBool>,
}

/// The thread that keeps them; it ends after the door's end is dropped.
pub type Keeping = JoinHandle<()>;

/// The directory of an engine's snapshots, and what was found in it.
pub struct Opened {
    chain: Chain,
    /// What the newest snapshot held.
    pub found: Restored,
}

impl Opened {
    /// Reads the newest snapshot in a directory, which need not exist. What is damaged, or of another city or version, is said in
    /// the log; then the one before it holds, or none.
    pub fn in_dir(dir: &Path, city: &City) -> std::io::Result<Opened> {
        let (chain, found) = Chain::open(dir, Of::city(city))?;
        Ok(Opened { chain, found })
    }

    /// Begins to keep the states of an engine that started with `start`: those of a kind and of the kinds before it.
    pub fn keep(self, start: &Restored, kind: Kind, metrics: Arc<Metrics>) -> std::io::Result<(Snapshots, Keeping)> {
        let (to, from) = bounded(4);
        let begun = Part { tick: start.tick, read: start.read.bookmarks(), ..Part::default() };
        let keeper = Keeper::new(self.chain, begun, start.states.clone(), metrics);
        let wants_whole = keeper.wants_whole();
        let thread = std::thread::Builder::new().name("snapshots".into()).spawn(move || keeper.run(&from))?;
        let (waiting, read, asked) = (Part::default(), start.read.clone(), Instant::now());
        Ok((Snapshots { to, waiting, read, asked, kind, wants_whole }, thread))
    }
}

impl Snapshots {
    /// The mark of the next tick: from time to time it asks machines for their states.
    pub fn mark(&mut self) -> Tick {
        let asks = self.asked.elapsed() >= ASK;
        if asks {
            self.asked = Instant::now();
        }
        Tick { save: asks.then_some(self.kind), is_whole: asks && self.wants_whole.swap(false, Ordering::Relaxed) }
    }

    /// Takes what a finished tick saved, and how far sources are read with it. Never waits.
    pub fn take(&mut self, tick: Time, saved: Vec<Saved>, read: &Offsets) {
        self.read.absorb(read);
        if !saved.is_empty() {
            let is_whole = saved.iter().all(|saved| saved.is_whole);
            self.waiting.absorb(Part { tick, read: self.read.bookmarks(), states: saved, is_whole });
        }
        if !self.waiting.states.is_empty() {
            match self.to.try_send(std::mem::take(&mut self.waiting)) {
                Err(TrySendError::Full(back)) => self.waiting = back,
                // Without its keeper nothing is kept; why it ended stands in the log.
                Ok(()) | Err(TrySendError::Disconnected(_)) => {}
            }
        }
    }
}

/// What of a city the states stand for: its streets, lights, cameras and units by row, and the districts in which links learn
/// together.
fn whose(city: &City) -> String {
    let mut hasher = blake3::Hasher::new();
    let mut name = |of: u8, name: &str, place: usize| {
        hasher.update(&[of]).update(&name.len().to_le_bytes()).update(name.as_bytes()).update(&place.to_le_bytes());
    };
    city.links.iter().for_each(|link| name(0, &link.name, link.district.index()));
    city.venues.iter().for_each(|venue| name(1, &venue.name, 0));
    city.cameras.iter().for_each(|c| name(2, &c.name, c.lane.map_or(usize::MAX, |(lane, _)| lane.index())));
    city.units.iter().for_each(|unit| name(3, &unit.name, unit.region.index()));
    city.bus_lines.iter().for_each(|line| name(4, &line.name, 0));
    city.grids.iter().for_each(|grid| name(5, "", grid.region.index()));
    hasher.finalize().to_hex().to_string()
}
