//! The desk: one machine a call. It knows which calls exist and which region serves each, and turns away what speaks of
//! calls that do not exist or opens one twice.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{RegionEvent, RegionNews};
use crate::Time;
use crate::decision::{Reason, Rejected};
use crate::event::{Ack, CallChange, CallEvent, CallFacts, Event};
use crate::ids::{CallId, RegionId};
use crate::keyed::{Machine, Outbox};
use crate::network::City;

/// A call is remembered so long after it was last heard of, ms.
const RETENTION_MS: u64 = 24 * 3_600_000;

/// What the desk hears of a call. Ordered by time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct DeskEvent {
    /// When, ms.
    pub time_ms: u64,
    /// What.
    pub what: DeskNews,
}

/// News of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum DeskNews {
    /// From its caller or the 110 desk.
    Call(CallEvent),
    /// From a unit.
    Ack(Ack),
}

/// What the desk says.
#[derive(Clone, Debug)]
pub enum DeskSaid {
    /// To a region.
    Tell(RegionId, RegionEvent),
    /// Back to the sender.
    Rejected(Rejected),
}

/// The machine of calls.
pub struct Desk {
    city: Arc<City>,
}

impl Desk {
    /// For a city's grids.
    pub fn new(city: Arc<City>) -> Self {
        Desk { city }
    }

    fn region(&self, facts: &CallFacts) -> RegionId {
        self.city.grids[facts.grid.index()].region
    }
}

/// What is remembered of a call.
#[derive(Default, Serialize, Deserialize)]
pub struct Entry {
    facts: Option<CallFacts>,
    cancelled: bool,
}

impl Machine for Desk {
    type Key = CallId;
    type Event = DeskEvent;
    type State = Entry;
    type Out = DeskSaid;

    fn name(&self) -> &'static str {
        "desk"
    }

    fn step(
        &self,
        call: CallId,
        entry: &mut Entry,
        tick: Time,
        events: &[(CallId, DeskEvent)],
        out: &mut Outbox<DeskSaid>,
    ) {
        for (_, event) in events {
            match self.take(call, entry, event) {
                Ok(told) => told.into_iter().for_each(|(region, what)| {
                    out.emit(DeskSaid::Tell(region, RegionEvent { time_ms: event.time_ms, what }));
                }),
                Err(reason) => {
                    let event = match event.what {
                        DeskNews::Call(e) => Event::Call(e),
                        DeskNews::Ack(e) => Event::Ack(e),
                    };
                    let time_ms = tick;
                    out.emit(DeskSaid::Rejected(Rejected { time_ms, reason, event }));
                }
            }
        }
        if events.is_empty() || entry.facts.is_none() {
            out.forget();
        } else {
            out.wake_at(tick + RETENTION_MS);
        }
    }
}

impl Desk {
    fn take(&self, call: CallId, entry: &mut Entry, event: &DeskEvent) -> Result<Vec<(RegionId, RegionNews)>, Reason> {
        let open = entry.facts.filter(|_| !entry.cancelled);
        match event.what {
            DeskNews::Call(CallEvent { change: CallChange::Opened(facts), .. }) => {
                if entry.facts.is_some() {
                    return Err(Reason::DuplicateCall);
                }
                entry.facts = Some(facts);
                Ok(vec![(self.region(&facts), RegionNews::Opened(call, facts))])
            }
            DeskNews::Call(CallEvent { change: CallChange::Restored(facts, standing), .. }) => {
                entry.facts = Some(facts);
                Ok(vec![(self.region(&facts), RegionNews::Restored(call, facts, standing))])
            }
            DeskNews::Call(CallEvent { change: CallChange::Updated(facts), .. }) => {
                let before = open.ok_or(Reason::UnknownCall)?;
                entry.facts = Some(facts);
                let (from, to) = (self.region(&before), self.region(&facts));
                if from == to {
                    return Ok(vec![(to, RegionNews::Updated(call, facts))]);
                }
                Ok(vec![(from, RegionNews::Cancelled(call)), (to, RegionNews::Opened(call, facts))])
            }
            DeskNews::Call(CallEvent { change: CallChange::Cancelled, .. }) => {
                let facts = open.ok_or(Reason::UnknownCall)?;
                entry.cancelled = true;
                Ok(vec![(self.region(&facts), RegionNews::Cancelled(call))])
            }
            DeskNews::Ack(ack) => {
                let facts = entry.facts.ok_or(Reason::UnknownAssignment)?;
                Ok(vec![(self.region(&facts), RegionNews::Answered(ack))])
            }
        }
    }
}
