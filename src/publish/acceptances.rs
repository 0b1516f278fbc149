//! Callers who wait to hear that their alarm is in the ledger.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use nanming_dataflows::Time;
use nanming_dataflows::decision::Reason;
use nanming_dataflows::event::{CallChange, CallEvent};
use nanming_dataflows::ids::CallId;
use tokio::sync::oneshot;

use super::bus::Sink;
use crate::door::TickRecord;
use crate::ledger::refusals;

/// What became of an alarm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The tick that took it.
    pub tick: Time,
    /// Why the engine did not take it, if so.
    pub refused: Option<Reason>,
}

/// How an alarm relates to those on their way.
#[derive(Debug)]
pub enum Expected {
    /// It is new: send it, then wait.
    New(oneshot::Receiver<Outcome>),
    /// The same alarm is on its way already: wait with it.
    Joined(oneshot::Receiver<Outcome>),
    /// Another alarm with its ID is on its way.
    Conflict,
}

/// Alarms between their POST and the commit of their tick.
#[derive(Default)]
pub struct Acceptances {
    pending: Mutex<Vec<Pending>>,
}

struct Pending {
    call: CallId,
    change: CallChange,
    content: [u8; 32],
    posted: Instant,
    waiting: Vec<oneshot::Sender<Outcome>>,
}

impl Acceptances {
    /// Announces an alarm that will be sent. `content` tells alarms of the same ID apart.
    pub fn expect(&self, event: &CallEvent, content: [u8; 32]) -> Expected {
        let (sender, receiver) = oneshot::channel();
        let opens = |change: &CallChange| matches!(change, CallChange::Opened(_));
        let mut pending = self.lock();
        let same_call = pending.iter_mut().find(|p| p.call == event.call && opens(&p.change) && opens(&event.change));
        match same_call {
            Some(other) if other.content != content => Expected::Conflict,
            Some(same) => {
                same.waiting.push(sender);
                Expected::Joined(receiver)
            }
            None => {
                let (call, change, posted) = (event.call, event.change, Instant::now());
                pending.push(Pending { call, change, content, posted, waiting: vec![sender] });
                Expected::New(receiver)
            }
        }
    }

    /// Watches over an alarm that was announced until it is sent.
    pub fn unsent(&self, event: CallEvent) -> Unsent<'_> {
        Unsent { acceptances: self, event, sent: false }
    }

    /// Takes back an announcement: the alarm could not be sent.
    fn forget(&self, event: &CallEvent) {
        self.lock().retain(|p| !(p.call == event.call && p.change == event.change));
    }

    /// When the alarm of a call that is on its way was posted.
    pub fn posted(&self, call: CallId) -> Option<Instant> {
        self.lock().iter().find(|p| p.call == call).map(|p| p.posted)
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Pending>> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An alarm that is to be sent. Dropped before it was, as when its caller goes away, its announcement is taken back.
pub struct Unsent<'a> {
    acceptances: &'a Acceptances,
    event: CallEvent,
    sent: bool,
}

impl Unsent<'_> {
    /// It was sent: its tick will bring the answer.
    pub fn sent(mut self) {
        self.sent = true;
    }
}

impl Drop for Unsent<'_> {
    fn drop(&mut self) {
        if !self.sent {
            self.acceptances.forget(&self.event);
        }
    }
}

impl Sink for Arc<Acceptances> {
    fn take(&mut self, record: &Arc<TickRecord>) {
        for (event, refused) in refusals::calls(record) {
            let mut pending = self.lock();
            let found = pending.iter().position(|p| p.call == event.call && p.change == event.change);
            let Some(Pending { waiting, .. }) = found.map(|row| pending.swap_remove(row)) else { continue };
            drop(pending);
            for caller in waiting {
                // A caller who has gone needs no answer.
                let _ = caller.send(Outcome { tick: record.tick, refused });
            }
        }
    }
}
