//! What a worker's thread runs: ticks go in as they are ordered, and what is decided comes out.

use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, TryRecvError};
use nanming_dataflows::Time;
use nanming_dataflows::bookmark::Bookmark;
use nanming_dataflows::input::{Announcer, Feeds, Share};
use nanming_dataflows::keyed::{Tick, Vault};
use nanming_dataflows::output::Gathered;
use timely::worker::Worker;

use super::{Part, Stopped};

/// An idle worker looks up at least so often, ms; new ticks wake it at once.
const IDLE_MS: u64 = 500;

/// A tick for a worker.
pub(super) struct Order {
    pub(super) tick: Time,
    pub(super) share: Share,
    pub(super) mark: Tick,
    /// To be announced with it.
    pub(super) told: Vec<Bookmark>,
}

/// A worker's ends.
pub(super) struct Driver {
    pub(super) feeds: Feeds,
    pub(super) announcer: Option<Announcer>,
    pub(super) gathered: Gathered,
    pub(super) vault: Vault,
    pub(super) orders: Receiver<Order>,
    pub(super) said: Sender<Result<Part, Stopped>>,
    pub(super) in_flight: Vec<Time>,
}

impl Driver {
    pub(super) fn run(mut self, worker: &mut Worker) {
        loop {
            match self.orders.try_recv() {
                Ok(Order { tick, share, mark, told }) => {
                    if let Some(announcer) = &mut self.announcer {
                        announcer.announce(tick, told);
                    }
                    self.feeds.feed(tick, share, mark);
                    self.in_flight.push(tick);
                    worker.step();
                }
                Err(TryRecvError::Disconnected) => return,
                Err(TryRecvError::Empty) => {
                    worker.step_or_park(Some(Duration::from_millis(IDLE_MS)));
                }
            }
            self.hand_over();
        }
    }

    fn hand_over(&mut self) {
        let complete = self.in_flight.iter().take_while(|tick| self.gathered.is_complete(**tick)).count();
        for tick in self.in_flight.drain(..complete) {
            let (decisions, bookmarks) = self.gathered.take(tick);
            let part = Part { tick, decisions, saved: self.vault.take(), bookmarks };
            // The engine may have been dropped: then nobody wants it.
            let _ = self.said.send(Ok(part));
        }
    }
}
