//! Kafka in a run: its threads, and the ends that others hold.

use std::sync::Arc;
use std::thread::JoinHandle;

use crossbeam_channel::{Receiver, bounded};
use nanming_dataflows::Time;

use super::{RunError, Shared, joined};
use crate::cluster::Cluster;
use crate::config::Config;
use crate::door::Inbox;
use crate::ingest::Validator;
use crate::kafka::{Assignments, Intake, Means, Outlet, Place, Progress, Reach, Reader, SignalsOut, TicksOut, Wake};
use crate::ledger::Book;
use crate::offsets::Offsets;
use crate::publish::Bus;

/// What people wait for, and sensors: they do not wait for one another.
const CALLS: (&str, &[&str]) = ("calls", &["calls", "acks", "units"]);
const SENSORS: (&str, &[&str]) = ("sensors", &["passages", "flows"]);

/// What others hold, and threads that have begun.
pub(super) struct Kafka {
    pub(super) signals: SignalsOut,
    ticks: TicksOut,
    wake: Option<Wake>,
    progress: Arc<Progress>,
    threads: Vec<JoinHandle<()>>,
}

/// Kafka in a process that follows: its share of the sensors, and its dead letters.
pub(super) struct Following {
    /// What is finished is told here.
    pub(super) progress: Arc<Progress>,
    /// Nothing leaves by them, but the thread of dead letters goes on for as long as they are held.
    ends: (SignalsOut, TicksOut),
    threads: Vec<JoinHandle<()>>,
}

/// From where events come, to where they go.
pub(super) struct Sources<'a> {
    pub(super) config: &'a Config,
    pub(super) shared: &'a Shared,
    pub(super) inbox: &'a Inbox,
    pub(super) validator: &'a Arc<Validator>,
    pub(super) cluster: Option<&'a Cluster>,
}

impl Kafka {
    /// Starts what the configuration asks for; none without brokers.
    pub(super) fn start(
        sources: &Sources<'_>,
        (known, seen, last_tick): (&Offsets, Option<&Offsets>, Time),
    ) -> Result<Option<Kafka>, RunError> {
        let Sources { config, shared, inbox, .. } = sources;
        if config.kafka.brokers.is_none() {
            return Ok(None);
        }
        let (metrics, progress) = (&shared.metrics, Arc::<Progress>::default());
        let reach = Reach::new(Arc::clone(&shared.health), Arc::clone(metrics));
        let book = || Book::open(&config.ledger.path);
        let means = |book| sources.means(book, &reach, &progress);
        // The engine knows sensors as of its snapshot, and the ledger how far they were read after it: they are read again from
        // there on. Calls and answers are facts, and are never taken twice.
        let mut sensed = known.clone();
        seen.iter().for_each(|seen| sensed.absorb(seen));
        let sensors = match sources.place() {
            Some((process, processes)) => {
                let (tell, begins) = bounded(1);
                // There is room for one.
                let _ = tell.send(sensed);
                Intake::spread(means(None), SENSORS.0, SENSORS.1, Place { process, processes, begins })?
            }
            None => Intake::join(means(Some(book()?)), SENSORS.0, SENSORS.1, &sensed)?,
        };
        let calls = Intake::join(means(Some(book()?)), CALLS.0, CALLS.1, known)?;
        let mut threads = Vec::new();
        for intake in calls.into_iter().chain(sensors) {
            threads.push(reads(shared, intake)?);
        }
        let city = || Arc::clone(&shared.city);
        let (outlet, signals, ticks, letters) = Outlet::open(&config.kafka, city(), &reach, metrics)?;
        shared.letters.also_to(letters);
        threads.push(shared.start("kafka-out", move || outlet.run())?);
        let clients = (&reach, metrics);
        let inbox = Inbox::clone(inbox);
        let sending = Assignments::open(&config.kafka, clients, city(), book()?, inbox, (known, last_tick))?;
        let wake = sending.map(|(assignments, wake)| {
            let stop = Arc::clone(&shared.end.flag);
            shared.start("kafka-assignments", move || assignments.run(&stop)).map(|thread| (thread, wake))
        });
        let wake = wake.transpose()?.map(|(thread, wake)| {
            threads.push(thread);
            wake
        });
        Ok(Some(Kafka { signals, ticks, wake, progress, threads }))
    }
}

impl Following {
    /// Starts what the configuration asks for; none without brokers. Nothing is read until the leader has told where
    /// partitions begin.
    pub(super) fn start(sources: &Sources<'_>, begins: Receiver<Offsets>) -> Result<Option<Following>, RunError> {
        let Sources { config, shared, .. } = sources;
        let place = sources.place().filter(|_| config.kafka.brokers.is_some());
        let Some((process, processes)) = place else { return Ok(None) };
        let (metrics, progress) = (&shared.metrics, Arc::<Progress>::default());
        let reach = Reach::new(Arc::clone(&shared.health), Arc::clone(metrics));
        let place = Place { process, processes, begins };
        let sensors = Intake::spread(sources.means(None, &reach, &progress), SENSORS.0, SENSORS.1, place)?;
        let mut threads = Vec::new();
        if let Some(intake) = sensors {
            threads.push(reads(shared, intake)?);
        }
        let city = Arc::clone(&shared.city);
        let (outlet, signals, ticks, letters) = Outlet::open(&config.kafka, city, &reach, metrics)?;
        shared.letters.also_to(letters);
        threads.push(shared.start("kafka-out", move || outlet.run())?);
        Ok(Some(Following { progress, ends: (signals, ticks), threads }))
    }

    /// Waits for its threads.
    pub(super) fn ended(self) -> Result<(), RunError> {
        drop(self.ends);
        ended(self.threads)
    }
}

impl Sources<'_> {
    /// Which of how many processes this is, where there are several.
    fn place(&self) -> Option<(usize, usize)> {
        let several = self.cluster.filter(|cluster| cluster.processes() > 1);
        several.map(|cluster| (cluster.process(), cluster.processes()))
    }

    fn means<'m>(&'m self, book: Option<Book>, reach: &'m Arc<Reach>, progress: &Arc<Progress>) -> Means<'m> {
        let (config, metrics) = (&self.config.kafka, Arc::clone(&self.shared.metrics));
        let (validator, letters) = (Arc::clone(self.validator), Arc::clone(&self.shared.letters));
        let reader = Reader::new(config, validator, book, letters, metrics);
        Means { config, reach, reader, inbox: self.inbox.clone(), progress: Arc::clone(progress) }
    }
}

fn reads(shared: &Shared, intake: Intake) -> Result<JoinHandle<()>, RunError> {
    let stop = Arc::clone(&shared.end.flag);
    shared.start("kafka", move || intake.run(&stop))
}

/// Adds the sinks. Returns the way of signal commands, and the threads to be waited for.
pub(super) fn attach(kafka: Option<Kafka>, bus: Bus) -> (Bus, Option<SignalsOut>, Vec<JoinHandle<()>>) {
    let Some(Kafka { signals, ticks, wake, progress, threads }) = kafka else { return (bus, None, Vec::new()) };
    let bus = bus.with(progress).with(ticks);
    let bus = match wake {
        Some(wake) => bus.with(wake),
        None => bus,
    };
    (bus, Some(signals), threads)
}

/// Waits for all, also when one has died.
pub(super) fn ended(threads: Vec<JoinHandle<()>>) -> Result<(), RunError> {
    let ended: Vec<_> = threads.into_iter().map(|thread| joined("kafka", thread)).collect();
    ended.into_iter().collect()
}
