//! Locks that a platform asked for and has no answer to yet: the answer is that the stage stands, or why it does not.

use nanming_dataflows::event::StageHold;

use super::crosses::Held;
use super::message::{Fault, Message, Operation};
use super::{Desk, numbers};

/// Requests of one platform that wait at most.
const MOST_WAITING: usize = 50;

/// A request that is to be answered, and how.
pub(super) type Settled = (Message, Operation, Result<(), Fault>);

/// What one platform waits for.
#[derive(Default)]
pub(super) struct Pending {
    requests: Vec<Request>,
    /// On their way to the door.
    out: Vec<StageHold>,
}

struct Request {
    message: Message,
    operation: Operation,
    locks: Vec<StageHold>,
    /// Then it is answered whatever has become of it, ms.
    until_ms: u64,
}

impl Pending {
    /// Takes what an operation holds and lets go. Whether it has to wait for its answer.
    pub(super) fn take(
        &mut self,
        desk: &Desk,
        message: &Message,
        operation: &Operation,
        asked: Vec<StageHold>,
    ) -> bool {
        let locks: Vec<StageHold> = asked.iter().filter(|hold| hold.stage.is_some()).cloned().collect();
        self.out.extend(asked);
        if locks.is_empty() {
            return false;
        }
        let (message, operation) = (message.head(), operation.clone());
        let until_ms = desk.now_ms() + desk.lock_wait_s * 1_000;
        self.requests.push(Request { message, operation, locks, until_ms });
        true
    }

    /// What is to go through the door.
    pub(super) fn holds(&mut self) -> Vec<StageHold> {
        std::mem::take(&mut self.out)
    }

    /// Whether a request waits for its answer.
    pub(super) fn is_waiting(&self) -> bool {
        !self.requests.is_empty()
    }

    /// Whether as many wait as may.
    pub(super) fn is_full(&self) -> bool {
        self.requests.len() >= MOST_WAITING
    }

    /// Requests that can be answered. What is answered by an error is not held either.
    pub(super) fn look(&mut self, desk: &Desk) -> Vec<Settled> {
        let mut settled = Vec::new();
        for request in std::mem::take(&mut self.requests) {
            let Some(outcome) = request.outcome(desk) else {
                self.requests.push(request);
                continue;
            };
            let Request { message, operation, locks, .. } = request;
            match &outcome {
                Ok(()) => desk.metrics.controllers.locked(),
                Err(_) => self.out.extend(locks.iter().filter_map(|lock| release(desk, lock))),
            }
            settled.push((message, operation, outcome));
        }
        settled
    }
}

impl Request {
    /// What is to be answered; none while it is open.
    fn outcome(&self, desk: &Desk) -> Option<Result<(), Fault>> {
        let become_of: Vec<Held> = self.locks.iter().map(|lock| desk.crosses.holds(lock)).collect();
        let fault = |lock: &StageHold, why: &str| {
            let id = numbers::cross_id(&desk.agency, lock.junction);
            Some(Err(Fault::new("LockFlowDirection", "SDE_Failure", format!("{id}: {why}"))))
        };
        let first = |held| become_of.iter().position(|known| *known == held).map(|row| &self.locks[row]);
        match (first(Held::Displaced), first(Held::NotYet)) {
            (Some(lock), _) => fault(lock, "somebody has held another stage since, or let it go"),
            (None, None) => Some(Ok(())),
            (None, Some(lock)) if desk.now_ms() >= self.until_ms => {
                fault(lock, &format!("the stage does not stand after {} s (gat1049.lock_wait_s)", desk.lock_wait_s))
            }
            (None, Some(_)) => None,
        }
    }
}

/// The end of a lock, unless somebody has said something else since.
fn release(desk: &Desk, lock: &StageHold) -> Option<StageHold> {
    let is_mine = desk.crosses.holds(lock) != Held::Displaced;
    let time_ms = desk.now_ms().max(lock.time_ms + 1);
    is_mine.then(|| StageHold { time_ms, stage: None, until_ms: 0, ..lock.clone() })
}
