//! Push to dispatch terminals and desks. A tick comes here only after its commit, so what is pushed is in the ledger.
//!
//! Each terminal has a bounded queue. One that does not read fast enough is cut off, and a link may be lost: when it connects
//! anew it is sent what it missed, and in any case what is in force. So every frame arrives at least once; its ID says
//! whether it came before. `docs/terminals.md` has the protocol.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crossbeam_channel::Sender;
use nanming_dataflows::Time;
use nanming_dataflows::decision::{CoverState, Reason};
use nanming_dataflows::event::{Ack, AssignmentId};
use nanming_dataflows::ids::{RegionId, UnitId};
use nanming_dataflows::network::City;
use tokio::sync::{broadcast, mpsc};

use super::acceptances::Acceptances;
use super::board::Board;
use super::bus::Sink;
use super::cover;
use super::duty::{Duty, Notice};
use super::frames;
use crate::door::TickRecord;
use crate::metrics::Metrics;

mod post;
use post::{Kept, PER_TICK, Post};

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
    board: Option<Arc<Board>>,
    desks: broadcast::Sender<Arc<str>>,
    state: Mutex<State>,
}

struct State {
    duty: Duty,
    posts: HashMap<UnitId, Post>,
    /// What desks were told last of each region.
    cover: BTreeMap<RegionId, CoverState>,
    /// No frame of this run has this ID or one before.
    before: u64,
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
        let state = Mutex::new(State { duty, posts: HashMap::new(), cover: BTreeMap::new(), before: 0, next: 0 });
        let desks = broadcast::Sender::new(DESK_QUEUE);
        Terminals { city, metrics, acceptances, manning, board: None, desks, state }
    }

    /// As a run goes on that was at this tick: IDs come after its own, and answers that it took are not refused when they
    /// come again.
    pub fn going_on(self, tick: Time, taken: &[Ack]) -> Terminals {
        let mut state = self.lock();
        state.before = tick * PER_TICK;
        taken.iter().for_each(|ack| state.post(ack.unit).take(ack));
        drop(state);
        self
    }

    /// The board shows whose terminals are connected.
    pub fn shown_on(self, board: Arc<Board>) -> Terminals {
        Terminals { board: Some(board), ..self }
    }

    /// Connects a terminal of a unit that has seen all frames up to an ID. Its queue starts with what it missed and what is in
    /// force; `current` says that this is all.
    pub fn connect(self: &Arc<Self>, unit: UnitId, after: u64) -> Line {
        let (sender, frames) = mpsc::channel(TERMINAL_QUEUE);
        let mut state = self.lock();
        for frame in self.missed(&mut state, unit, after) {
            let _room_is_there = sender.try_send(frame);
        }
        let number = state.next;
        state.next += 1;
        if state.post(unit).join(number, sender) {
            self.man(unit, true);
        }
        self.metrics.terminals(1);
        Line { frames, terminals: Arc::clone(self), unit, number }
    }

    /// What a terminal is sent first.
    fn missed(&self, state: &mut State, unit: UnitId, after: u64) -> Vec<Arc<str>> {
        let State { duty, posts, before, .. } = state;
        let post = posts.entry(unit).or_insert_with(|| Post::after(*before));
        // An ID that is ahead of ours is of another ledger: all is new then.
        let after = if after > post.last() { 0 } else { after };
        let mut missed = post.ended(after);
        let in_force: BTreeSet<AssignmentId> = duty.in_force(unit).map(|(a, _)| a.id).collect();
        for (assignment, call) in duty.in_force(unit) {
            // What this run has not sent yet comes under a new ID: an earlier run may have been at another word.
            let id = post.id_of(assignment.id).unwrap_or_else(|| {
                let id = post.next(0);
                post.keep(Kept { id, assignment: assignment.id, ended: None }, |id| in_force.contains(&id));
                id
            });
            missed.push((id, frames::assignment(&self.city, id, assignment, call).into()));
        }
        missed.sort();
        let name = &self.city.units[unit.index()].name;
        missed
            .into_iter()
            .map(|(_, frame)| frame)
            .chain([frames::current(post.last(), unit, name, &in_force).into()])
            .collect()
    }

    /// Connects a desk: the open calls and the assignments in force, then every frame from now on. It is told when it
    /// lagged too far, and should be cut off then.
    pub fn desk(&self) -> (VecDeque<Arc<str>>, broadcast::Receiver<Arc<str>>) {
        // Nothing is told meanwhile: no frame is missed between the two, and none comes twice.
        let state = self.lock();
        let now = state.duty.everything().filter_map(|notice| match notice {
            Notice::Assigned(a, call) => {
                let id = state.posts.get(&a.unit).and_then(|post| post.id_of(a.id)).unwrap_or(state.before);
                Some(frames::assignment(&self.city, id, &a, &call).into())
            }
            Notice::Status(status, facts) => Some(frames::call_status(&self.city, &status, facts.as_ref()).into()),
            _ => None,
        });
        let advised = state.cover.values().filter(|cover| !cover.advice.is_empty());
        let advised = advised.map(|cover| frames::cover_advice(&self.city, cover).into());
        (now.chain(advised).collect(), self.desks.subscribe())
    }

    /// A terminal of a unit says that it has all frames up to an ID: desks are told of the assignments among them.
    pub fn seen(&self, unit: UnitId, id: u64) {
        let seen = self.lock().post(unit).see(id);
        seen.into_iter().for_each(|assignment| self.tell_desks(frames::seen(assignment, unit).into()));
    }

    /// A unit says why it declines an assignment: desks are told, if it is the unit's own.
    pub fn declines(&self, ack: &Ack, why: &str) {
        let is_own = self.lock().duty.in_force(ack.unit).any(|(a, _)| a.id == ack.assignment);
        if is_own {
            tracing::info!(assignment = %ack.assignment, unit = ack.unit.0, why, "a unit declines");
            self.tell_desks(frames::declines(ack.assignment, ack.unit, why).into());
        }
    }

    fn leave(&self, unit: UnitId, number: u64) {
        let mut state = self.lock();
        if state.post(unit).leave(number) {
            self.man(unit, false);
        }
        self.metrics.terminals(-1);
    }

    fn man(&self, unit: UnitId, manned: bool) {
        if let Some(manning) = &self.manning {
            let _nobody_listens_at_the_end = manning.send((unit, manned));
        }
        if let Some(board) = &self.board {
            board.manned(unit, manned);
        }
        self.tell_desks(frames::terminal(unit, manned).into());
    }

    fn tell(&self, state: &mut State, tick: Time, notice: &Notice) {
        match notice {
            Notice::Assigned(a, call) | Notice::Changed(a, call) => {
                self.push(state, tick, (a.unit, a.id, false), |id| frames::assignment(&self.city, id, a, call));
            }
            Notice::Withdrawn(assignment, unit, why) => {
                let said = (*unit, *assignment, true);
                self.push(state, tick, said, |id| frames::withdrawn(id, *assignment, *unit, *why));
            }
            Notice::Answered(ack, refused) => state.answered(tick, ack, *refused),
            Notice::Status(s, facts) => self.tell_desks(frames::call_status(&self.city, s, facts.as_ref()).into()),
            Notice::Reminded(a, call) => {
                let post = state.post(a.unit);
                let id = post.next(tick);
                post.push(&frames::reminder(id, a, call).into());
            }
            Notice::Escalated(escalation) => self.tell_desks(frames::escalation(escalation).into()),
        }
        if let Notice::Assigned(a, call) = notice
            && let Some(arrived) = call.arrived.filter(|_| a.id.attempt == 1)
        {
            self.metrics.assignment_pushed(arrived.elapsed());
        }
    }

    /// Desks are told of a region when other units are advised, or to other places.
    fn tell_cover(&self, now: &CoverState) {
        let mut state = self.lock();
        if cover::is_news(state.cover.get(&now.region), now) {
            self.tell_desks(frames::cover_advice(&self.city, now).into());
            state.cover.insert(now.region, now.clone());
        }
    }

    /// Sends the terminals of a unit, and desks, a frame about an assignment, and keeps it.
    fn push(
        &self,
        state: &mut State,
        tick: Time,
        (unit, assignment, ends): (UnitId, AssignmentId, bool),
        frame: impl FnOnce(u64) -> String,
    ) {
        let State { duty, posts, before, .. } = state;
        let post = posts.entry(unit).or_insert_with(|| Post::after(*before));
        let id = post.next(tick);
        let frame: Arc<str> = frame(id).into();
        post.push(&frame);
        let kept = Kept { id, assignment, ended: ends.then(|| Arc::clone(&frame)) };
        post.keep(kept, |id| duty.in_force(unit).any(|(a, _)| a.id == id));
        self.tell_desks(frame);
    }

    fn tell_desks(&self, frame: Arc<str>) {
        let _no_desk_is_fine = self.desks.send(frame);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn post(&mut self, unit: UnitId) -> &mut Post {
        self.posts.entry(unit).or_insert_with(|| Post::after(self.before))
    }

    /// An answer that was taken before is not refused when it comes again: the word that it was taken may have been lost.
    fn answered(&mut self, tick: Time, ack: &Ack, refused: Option<Reason>) {
        let post = self.post(ack.unit);
        let refused = refused.filter(|_| !post.has_taken(ack));
        if refused.is_none() {
            post.take(ack);
        }
        let id = post.next(tick);
        post.push(&frames::ack_result(id, ack, refused).into());
    }
}

impl Sink for Arc<Terminals> {
    fn take(&mut self, record: &Arc<TickRecord>) {
        record.decisions.cover.iter().for_each(|cover| self.tell_cover(cover));
        if record.calls.is_empty()
            && record.acks.is_empty()
            && record.decisions.calls.is_empty()
            && record.decisions.assignments.is_empty()
            && record.decisions.escalations.is_empty()
        {
            return;
        }
        let mut state = self.lock();
        let notices = state.duty.take(record, |call| self.acceptances.posted(call));
        notices.iter().for_each(|notice| self.tell(&mut state, record.tick, notice));
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.terminals.leave(self.unit, self.number);
    }
}

#[cfg(test)]
mod tests;
