//! The engine: timely workers on their own threads. A batch and its tick go in, the tick's decisions come out.
//!
//! Workers park when there is nothing to do and are unparked by a new tick (or, inside timely, by each other). Any number
//! of ticks may be in flight; who submits them bounds that. Ticks finish in order. A worker that panics says so with its last
//! breath: the engine has [`Stopped`] then, and the others end instead of waiting for what will never come.
//!
//! In a cluster bookmarks go beside the ticks, both ways: with its first announcement the leader says how far sources are
//! read, and with each tick the others say how far they have read them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::Thread;
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, unbounded};
use nanming_dataflows::bookmark::Bookmark;
use nanming_dataflows::decision::Decisions;
use nanming_dataflows::event::Batch;
use nanming_dataflows::input::{Announced, shares};
use nanming_dataflows::keyed::{Saved, States, Tick, Vault};
use nanming_dataflows::network::City;
use nanming_dataflows::{Time, install};
use timely::communication::WorkerGuards;
use timely::execute::execute_from;
use timely::{CommunicationConfig, WorkerConfig};

use crate::cluster::{Cluster, ClusterError, Ends};

mod driver;
mod place;
use driver::{Driver, Order};
use place::Place;

/// A worker that waits for others looks up so long before it parks: to wake it takes as long, and within a tick workers wait
/// for one another a dozen times.
const SPIN: Duration = Duration::from_micros(50);

/// The engine has stopped: a worker panicked, or it was shut down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the engine has stopped: a worker panicked (see the log above); restart it, the ledger has every accepted call"
)]
pub struct Stopped;

/// A finished tick.
#[derive(Clone, Debug, Default)]
pub struct Finished {
    /// What it brought out, sorted.
    pub decisions: Decisions,
    /// States that machines saved, if the tick was marked so; in no order.
    pub saved: Vec<Saved>,
    /// How far the other processes of a cluster have read their sources with it; they are told to the leader alone.
    pub bookmarks: Vec<Bookmark>,
}

/// A worker's part of a finished tick.
pub struct Part {
    tick: Time,
    decisions: Decisions,
    saved: Vec<Saved>,
    bookmarks: Vec<Bookmark>,
}

/// Running workers. Dropping it ends them, whether they are well or not.
pub struct Engine {
    orders: Vec<(Sender<Order>, Thread)>,
    parts: Receiver<Result<Part, Stopped>>,
    assembling: BTreeMap<Time, (usize, Finished)>,
    in_flight: usize,
    /// What the leader of a cluster announces, where this process follows.
    announced: Receiver<Option<Announced>>,
    /// What is to be announced with the next tick, where it leads.
    told: Vec<Bookmark>,
    guards: Option<WorkerGuards<()>>,
}

impl Engine {
    /// Starts `workers` workers for a city of which nothing is known yet. Panics if threads cannot be spawned.
    pub fn start(city: &Arc<City>, workers: usize) -> Engine {
        Engine::start_with(city, workers, States::default())
    }

    /// Starts `workers` workers for a city, with the states of earlier saves. Panics if threads cannot be spawned.
    pub fn start_with(city: &Arc<City>, workers: usize, restored: States) -> Engine {
        let workers = workers.max(1);
        let inside = CommunicationConfig::Process(workers).try_build();
        let ends = inside.unwrap_or_else(|error| panic!("workers cannot be connected: {error}"));
        Engine::with(ends, Place::Alone, city, workers, restored)
    }

    /// Starts this process' part of a cluster, or all when there is none, with so many workers in each process; waits until
    /// all processes are there. Panics if threads cannot be spawned.
    pub fn start_in(
        cluster: Option<&Cluster>,
        city: &Arc<City>,
        workers: usize,
        restored: States,
    ) -> Result<Engine, ClusterError> {
        let Some(cluster) = cluster else { return Ok(Engine::start_with(city, workers, restored)) };
        let workers = workers.max(1);
        let ends = cluster.connect(city, workers)?;
        Ok(Engine::with(ends, Place::of(cluster, workers), city, workers, restored))
    }

    fn with(ends: Ends, place: Place, city: &Arc<City>, workers: usize, restored: States) -> Engine {
        let (said, parts) = unbounded();
        let (ready, started) = unbounded();
        let (announces, announced) = unbounded();
        // One handle a worker, which lets go of it when it has built its graph.
        let (city, restored) = (Arc::clone(city), Mutex::new(vec![restored; workers]));
        let config = WorkerConfig::default().idle_spin(SPIN);
        let (allocators, threads) = ends;
        let guards = execute_from(allocators, threads, config, move |worker| {
            let _last_breath = LastBreath { said: said.clone(), ready: ready.clone() };
            let (sender, orders) = unbounded();
            let vault =
                Vault::restoring(restored.lock().unwrap_or_else(PoisonError::into_inner).pop().unwrap_or_default());
            let (feeds, gathered) = install(worker, &city, &vault, place.gathering());
            let announcer = place.announcer(worker, announces.clone());
            if ready.send(Ok((worker.index(), sender, std::thread::current()))).is_ok() {
                Driver { feeds, announcer, gathered, vault, orders, said: said.clone(), in_flight: Vec::new() }
                    .run(worker);
            }
            if place.is_shared() {
                // The inputs are closed: the worker goes on until those of all processes are, and all that is on its way came.
                return;
            }
            // What is still in flight is nobody's business any more, and a worker that has died would never let it end.
            worker.installed_dataflows().into_iter().for_each(|id| worker.drop_dataflow(id));
        })
        .unwrap_or_else(|error| panic!("no worker threads could be started: {error}"));
        // Without one of them no tick would ever be finished: then none is taken.
        let begun: Result<Vec<_>, Stopped> = started.iter().take(workers).collect();
        let mut orders = begun.unwrap_or_default();
        orders.sort_by_key(|(index, _, _)| *index);
        let orders = orders.into_iter().map(|(_, sender, thread)| (sender, thread)).collect();
        let (assembling, told) = (BTreeMap::new(), Vec::new());
        Engine { orders, parts, assembling, in_flight: 0, announced, told, guards: Some(guards) }
    }

    /// Tells the other processes of a cluster, with the next tick, how far sources are read.
    pub fn tell(&mut self, bookmarks: Vec<Bookmark>) {
        self.told = bookmarks;
    }

    /// The ticks that the leader of the cluster closes, where this process follows; None when the leader ends.
    pub fn announced(&self) -> &Receiver<Option<Announced>> {
        &self.announced
    }

    /// Number of ticks submitted and not yet finished.
    pub fn in_flight(&self) -> usize {
        self.in_flight
    }

    /// Gives the workers a tick, later than all before.
    pub fn submit(&mut self, tick: Time, batch: Batch, mark: Tick) -> Result<(), Stopped> {
        self.submit_read(tick, batch, mark, Vec::new())
    }

    /// Gives the workers a tick, and tells the leader of the cluster with it how far sources are read.
    pub fn submit_read(&mut self, tick: Time, batch: Batch, mark: Tick, read: Vec<Bookmark>) -> Result<(), Stopped> {
        if self.orders.is_empty() {
            return Err(Stopped);
        }
        self.in_flight += 1;
        let mut shares = shares(batch, self.orders.len());
        shares[0].bookmarks = read;
        for ((orders, thread), share) in self.orders.iter().zip(shares) {
            // The first worker announces.
            let told = std::mem::take(&mut self.told);
            orders.send(Order { tick, share, mark, told }).map_err(|_| Stopped)?;
            thread.unpark();
        }
        Ok(())
    }

    /// Where parts of finished ticks arrive: select on it, and [`assemble`](Self::assemble) what comes.
    pub fn parts(&self) -> &Receiver<Result<Part, Stopped>> {
        &self.parts
    }

    /// Adds a part; returns the tick when it is whole.
    pub fn assemble(&mut self, part: Part) -> Option<Finished> {
        let (have, whole) = self.assembling.entry(part.tick).or_default();
        *have += 1;
        whole.decisions.tick = part.tick;
        whole.decisions.absorb(part.decisions);
        whole.saved.extend(part.saved);
        whole.bookmarks.extend(part.bookmarks);
        if *have < self.orders.len() {
            return None;
        }
        self.in_flight -= 1;
        let (_, mut finished) = self.assembling.remove(&part.tick)?;
        finished.decisions.sort();
        Some(finished)
    }

    /// Waits for the next tick to finish.
    pub fn finished(&mut self) -> Result<Finished, Stopped> {
        loop {
            let part = self.parts.recv().map_err(|_| Stopped)??;
            if let Some(finished) = self.assemble(part) {
                return Ok(finished);
            }
        }
    }

    /// One tick from beginning to end: for replays and simulations in lockstep.
    pub fn step(&mut self, tick: Time, batch: Batch) -> Result<Decisions, Stopped> {
        self.submit(tick, batch, Tick::default())?;
        Ok(self.finished()?.decisions)
    }

    /// Ends the workers; those of a cluster when all of its processes end theirs. No tick is taken any more.
    pub fn end(&mut self) {
        for (sender, thread) in self.orders.drain(..) {
            drop(sender);
            thread.unpark();
        }
        // Why a worker panicked stands in the log; that it did, whoever waits for a tick has been told.
        let _who_panicked = self.guards.take().map(WorkerGuards::join);
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.end();
    }
}

/// Tells that its worker panics.
struct LastBreath<R> {
    said: Sender<Result<Part, Stopped>>,
    ready: Sender<Result<R, Stopped>>,
}

impl<R> Drop for LastBreath<R> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            // Nobody may be left to hear it.
            let _ = (self.said.send(Err(Stopped)), self.ready.send(Err(Stopped)));
        }
    }
}

#[cfg(test)]
mod tests;
