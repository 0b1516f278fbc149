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
    /// Another alarm with its ID or key is on its way.
    Conflict,
}

/// Alarms between their POST and the commit of their tick.
#[derive(Default)]
pub struct Acceptances {
    pending: Mutex<Vec<Pending>>,
    naming: Mutex<()>,
}

struct Pending {
    call: CallId,
    change: CallChange,
    content: [u8; 32],
    key: String,
    posted: Instant,
    waiting: Vec<oneshot::Sender<Outcome>>,
}

impl Acceptances {
    /// Held while an alarm is given its ID and announced, so that no two with one key get two IDs.
    pub fn naming(&self) -> MutexGuard<'_, ()> {
        self.naming.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The call on its way that its sender's key stands for.
    pub fn call_of_key(&self, key: &str) -> Option<CallId> {
        self.lock().iter().find(|p| !key.is_empty() && p.key == key).map(|p| p.call)
    }

    /// Announces an alarm that will be sent. `content` tells alarms of the same ID apart; `key` is its sender's, or empty.
    pub fn expect(&self, event: &CallEvent, content: [u8; 32], key: &str) -> Expected {
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
                let key = key.to_owned();
                pending.push(Pending { call, change, content, key, posted, waiting: vec![sender] });
                Expected::New(receiver)
            }
        }
    }

    /// Watches over an alarm that was announced until it is sent.
    pub fn unsent(&self, event: CallEvent) -> Unsent<'_> {
        Unsent { acceptances: self, event, sent: false }
    }

    /// Takes an announcement away, with those who wait for it.
    fn withdraw(&self, event: &CallEvent) -> Vec<oneshot::Sender<Outcome>> {
        let mut pending = self.lock();
        let found = pending.iter().position(|p| p.call == event.call && p.change == event.change);
        found.map(|row| pending.swap_remove(row).waiting).unwrap_or_default()
    }

    /// Tells all who wait for an alarm what became of it.
    fn answer(&self, event: &CallEvent, outcome: Outcome) {
        for caller in self.withdraw(event) {
            // A caller who has gone needs no answer.
            let _ = caller.send(outcome);
        }
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

    /// It need not be sent: the ledger has it since this tick. Those who joined it in the meantime are told so.
    pub fn known(self, tick: Time) {
        self.acceptances.answer(&self.event, Outcome { tick, refused: None });
    }
}

impl Drop for Unsent<'_> {
    fn drop(&mut self) {
        if !self.sent {
            self.acceptances.withdraw(&self.event);
        }
    }
}

impl Sink for Arc<Acceptances> {
    fn take(&mut self, record: &Arc<TickRecord>) {
        for (event, refused) in refusals::calls(record) {
            self.answer(event, Outcome { tick: record.tick, refused });
        }
    }
}

#[cfg(test)]
mod tests {
    use nanming_dataflows::event::{CallFacts, Category, Needs, Priority};
    use nanming_dataflows::ids::GridId;
    use nanming_dataflows::network::Point;

    use super::*;

    const FACTS: CallFacts = CallFacts {
        priority: Priority::A,
        category: Category::Other,
        at: Point { x_mm: 1, y_mm: 1 },
        grid: GridId(3),
        needs: Needs::ONE,
    };
    const EVENT: CallEvent = CallEvent { time_ms: 1, call: CallId(17), change: CallChange::Opened(FACTS) };

    #[test]
    fn who_joins_an_alarm_that_turns_out_to_be_in_the_ledger_is_told_so() {
        let acceptances = Acceptances::default();
        let Expected::New(mut first) = acceptances.expect(&EVENT, [1; 32], "") else { panic!("it is the first") };
        let unsent = acceptances.unsent(EVENT);
        let Expected::Joined(mut second) = acceptances.expect(&EVENT, [1; 32], "") else { panic!("it is the same") };
        unsent.known(7);
        let told = Ok(Outcome { tick: 7, refused: None });
        assert_eq!((first.try_recv(), second.try_recv()), (told.clone(), told));
        assert!(acceptances.posted(EVENT.call).is_none());
    }

    #[test]
    fn an_alarm_whose_sender_went_away_is_not_on_its_way() {
        let acceptances = Acceptances::default();
        let _first = acceptances.expect(&EVENT, [1; 32], "");
        drop(acceptances.unsent(EVENT));
        assert!(matches!(acceptances.expect(&EVENT, [1; 32], ""), Expected::New(_)));
    }
}
