//! Push to dispatch terminals and desks. A tick comes here only after its commit, so what is pushed is in the ledger.
//!
//! Each terminal has a bounded queue. One that does not read fast enough is cut off: its unit's assignments are sent again
//! when it connects anew, so nothing is lost with it.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crossbeam_channel::Sender;
use nanming_dataflows::ids::UnitId;
use nanming_dataflows::network::City;
use tokio::sync::{broadcast, mpsc};

use super::acceptances::Acceptances;
use super::bus::Sink;
use super::duty::{Duty, Notice};
use super::frames;
use crate::door::TickRecord;
use crate::metrics::Metrics;

/// Frames that may wait for a terminal.
const TERMINAL_QUEUE: usize = 64;
/// Frames that may wait for a desk.
const DESK_QUEUE: usize = 1024;

/// Told when the first terminal of a unit connects (true) and when its last one leaves (false).
pub type Manning = Sender<(UnitId, bool)>;

/// The terminals and desks connected.
pub struct Terminals {
    city: Arc<City>,
    metrics: Arc<Metrics>,
    acceptances: Arc<Acceptances>,
    manning: Option<Manning>,
    desks: broadcast::Sender<Arc<str>>,
    state: Mutex<State>,
}

struct State {
    duty: Duty,
    lines: HashMap<UnitId, Vec<(u64, mpsc::Sender<Arc<str>>)>>,
    next: u64,
}

/// A terminal's connection; dropping it signs it off.
pub struct Line {
    /// Frames to send, in order; closed when the terminal was too slow.
    pub frames: mpsc::Receiver<Arc<str>>,
    terminals: Arc<Terminals>,
    unit: UnitId,
    number: u64,
}

impl Terminals {
    /// Nobody connected yet; `duty` as the ledger has it.
    pub fn new(
        city: Arc<City>,
        metrics: Arc<Metrics>,
        acceptances: Arc<Acceptances>,
        duty: Duty,
        manning: Option<Manning>,
    ) -> Terminals {
        let state = Mutex::new(State { duty, lines: HashMap::new(), next: 0 });
        Terminals { city, metrics, acceptances, manning, desks: broadcast::Sender::new(DESK_QUEUE), state }
    }

    /// Connects a terminal of a unit: its queue starts with the assignments in force.
    pub fn connect(self: &Arc<Self>, unit: UnitId) -> Line {
        let (sender, frames) = mpsc::channel(TERMINAL_QUEUE);
        let mut state = self.lock();
        for (assignment, call) in state.duty.in_force(unit) {
            let _room_is_there = sender.try_send(frames::assignment(&self.city, assignment, call).into());
        }
        let number = state.next;
        state.next += 1;
        let lines = state.lines.entry(unit).or_default();
        lines.push((number, sender));
        if lines.len() == 1 {
            self.man(unit, true);
        }
        self.metrics.terminals(1);
        Line { frames, terminals: Arc::clone(self), unit, number }
    }

    /// Connects a desk: the open calls and the assignments in force, then every frame from now on. It is told when it
    /// lagged too far, and should be cut off then.
    pub fn desk(&self) -> (VecDeque<Arc<str>>, broadcast::Receiver<Arc<str>>) {
        // Nothing is told meanwhile: no frame is missed between the two, and none comes twice.
        let state = self.lock();
        let now = state.duty.everything().filter_map(|notice| self.for_desks(&notice)).map(Arc::from).collect();
        (now, self.desks.subscribe())
    }

    /// The frame that desks are sent.
    fn for_desks(&self, notice: &Notice) -> Option<String> {
        match notice {
            Notice::Assigned(a, call) | Notice::Changed(a, call) => Some(frames::assignment(&self.city, a, call)),
            Notice::Withdrawn(assignment, unit, why) => Some(frames::withdrawn(*assignment, *unit, *why)),
            Notice::Answered(..) | Notice::Reminded(..) => None,
            Notice::Escalated(escalation) => Some(frames::escalation(escalation)),
            Notice::Status(status, facts) => Some(frames::call_status(&self.city, status, facts.as_ref())),
        }
    }

    fn leave(&self, unit: UnitId, number: u64) {
        let mut state = self.lock();
        if let Some(lines) = state.lines.get_mut(&unit) {
            lines.retain(|(n, _)| *n != number);
            if lines.is_empty() {
                state.lines.remove(&unit);
                self.man(unit, false);
            }
        }
        self.metrics.terminals(-1);
    }

    fn man(&self, unit: UnitId, manned: bool) {
        if let Some(manning) = &self.manning {
            let _nobody_listens_at_the_end = manning.send((unit, manned));
        }
    }

    fn tell(&self, state: &mut State, notice: &Notice) {
        let frame = self.for_desks(notice).map(Arc::from);
        match (notice, &frame) {
            (Notice::Assigned(a, _) | Notice::Changed(a, _), Some(frame)) => state.push(a.unit, frame),
            (Notice::Withdrawn(_, unit, _), Some(frame)) => state.push(*unit, frame),
            (Notice::Reminded(a, call), _) => state.push(a.unit, &frames::reminder(a, call).into()),
            (Notice::Answered(ack, refused), _) => state.push(ack.unit, &frames::ack_result(ack, *refused).into()),
            _ => {}
        }
        frame.into_iter().for_each(|frame| self.tell_desks(frame));
        if let Notice::Assigned(a, call) = notice
            && let Some(arrived) = call.arrived.filter(|_| a.id.attempt == 1)
        {
            self.metrics.assignment_pushed(arrived.elapsed());
        }
    }

    fn tell_desks(&self, frame: Arc<str>) {
        let _no_desk_is_fine = self.desks.send(frame);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Queues a frame for a unit's terminals; a full queue closes its terminal.
    fn push(&mut self, unit: UnitId, frame: &Arc<str>) {
        if let Some(lines) = self.lines.get_mut(&unit) {
            lines.retain(|(_, sender)| sender.try_send(Arc::clone(frame)).is_ok());
        }
    }
}

impl Sink for Arc<Terminals> {
    fn take(&mut self, record: &Arc<TickRecord>) {
        if record.calls.is_empty()
            && record.acks.is_empty()
            && record.decisions.calls.is_empty()
            && record.decisions.assignments.is_empty()
        {
            return;
        }
        let mut state = self.lock();
        let notices = state.duty.take(record, |call| self.acceptances.posted(call));
        notices.iter().for_each(|notice| self.tell(&mut state, notice));
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.terminals.leave(self.unit, self.number);
    }
}

#[cfg(test)]
mod tests;
