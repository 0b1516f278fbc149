//! What a unit's terminals were sent, who of them is connected, and what they have answered.
//!
//! A frame's ID is its tick and a number within it: so IDs increase over a restart too, for no tick comes twice.

use std::collections::VecDeque;
use std::sync::Arc;

use nanming_dataflows::Time;
use nanming_dataflows::event::{Ack, Answer, AssignmentId};
use tokio::sync::mpsc;

/// IDs of a tick.
pub(super) const PER_TICK: u64 = 1000;
/// Frames that outlive a lost link; what is in force outlives it in any case.
pub(super) const KEPT: usize = 16;
/// Answers taken that are remembered: one that comes again is not refused.
const TAKEN: usize = 16;

/// A frame about an assignment that was sent.
#[derive(Clone, Debug)]
pub(super) struct Kept {
    pub(super) id: u64,
    pub(super) assignment: AssignmentId,
    /// The frame itself where it says that the assignment holds no longer; what is in force is told as it is now.
    pub(super) ended: Option<Arc<str>>,
}

/// Of one unit.
pub(super) struct Post {
    last: u64,
    kept: VecDeque<Kept>,
    seen: u64,
    taken: VecDeque<(AssignmentId, Answer)>,
    lines: Vec<(u64, mpsc::Sender<Arc<str>>)>,
    manned: bool,
}

impl Post {
    /// One whose next IDs come after this one.
    pub(super) fn after(id: u64) -> Post {
        let (kept, taken, lines) = (VecDeque::new(), VecDeque::new(), Vec::new());
        Post { last: id, kept, seen: 0, taken, lines, manned: false }
    }

    /// The ID of the last frame.
    pub(super) fn last(&self) -> u64 {
        self.last
    }

    /// The ID of the next frame.
    pub(super) fn next(&mut self, tick: Time) -> u64 {
        self.last = (self.last + 1).max(tick * PER_TICK);
        self.last
    }

    /// Keeps a frame for terminals that are away. The oldest goes whose assignment is not in force any more.
    pub(super) fn keep(&mut self, kept: Kept, in_force: impl Fn(AssignmentId) -> bool) {
        self.kept.push_back(kept);
        if self.kept.len() > KEPT {
            let stale = self.kept.iter().position(|old| !in_force(old.assignment)).unwrap_or(0);
            self.kept.remove(stale);
        }
    }

    /// Frames after an ID that say what holds no longer.
    pub(super) fn ended(&self, after: u64) -> Vec<(u64, Arc<str>)> {
        let late = self.kept.iter().filter(|kept| kept.id > after);
        late.filter_map(|kept| Some((kept.id, Arc::clone(kept.ended.as_ref()?)))).collect()
    }

    /// The ID of the last frame about an assignment.
    pub(super) fn id_of(&self, assignment: AssignmentId) -> Option<u64> {
        self.kept.iter().rev().find(|kept| kept.assignment == assignment).map(|kept| kept.id)
    }

    /// A terminal has seen all frames up to an ID: assignments that nobody had seen before.
    pub(super) fn see(&mut self, id: u64) -> Vec<AssignmentId> {
        let id = id.min(self.last);
        let new = self.kept.iter().filter(|kept| kept.id > self.seen && kept.id <= id).map(|kept| kept.assignment);
        let mut new: Vec<AssignmentId> = new.collect();
        new.dedup();
        self.seen = self.seen.max(id);
        new
    }

    /// An answer was taken.
    pub(super) fn take(&mut self, ack: &Ack) {
        if self.has_taken(ack) {
            return;
        }
        if self.taken.len() == TAKEN {
            self.taken.pop_front();
        }
        self.taken.push_back((ack.assignment, ack.answer));
    }

    /// Whether the same answer was taken before.
    pub(super) fn has_taken(&self, ack: &Ack) -> bool {
        self.taken.contains(&(ack.assignment, ack.answer))
    }

    /// Queues a frame for every terminal; one whose queue is full is cut off.
    pub(super) fn push(&mut self, frame: &Arc<str>) {
        self.lines.retain(|(_, sender)| sender.try_send(Arc::clone(frame)).is_ok());
    }

    /// A terminal connected; whether it is the first.
    pub(super) fn join(&mut self, number: u64, sender: mpsc::Sender<Arc<str>>) -> bool {
        self.lines.push((number, sender));
        !std::mem::replace(&mut self.manned, true)
    }

    /// A terminal left; whether it was the last.
    pub(super) fn leave(&mut self, number: u64) -> bool {
        self.lines.retain(|(n, _)| *n != number);
        let was_last = self.lines.is_empty() && self.manned;
        self.manned &= !was_last;
        was_last
    }
}
