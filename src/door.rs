//! The door: what sources hand over, and the ticks that come out.
//!
//! A finished tick leaves on two ways. Its signal commands go straight to the [`Street`]: they promise nothing to anybody,
//! and a lamp must not wait for a disk. All the rest goes to the ledger, and from there to whom it concerns. When the ledger
//! takes no more, no new tick is closed; those inside the engine are finished, and their commands leave, all the same.

use std::collections::VecDeque;
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, TrySendError, bounded};
use nanming_dataflows::Time;
use nanming_dataflows::decide::roster::task_of_call;
use nanming_dataflows::decision::Decisions;
use nanming_dataflows::event::{Ack, Batch, CallEvent, Event, RosterEvent, STREAMS, StageHold, UnitReport};
use nanming_dataflows::ids::{CallId, TaskId};
use nanming_dataflows::keyed::Tick;
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;

use crate::classify::Classified;
use crate::clock::Clock;
use crate::engine::{Engine, Finished, Stopped};
use crate::fail;
use crate::metrics::Metrics;
use crate::offsets::Offsets;
use crate::publish::Street;
use crate::recording::Recorder;
use crate::snapshots::Snapshots;

/// What a source hands to the door: events, and what the ledger keeps beside a call but no view needs.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Arrival {
    /// Valid events of any stream.
    pub events: Vec<Event>,
    /// Words and channel of calls among them.
    pub notes: Vec<(CallId, CallNote)>,
    /// How far topics are read with these events.
    pub offsets: Offsets,
}

/// What people said about a call, and how it came in.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallNote {
    /// What the caller said.
    pub words: String,
    /// How it came in, such as `phone`.
    pub channel: String,
    /// Pseudonym of the caller; empty where none is told.
    pub caller: String,
    /// Where pictures are.
    pub pictures: Vec<String>,
    /// The sender's key for it, by which it is found when it is sent again; empty where it has none.
    pub key: String,
    /// How its words were understood, where they decided something.
    #[serde(default)]
    pub classified: Option<Classified>,
    /// Why it is changed or withdrawn, in the words of who does so; empty where nothing is said.
    #[serde(default)]
    pub why: String,
}

/// The door takes nothing any more: the engine is shutting down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the engine is shutting down")]
pub struct Closed;

/// A source's end of the door: two bounded queues, and the city's clock. People and devices do not wait: what they send is
/// always read, and of their sensor events only the last of each is left when they come faster than the engine decides.
/// Sources that can wait are held back instead, and lose nothing.
#[derive(Clone)]
pub struct Inbox {
    pushed: Sender<Arrival>,
    pulled: Sender<Arrival>,
    room: Arc<Notify>,
    clock: Clock,
}

/// The door's end of the inboxes.
pub struct Arrivals {
    pushed: Receiver<Arrival>,
    pulled: Receiver<Arrival>,
    room: Arc<Notify>,
}

impl Inbox {
    /// Hands over what a source has that can wait; waits while the engine is behind.
    pub fn send(&self, arrival: Arrival) -> Result<(), Closed> {
        self.pulled.send(arrival).map_err(|_| Closed)
    }

    /// Hands over what people wait for, ahead of what sensors have; waits while the queue is full.
    pub fn send_first(&self, arrival: Arrival) -> Result<(), Closed> {
        self.pushed.send(arrival).map_err(|_| Closed)
    }

    /// Hands over what people and devices sent; waits while the queue is full.
    pub async fn send_async(&self, mut arrival: Arrival) -> Result<(), Closed> {
        loop {
            // Listening begins before the look, so that no word of room between the two is missed.
            let room = self.room.notified();
            match self.pushed.try_send(arrival) {
                Ok(()) => return Ok(()),
                Err(TrySendError::Disconnected(_)) => return Err(Closed),
                Err(TrySendError::Full(back)) => arrival = back,
            }
            room.await;
        }
    }

    /// City time now, ms since the Unix epoch.
    pub fn now_ms(&self) -> u64 {
        self.clock.now_ms()
    }
}

impl Drop for Arrivals {
    fn drop(&mut self) {
        (self.pushed, self.pulled) = (NEVER.clone(), NEVER.clone());
        self.room.notify_waiters();
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
    pub counts: [(&'static str, usize); STREAMS.len()],
    /// Digest of all that it took; none where no ledger wants it.
    pub taken: Option<Taken>,
    /// Calls opened, updated, cancelled.
    pub calls: Vec<CallEvent>,
    /// Answers of units.
    pub acks: Vec<Ack>,
    /// Reports of units.
    pub units: Vec<UnitReport>,
    /// Stages held and let go.
    pub holds: Vec<StageHold>,
    /// What rosters were told.
    pub rosters: Vec<RosterEvent>,
    /// Words and channel of the calls opened and tasks raised: a task has its note under its own number, which no call has.
    pub notes: Vec<(CallId, CallNote)>,
    /// How far topics are read with this tick, in all processes of a cluster.
    pub offsets: Offsets,
    /// What it brought out.
    pub decisions: Decisions,
}

impl TickRecord {
    /// Of a tick that closes now, with what of its inputs is durable.
    pub fn closing(tick: Time, batch: &Batch) -> TickRecord {
        TickRecord {
            tick,
            closed_at: Instant::now(),
            counts: batch.counts(),
            taken: None,
            calls: batch.calls.clone(),
            acks: batch.acks.clone(),
            units: batch.units.clone(),
            holds: batch.holds.clone(),
            rosters: batch.rosters.clone(),
            notes: Vec::new(),
            offsets: Offsets::default(),
            decisions: Decisions { tick, ..Decisions::default() },
        }
    }

    /// What was said of a task: under its own number, or, where it was a call, under that one's.
    pub fn note_of_task(&self, task: TaskId) -> Option<&CallNote> {
        let is_its = |call: CallId| call.0 == task.0 || task_of_call(call) == task;
        self.notes.iter().find(|(call, _)| is_its(*call)).map(|(_, note)| note)
    }
}

/// Opens the door. The inbox for sources, and the end that [`live`] reads.
pub fn open(clock: Clock, bound: usize) -> (Inbox, Arrivals) {
    let ((to_pushed, pushed), (to_pulled, pulled)) = (bounded(bound), bounded(bound));
    let room = Arc::<Notify>::default();
    let inbox = Inbox { pushed: to_pushed, pulled: to_pulled, room: Arc::clone(&room), clock };
    (inbox, Arrivals { pushed, pulled, room })
}

/// Between ticks when sensor events wait, ms: batches grow while calls and answers close a tick at once.
const GATHER: Duration = Duration::from_millis(20);
/// Between ticks when nothing waits: timers run on ticks.
const IDLE: Duration = Duration::from_millis(100);
/// Ticks in flight at most; more would only wait inside the engine.
const IN_FLIGHT: usize = 4;

/// City time jumps when it goes on by so much more than has elapsed.
const JUMP: Duration = Duration::from_secs(10);

/// While the ledger takes no more: between two looks.
const HELD_UP: Duration = Duration::from_millis(2);

/// Where finished ticks go.
pub struct Exits<'a> {
    /// Signal commands.
    pub street: &'a mut Street,
    /// The ticks, to the ledger.
    pub records: &'a Sender<TickRecord>,
    /// What they held, to the recording.
    pub recorder: Option<&'a mut Recorder>,
    /// What machines remember, to the snapshots.
    pub snapshots: Option<&'a mut Snapshots>,
}

/// Turns arrivals into ticks, drives the engine with them and hands finished ticks on, until every inbox is gone and the
/// last tick is finished, or nobody takes ticks any more. Ticks follow the clock and strictly increase from `first`.
pub fn live(
    mut engine: Engine,
    clock: Clock,
    first: Time,
    arrivals: &Arrivals,
    mut exits: Exits<'_>,
    metrics: &Metrics,
) -> Result<(), Stopped> {
    let mut door = Door {
        clock,
        last: first,
        begun: false,
        closed: Instant::now(),
        waiting: Waiting::default(),
        closing: VecDeque::new(),
        finished: VecDeque::new(),
    };
    // Before anything comes in: what a controller says from now on is said to this engine.
    door.close(&mut engine, exits.recorder.as_deref_mut(), Tick::default(), metrics)?;
    let mut open = true;
    while open || engine.in_flight() > 0 || !(door.waiting.is_empty() && door.finished.is_empty()) {
        // After the end only what waits makes another tick: empty ones would keep the engine busy for ever.
        let due = if open { door.is_due() } else { !door.waiting.is_empty() };
        let room_inside = engine.in_flight() < IN_FLIGHT && door.finished.is_empty();
        if due && room_inside {
            let mark = exits.snapshots.as_deref_mut().map_or(Tick::default(), Snapshots::mark);
            door.close(&mut engine, exits.recorder.as_deref_mut(), mark, metrics)?;
        }
        metrics.ticks_in_flight(engine.in_flight());
        let parts = engine.parts().clone();
        let takes = open && door.finished.is_empty();
        let (room, pushed_room) = (takes && door.waiting.has_room(), takes && door.waiting.has_room_for_pushed());
        crossbeam_channel::select! {
            recv(parts) -> part => {
                if let Some(mut finished) = engine.assemble(part.map_err(|_| Stopped)??) {
                    exits.street.tell_all(&finished.decisions);
                    fail::point("door.after_street");
                    let saved = std::mem::take(&mut finished.saved);
                    door.finish(finished);
                    if let Some((snapshots, record)) = exits.snapshots.as_mut().zip(door.finished.back()) {
                        snapshots.take(record.tick, saved, &record.offsets);
                    }
                }
            }
            recv(if pushed_room { &arrivals.pushed } else { &*NEVER }) -> arrival => match arrival {
                Ok(arrival) => {
                    arrivals.room.notify_one();
                    door.waiting.take_pushed(arrival, metrics);
                }
                Err(_) => open = arrivals.take_left(&mut door.waiting),
            },
            recv(if room { &arrivals.pulled } else { &*NEVER }) -> arrival => match arrival {
                Ok(arrival) => door.waiting.take(arrival),
                Err(_) => open = arrivals.take_left(&mut door.waiting),
            },
            default(if door.finished.is_empty() { door.due_in() } else { HELD_UP }) => {}
        }
        if door.hand_on(exits.records).is_err() {
            return Ok(());
        }
    }
    Ok(())
}

/// A channel on which nothing ever arrives.
static NEVER: LazyLock<Receiver<Arrival>> = LazyLock::new(crossbeam_channel::never);

impl Arrivals {
    /// Both queues lose their last sender together: what is left in either of them. Nothing will come any more: false.
    fn take_left(&self, waiting: &mut Waiting) -> bool {
        self.pushed.try_iter().chain(self.pulled.try_iter()).for_each(|arrival| waiting.take(arrival));
        false
    }
}

struct Door {
    clock: Clock,
    last: Time,
    /// Whether the first tick is closed: it is right after `last`.
    begun: bool,
    closed: Instant,
    waiting: Waiting,
    /// Ticks in flight, oldest first: what the ledger will want of their inputs.
    closing: VecDeque<TickRecord>,
    /// Ticks finished that the ledger has not taken yet, oldest first.
    finished: VecDeque<TickRecord>,
}

impl Door {
    fn due_in(&self) -> Duration {
        let pause = if self.waiting.is_urgent() {
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
        self.waiting.is_urgent() || self.closed.elapsed() >= pause
    }

    fn close(
        &mut self,
        engine: &mut Engine,
        recorder: Option<&mut Recorder>,
        mark: Tick,
        metrics: &Metrics,
    ) -> Result<(), Stopped> {
        let (batch, notes, offsets) = self.waiting.leave();
        let now_ms = if self.begun { self.clock.now_ms() } else { 0 };
        let tick = (self.last + 1).max(now_ms);
        self.begun = true;
        self.note_jump(tick, metrics);
        self.last = tick;
        metrics.events_late(&lateness::late(&batch, self.last));
        let taken = Taken::of(self.last, &batch);
        let record = TickRecord { taken, notes, offsets, ..TickRecord::closing(self.last, &batch) };
        self.closed = record.closed_at;
        self.closing.push_back(record);
        if let Some(recorder) = recorder {
            recorder.take(self.last, &batch);
        }
        engine.submit(self.last, batch, mark)
    }

    /// City time that goes on by more than has elapsed is a machine that slept, or whose clock was set.
    fn note_jump(&self, tick: Time, metrics: &Metrics) {
        let (shown, elapsed) = (self.clock.wall(tick - self.last), self.closed.elapsed());
        if shown > elapsed + JUMP {
            let ahead_s = (shown - elapsed).as_secs();
            tracing::warn!(
                ahead_s,
                "city time jumps: this machine slept, or its clock was set; what had to be answered meanwhile is overdue"
            );
            metrics.clock_jumped();
        }
        metrics.clock_ahead(self.clock.ahead_ms());
    }

    /// A tick is finished, here and in the other processes of a cluster; ticks finish in the order in which they closed.
    fn finish(&mut self, finished: Finished) {
        let Finished { decisions, bookmarks, .. } = finished;
        let Some(mut record) = self.closing.pop_front() else { return };
        record.decisions = decisions;
        // The partitions of other processes are others than ours.
        record.offsets.absorb(&bookmarks.into_iter().collect());
        self.finished.push_back(record);
    }

    /// Hands on what the ledger takes.
    fn hand_on(&mut self, records: &Sender<TickRecord>) -> Result<(), Closed> {
        while let Some(record) = self.finished.pop_front() {
            match records.try_send(record) {
                Ok(()) => {}
                Err(TrySendError::Full(record)) => {
                    self.finished.push_front(record);
                    break;
                }
                Err(TrySendError::Disconnected(_)) => return Err(Closed),
            }
        }
        Ok(())
    }
}

mod follow;
mod lateness;
mod sampling;
mod taken;
mod waiting;
pub use follow::follow;
pub use taken::{FORM, Taken};
use waiting::Waiting;

#[cfg(test)]
mod tests;
