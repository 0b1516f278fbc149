//! Kafka in a run: its threads, and the ends that others hold.

use std::sync::Arc;
use std::thread::JoinHandle;

use nanming_dataflows::Time;

use super::{RunError, Shared, joined};
use crate::config::Config;
use crate::door::Inbox;
use crate::ingest::Validator;
use crate::kafka::{Assignments, Intake, Outlet, Progress, Reach, Reader, SignalsOut, TicksOut, Wake};
use crate::ledger::Book;
use crate::offsets::Offsets;
use crate::publish::Bus;

/// Groups of streams that do not wait for one another: what people wait for, and sensors.
const GROUPS: [(&str, &[&str]); 2] = [("calls", &["calls", "acks", "units"]), ("sensors", &["passages", "flows"])];

/// What others hold, and threads that have begun.
pub(super) struct Kafka {
    pub(super) signals: SignalsOut,
    ticks: TicksOut,
    wake: Option<Wake>,
    progress: Arc<Progress>,
    threads: Vec<JoinHandle<()>>,
}

impl Kafka {
    /// Starts what the configuration asks for; none without brokers.
    pub(super) fn start(
        config: &Config,
        shared: &Shared,
        inbox: &Inbox,
        validator: &Arc<Validator>,
        (known, last_tick): (&Offsets, Time),
    ) -> Result<Option<Kafka>, RunError> {
        let Some(brokers) = config.kafka.brokers.as_deref() else { return Ok(None) };
        let (metrics, progress) = (&shared.metrics, Arc::<Progress>::default());
        let reach = Reach::new(Arc::clone(&shared.health), Arc::clone(metrics));
        let book = || Book::open(&config.ledger.path);
        let mut threads = Vec::new();
        for (name, streams) in GROUPS {
            let (validator, letters) = (Arc::clone(validator), Arc::clone(&shared.letters));
            let reader = Reader::new(&config.kafka, validator, book()?, letters, Arc::clone(metrics));
            let place = (known, Arc::clone(&progress));
            let intake = Intake::join(&config.kafka, name, streams, &reach, reader, inbox.clone(), place)?;
            let stop = Arc::clone(&shared.end.flag);
            threads.extend(intake.map(|intake| shared.start("kafka", move || intake.run(&stop))).transpose()?);
        }
        let city = || Arc::clone(&shared.city);
        let (outlet, signals, ticks, letters) = Outlet::open(&config.kafka, brokers, city(), &reach, metrics)?;
        shared.letters.also_to(letters);
        threads.push(shared.start("kafka-out", move || outlet.run())?);
        let clients = (brokers, &reach, metrics);
        let sending = Assignments::open(&config.kafka, clients, city(), book()?, inbox.clone(), (known, last_tick))?;
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
