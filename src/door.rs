//! The door: what sources hand over, and the ticks that come out. (Stub: the live loop echoes its inputs.)

use std::sync::Arc;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, TrySendError, bounded};
use nanming_dataflows::Time;
use nanming_dataflows::decision::Decisions;
use nanming_dataflows::event::{Ack, Batch, CallEvent, Event, UnitReport};
use nanming_dataflows::ids::CallId;
use nanming_dataflows::network::City;
use serde::{Deserialize, Serialize};

use crate::clock::Clock;

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

/// Turns arrivals into ticks until every inbox is gone.
pub fn live(_city: &Arc<City>, clock: Clock, first: Time, arrivals: &Receiver<Arrival>, records: &Sender<TickRecord>) {
    let mut tick = first;
    loop {
        let arrival = match arrivals.recv_timeout(Duration::from_millis(100)) {
            Ok(arrival) => arrival,
            Err(RecvTimeoutError::Timeout) => Arrival::default(),
            Err(RecvTimeoutError::Disconnected) => return,
        };
        tick = (tick + 1).max(clock.now_ms());
        if records.send(echo(tick, arrival)).is_err() {
            return;
        }
    }
}

fn echo(tick: Time, arrival: Arrival) -> TickRecord {
    let mut batch = Batch::default();
    batch.extend(arrival.events);
    TickRecord {
        tick,
        closed_at: Instant::now(),
        counts: batch.counts(),
        calls: batch.calls,
        acks: batch.acks,
        units: batch.units,
        notes: arrival.notes,
        decisions: Decisions { tick, ..Decisions::default() },
    }
}
