//! The door: what sources hand over, and the ticks that come out.

use std::collections::VecDeque;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, TrySendError, bounded};
use nanming_dataflows::Time;
use nanming_dataflows::decision::Decisions;
use nanming_dataflows::event::{Ack, Batch, CallEvent, Event, UnitReport};
use nanming_dataflows::ids::CallId;
use nanming_dataflows::keyed::Tick;
use serde::{Deserialize, Serialize};

use crate::clock::Clock;
use crate::engine::{Engine, Finished, Stopped};
use crate::metrics::Metrics;

/// What a source hands to the door: events, and what the ledger keeps beside a call but no view needs.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Arrival {
    /// Valid events of any stream.
    pub events: Vec<Event>,
    /// Words and channel of calls among them.
    pub notes: Vec<(CallId, CallNote)>,
}

/// What people said about a call, and how it came in.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallNote {
    /// What the caller said.
    pub words: String,
    /// How it came in, such as `phone`.
    pub channel: String,
}

/// The door takes nothing any more: the engine is shutting down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the engine is shutting down")]
pub struct Closed;

/// A source's end of the door: a bounded queue, and the city's clock.
#[derive(Clone)]
pub struct Inbox {
    arrivals: Sender<Arrival>,
    clock: Clock,
}

impl Inbox {
    /// Hands over; waits while the queue is full.
    pub fn send(&self, arrival: Arrival) -> Result<(), Closed> {
        self.arrivals.send(arrival).map_err(|_| Closed)
    }

    /// Hands over from a task; waits while the queue is full.
    pub async fn send_async(&self, mut arrival: Arrival) -> Result<(), Closed> {
        loop {
            match self.arrivals.try_send(arrival) {
                Ok(()) => return Ok(()),
                Err(TrySendError::Disconnected(_)) => return Err(Closed),
                Err(TrySendError::Full(back)) => arrival = back,
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    /// City time now, ms since the Unix epoch.
    pub fn now_ms(&self) -> u64 {
        self.clock.now_ms()
    }
}

/// One finished tick, on its way to the ledger: what of its inputs is durable, and what it brought out.
#[derive(Clone, Debug)]
pub struct TickRecord {
    /// The tick.
    pub tick: Time,
    /// When the door closed it.
    pub closed_at: Instant,
    /// Events taken, by stream.
    pub counts: [(&'static str, usize); 11],
    /// Calls opened, updated, cancelled.
    pub calls: Vec<CallEvent>,
    /// Answers of units.
    pub acks: Vec<Ack>,
    /// Reports of units.
    pub units: Vec<UnitReport>,
    /// Words and channel of the calls opened.
    pub notes: Vec<(CallId, CallNote)>,
    /// What it brought out.
    pub decisions: Decisions,
}

/// Opens the door. The inbox for sources, and the end that [`live`] reads.
pub fn open(clock: Clock, bound: usize) -> (Inbox, Receiver<Arrival>) {
    let (arrivals, received) = bounded(bound);
    (Inbox { arrivals, clock }, received)
}

/// Between ticks when sensor events wait, ms: batches grow while calls and answers close a tick at once.
const GATHER: Duration = Duration::from_millis(20);
/// Between ticks when nothing waits: timers run on ticks.
const IDLE: Duration = Duration::from_millis(100);
/// Ticks in flight at most; more would only wait inside the engine.
const IN_FLIGHT: usize = 4;

/// Turns arrivals into ticks, drives the engine with them and hands finished ticks on, until every inbox is gone and the
/// last tick is finished. Ticks follow the clock and strictly increase from `first`.
pub fn live(
    mut engine: Engine,
    clock: Clock,
    first: Time,
    arrivals: &Receiver<Arrival>,
    records: &Sender<TickRecord>,
    metrics: &Metrics,
) -> Result<(), Stopped> {
    let mut door =
        Door { clock, last: first, closed: Instant::now(), waiting: Waiting::default(), closing: VecDeque::new() };
    let mut open = true;
    while open || engine.in_flight() > 0 || !door.waiting.is_empty() {
        // After the end only what waits makes another tick: empty ones would keep the engine busy for ever.
        let due = if open { door.is_due() } else { !door.waiting.is_empty() };
        if engine.in_flight() < IN_FLIGHT && due {
            door.close(&mut engine)?;
        }
        metrics.ticks_in_flight(engine.in_flight());
        let parts = engine.parts().clone();
        let room = door.waiting.batch.len() < LARGEST_BATCH;
        crossbeam_channel::select! {
            recv(parts) -> part => {
                let finished = engine.assemble(part.map_err(|_| Stopped)?);
                if let Some(record) = finished.and_then(|f| door.record(f)) && records.send(record).is_err() {
                    return Ok(());
                }
            }
            recv(if open && room { arrivals } else { &*NEVER }) -> arrival => match arrival {
                Ok(arrival) => door.waiting.take(arrival),
                Err(_) => open = false,
            },
            default(door.due_in()) => {}
        }
    }
    Ok(())
}

/// Events that a tick takes at most; beyond it the inbox fills and holds its sources back.
const LARGEST_BATCH: usize = 200_000;

/// A channel on which nothing ever arrives.
static NEVER: LazyLock<Receiver<Arrival>> = LazyLock::new(crossbeam_channel::never);

/// What has arrived since the last tick closed.
#[derive(Default)]
struct Waiting {
    batch: Batch,
    notes: Vec<(CallId, CallNote)>,
}

impl Waiting {
    fn take(&mut self, arrival: Arrival) {
        self.batch.extend(arrival.events);
        self.notes.extend(arrival.notes);
    }

    fn is_empty(&self) -> bool {
        self.batch.is_empty() && self.notes.is_empty()
    }
}

struct Door {
    clock: Clock,
    last: Time,
    closed: Instant,
    waiting: Waiting,
    /// Ticks in flight, oldest first: what the ledger will want of their inputs.
    closing: VecDeque<TickRecord>,
}

impl Door {
    fn due_in(&self) -> Duration {
        let pause = if self.waiting.batch.is_urgent() {
            Duration::ZERO
        } else if self.waiting.is_empty() {
            IDLE
        } else {
            GATHER
        };
        pause.saturating_sub(self.closed.elapsed()).max(Duration::from_micros(200))
    }

    fn is_due(&self) -> bool {
        let pause = if self.waiting.is_empty() { IDLE } else { GATHER };
        self.waiting.batch.is_urgent() || self.closed.elapsed() >= pause
    }

    fn close(&mut self, engine: &mut Engine) -> Result<(), Stopped> {
        let Waiting { batch, notes } = std::mem::take(&mut self.waiting);
        self.last = (self.last + 1).max(self.clock.now_ms());
        self.closed = Instant::now();
        self.closing.push_back(TickRecord {
            tick: self.last,
            closed_at: self.closed,
            counts: batch.counts(),
            calls: batch.calls.clone(),
            acks: batch.acks.clone(),
            units: batch.units.clone(),
            notes,
            decisions: Decisions::default(),
        });
        engine.submit(self.last, batch, Tick::default())
    }

    /// The record of a finished tick; ticks finish in the order in which they closed.
    fn record(&mut self, finished: Finished) -> Option<TickRecord> {
        let record = self.closing.pop_front()?;
        Some(TickRecord { decisions: finished.decisions, ..record })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nanming_dataflows::event::{UnitReport, UnitStatus};
    use nanming_dataflows::ids::UnitId;
    use std::sync::Arc;

    #[test]
    fn when_every_inbox_is_gone_what_waits_makes_one_last_tick_and_no_other() {
        let city = Arc::new(nanming_simulators::town::small(2, 2, 1));
        let metrics = crate::metrics::Metrics::new(&city);
        let clock = Clock::starting_at(1_000_000, 1.0);
        let (inbox, arrivals) = open(clock, 8);
        let at = city.units[0].post;
        let report = UnitReport { time_ms: 1_000_000, unit: UnitId(0), at, status: UnitStatus::Ready };
        inbox.send(Arrival { events: vec![Event::Unit(report)], notes: Vec::new() }).unwrap();
        drop(inbox);
        // A door that does not end fills the queue and stops at its end, instead of hanging the test.
        let (records, finished) = bounded(64);
        let engine = Engine::start(&city, 1, &[]);
        std::thread::scope(|scope| {
            let driving = scope.spawn(|| live(engine, clock, 1_000_000, &arrivals, &records, &metrics));
            let first = finished.recv_timeout(Duration::from_secs(20)).unwrap();
            let more = finished.recv_timeout(Duration::from_millis(500));
            drop(finished);
            assert!(driving.join().unwrap().is_ok());
            assert_eq!(first.units.len(), 1);
            assert!(more.is_err(), "another tick after the last");
        });
    }
}
