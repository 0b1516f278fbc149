//! The engine: timely workers on their own threads. A batch and its tick go in, the tick's decisions come out.
//!
//! Workers park when there is nothing to do and are unparked by a new tick (or, inside timely, by each other). Any number
//! of ticks may be in flight; who submits them bounds that. Ticks finish in order. A worker that panics says so with its last
//! breath: the engine has [`Stopped`] then, and the others end instead of waiting for what will never come.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::thread::Thread;
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, unbounded};
use nanming_dataflows::decision::Decisions;
use nanming_dataflows::event::Batch;
use nanming_dataflows::input::{Announcer, Feeds, Share, announced, inputs, shares};
use nanming_dataflows::keyed::{Saved, Tick, Vault};
use nanming_dataflows::network::City;
use nanming_dataflows::output::{Gathered, Gathering};
use nanming_dataflows::{Time, build};
use timely::communication::WorkerGuards;
use timely::execute::execute_from;
use timely::worker::Worker;
use timely::{CommunicationConfig, WorkerConfig};

use crate::cluster::{Cluster, ClusterError, Ends};

/// An idle worker looks up at least so often, ms; new ticks wake it at once.
const IDLE_MS: u64 = 500;

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
}

/// A worker's part of a finished tick.
pub struct Part {
    tick: Time,
    decisions: Decisions,
    saved: Vec<Saved>,
}

struct Order {
    tick: Time,
    share: Share,
    mark: Tick,
}

/// Running workers. Dropping it ends them, whether they are well or not.
pub struct Engine {
    orders: Vec<(Sender<Order>, Thread)>,
    parts: Receiver<Result<Part, Stopped>>,
    assembling: BTreeMap<Time, (usize, Finished)>,
    in_flight: usize,
    /// What the leader of a cluster announces, where this process follows.
    announced: Receiver<Option<Time>>,
    guards: Option<WorkerGuards<()>>,
}

impl Engine {
    /// Starts `workers` workers for a city, with the states of earlier saves. Panics if threads cannot be spawned.
    pub fn start(city: &Arc<City>, workers: usize, restored: &[Saved]) -> Engine {
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
        restored: &[Saved],
    ) -> Result<Engine, ClusterError> {
        let Some(cluster) = cluster else { return Ok(Engine::start(city, workers, restored)) };
        let workers = workers.max(1);
        let ends = cluster.connect(city, workers)?;
        Ok(Engine::with(ends, Place::of(cluster, workers), city, workers, restored))
    }

    fn with(ends: Ends, place: Place, city: &Arc<City>, workers: usize, restored: &[Saved]) -> Engine {
        let (said, parts) = unbounded();
        let (ready, started) = unbounded();
        let (announces, announced) = unbounded();
        let (city, restored) = (Arc::clone(city), Arc::new(restored.to_vec()));
        let config = WorkerConfig::default().idle_spin(Duration::ZERO);
        let (allocators, threads) = ends;
        let guards = execute_from(allocators, threads, config, move |worker| {
            let _last_breath = LastBreath { said: said.clone(), ready: ready.clone() };
            let (sender, orders) = unbounded();
            let vault = Vault::restoring(restored.iter().cloned());
            let (feeds, gathered) = worker.dataflow_named("city", |scope| {
                let (feeds, inputs) = inputs(scope);
                let gathered = Gathered::new(build(&city, &inputs, &vault), place.gathering());
                (feeds, gathered)
            });
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
        Engine { orders, parts, assembling: BTreeMap::new(), in_flight: 0, announced, guards: Some(guards) }
    }

    /// The ticks that the leader of the cluster closes, where this process follows; None when the leader ends.
    pub fn announced(&self) -> &Receiver<Option<Time>> {
        &self.announced
    }

    /// Number of ticks submitted and not yet finished.
    pub fn in_flight(&self) -> usize {
        self.in_flight
    }

    /// Gives the workers a tick, later than all before.
    pub fn submit(&mut self, tick: Time, batch: Batch, mark: Tick) -> Result<(), Stopped> {
        if self.orders.is_empty() {
            return Err(Stopped);
        }
        self.in_flight += 1;
        for ((orders, thread), share) in self.orders.iter().zip(shares(batch, self.orders.len())) {
            orders.send(Order { tick, share, mark }).map_err(|_| Stopped)?;
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
}

impl Drop for Engine {
    fn drop(&mut self) {
        for (sender, thread) in self.orders.drain(..) {
            drop(sender);
            thread.unpark();
        }
        // Why a worker panicked stands in the log; that it did, whoever waits for a tick has been told.
        let _who_panicked = self.guards.take().map(WorkerGuards::join);
    }
}

/// A worker's process among those of its cluster.
#[derive(Clone, Copy)]
enum Place {
    Alone,
    Leader,
    /// The process' workers are those from here on.
    Follower(usize),
}

impl Place {
    fn of(cluster: &Cluster, workers: usize) -> Place {
        if cluster.leads() { Place::Leader } else { Place::Follower(cluster.process() * workers) }
    }

    fn is_shared(self) -> bool {
        !matches!(self, Place::Alone)
    }

    fn gathering(self) -> Gathering {
        if self.is_shared() { Gathering::First } else { Gathering::Each }
    }

    /// The leader's first worker announces ticks; the first one of each other process hears them for all of its own.
    fn announcer(self, worker: &mut Worker, announces: Sender<Option<Time>>) -> Option<Announcer> {
        if !self.is_shared() {
            return None;
        }
        let hears = matches!(self, Place::Follower(first) if first == worker.index());
        let announcer = worker.dataflow_named("ticks", |scope| {
            announced(scope, move |tick| {
                if hears {
                    // Nobody may be left to hear it.
                    let _ = announces.send(tick);
                }
            })
        });
        Some(announcer).filter(|_| worker.index() == 0)
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

/// What a worker's thread runs.
struct Driver {
    feeds: Feeds,
    announcer: Option<Announcer>,
    gathered: Gathered,
    vault: Vault,
    orders: Receiver<Order>,
    said: Sender<Result<Part, Stopped>>,
    in_flight: Vec<Time>,
}

impl Driver {
    fn run(mut self, worker: &mut Worker) {
        loop {
            match self.orders.try_recv() {
                Ok(Order { tick, share, mark }) => {
                    if let Some(announcer) = &mut self.announcer {
                        announcer.announce(tick);
                    }
                    self.feeds.feed(tick, share, mark);
                    self.in_flight.push(tick);
                    worker.step();
                }
                Err(crossbeam_channel::TryRecvError::Disconnected) => return,
                Err(crossbeam_channel::TryRecvError::Empty) => {
                    worker.step_or_park(Some(Duration::from_millis(IDLE_MS)));
                }
            }
            self.hand_over();
        }
    }

    fn hand_over(&mut self) {
        let complete = self.in_flight.iter().take_while(|tick| self.gathered.is_complete(**tick)).count();
        for tick in self.in_flight.drain(..complete) {
            let part = Part { tick, decisions: self.gathered.take(tick), saved: self.vault.take() };
            // The engine may have been dropped: then nobody wants it.
            let _ = self.said.send(Ok(part));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nanming_dataflows::event::{Passage, VehicleClass};
    use nanming_dataflows::ids::{CameraId, MovementId, VehicleId};

    fn nowhere() -> Batch {
        let (camera, vehicle) = (CameraId(999_999), VehicleId(0));
        let passage = Passage { time_ms: 1, camera, vehicle, speed_mm_s: 1, class: VehicleClass::Car };
        Batch { passages: vec![passage], ..Batch::default() }
    }

    #[test]
    fn a_worker_that_panics_stops_the_engine_and_the_others_end() {
        let city = Arc::new(nanming_simulators::town::small(2, 2, 1));
        for workers in [1, 3] {
            let mut engine = Engine::start(&city, workers, &[]);
            assert!(engine.step(1_000, Batch::default()).is_ok());
            assert_eq!(engine.step(2_000, nowhere()), Err(Stopped));
            assert_eq!(engine.step(3_000, Batch::default()), Err(Stopped));
        }
    }

    #[test]
    fn workers_that_cannot_even_begin_stop_it_too() {
        let mut city = nanming_simulators::town::small(2, 2, 1);
        city.junctions[0].heads[0].movements[0] = MovementId(999_999);
        assert_eq!(Engine::start(&Arc::new(city), 2, &[]).step(1_000, Batch::default()), Err(Stopped));
    }
}
