//! The thread of a receiver: reads steps of calls from the ledger, sends them in order, and notes how far it is.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver as Wakes, RecvTimeoutError, Sender, bounded};
use nanming_dataflows::network::City;

use super::post::Receiver;
use super::render::{Wanted, events};
use crate::config::WebhookConfig;
use crate::door::{Arrival, Inbox, TickRecord};
use crate::ledger::{Book, LedgerError};
use crate::metrics::Metrics;
use crate::offsets::Offsets;
use crate::publish::Sink;

/// Between two looks whether the end has come.
const LOOK: Duration = Duration::from_millis(100);
/// Between two tries: doubled from the first up to the last.
const PAUSES: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(60));
/// At the end the last ones get so long.
const GOODBYE: Duration = Duration::from_secs(1);
/// How far a receiver was told stands among the offsets as a partition that no topic has.
const TOLD: i32 = -1;

/// An event that waits; none of a step of which nothing is told.
struct Waiting {
    step: i64,
    event: Option<(String, String)>,
}

/// The thread that sends.
pub struct Outlet {
    city: Arc<City>,
    book: Book,
    receiver: Receiver,
    wanted: Wanted,
    most_tries: u32,
    /// Its name among the offsets.
    name: Arc<str>,
    wake: Wakes<()>,
    inbox: Option<Inbox>,
    metrics: Arc<Metrics>,
    waiting: VecDeque<Waiting>,
    /// The last step that was read, and the last one of which all is told.
    read: i64,
    told: i64,
    tries: u32,
    due: Instant,
}

/// The sinks' end: says that the ledger has more.
pub struct Wake(Sender<()>);

impl Sink for Wake {
    fn take(&mut self, record: &Arc<TickRecord>) {
        if !(record.decisions.calls.is_empty() && record.calls.is_empty()) {
            // Full: it has been told.
            let _ = self.0.try_send(());
        }
    }
}

impl Outlet {
    /// Goes on after what `known` says was told; where it says nothing, after all that the book has.
    pub fn open(
        config: &WebhookConfig,
        (city, book, inbox): (Arc<City>, Book, Inbox),
        metrics: Arc<Metrics>,
        known: &Offsets,
    ) -> Result<(Outlet, Wake), OpenError> {
        let (sender, wake) = bounded(1);
        let name: Arc<str> = format!("webhook {}", config.url).into();
        let wanted = Wanted::of(config, &city).map_err(OpenError::Unit)?;
        let known = known.next(&name, TOLD);
        let told = known.map_or_else(|| book.last_step(), Ok)?;
        let outlet = Outlet {
            city,
            book,
            receiver: Receiver::new(config),
            wanted,
            most_tries: config.tries,
            name,
            wake,
            inbox: Some(inbox),
            metrics,
            waiting: VecDeque::new(),
            read: told,
            told,
            tries: 0,
            due: Instant::now(),
        };
        outlet.note();
        Ok((outlet, Wake(sender)))
    }

    /// Sends until the sinks are gone.
    pub fn run(mut self, stop: &AtomicBool) {
        loop {
            let ends = self.wake.recv_timeout(LOOK) == Err(RecvTimeoutError::Disconnected);
            let until = ends.then(|| Instant::now() + GOODBYE);
            // The door waits for everybody who could still hand something in.
            if stop.load(Ordering::Relaxed) {
                self.inbox = None;
            }
            let goes_on = || until.map_or(!stop.load(Ordering::Relaxed), |until| Instant::now() < until);
            while goes_on() && self.due <= Instant::now() && self.send_next() {}
            if ends {
                return;
            }
        }
    }

    /// Sends the next event. Whether there may be more.
    fn send_next(&mut self) -> bool {
        if self.waiting.is_empty() && !self.read_on() {
            return false;
        }
        let Some(Waiting { step, event }) = self.waiting.front() else { return true };
        let sent = event.as_ref().map_or(Ok(()), |(id, event)| self.receiver.post(id, event));
        match sent {
            Ok(()) => self.metrics.webhooks.sent(event.is_some()),
            Err(why) => {
                self.metrics.webhooks.failed();
                self.tries += 1;
                if self.tries < self.most_tries {
                    return self.try_later(&why);
                }
                self.metrics.webhooks.dead();
                let (url, step) = (&self.name, *step);
                tracing::error!(to = %url, step, why, "an event was given up; the ledger has its call");
            }
        }
        (self.told, self.tries) = (*step, 0);
        self.waiting.pop_front();
        if self.waiting.is_empty() {
            self.note();
        }
        true
    }

    fn try_later(&mut self, why: &str) -> bool {
        let pause = PAUSES.0.saturating_mul(1 << (self.tries - 1).min(16)).min(PAUSES.1);
        if self.tries == 1 {
            tracing::warn!(to = %self.name, why, "an event was not taken: it and those after it wait in the ledger");
        }
        self.due = Instant::now() + pause;
        false
    }

    /// Reads more from the ledger; whether there was more.
    fn read_on(&mut self) -> bool {
        let steps = self.book.steps_after(self.read).unwrap_or_else(|error| {
            tracing::error!(%error, "steps of calls cannot be read from the ledger and told to webhooks; trying again");
            Vec::new()
        });
        for step in &steps {
            let told = events(&self.city, &self.wanted, step).into_iter().map(Some);
            let none_told = Waiting { step: step.number, event: None };
            self.waiting.extend(told.map(|event| Waiting { step: step.number, event }).chain([none_told]));
            self.read = step.number;
        }
        !steps.is_empty()
    }

    /// Hands in how far it is. At the end nobody takes it: then it is told again.
    fn note(&self) {
        if let Some(inbox) = &self.inbox {
            let offsets = Offsets::of((Arc::clone(&self.name), TOLD), self.told);
            let _the_end_has_come = inbox.send(Arrival { offsets, ..Arrival::default() });
        }
    }
}

/// Why a webhook cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The ledger says no.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The city has no such unit.
    #[error("webhooks: the city has no unit {0}; write call signs as GET /api/city has them")]
    Unit(String),
}
