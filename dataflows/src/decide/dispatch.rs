//! Dispatch: which unit goes to which call. One machine a dispatch region.
//!
//! Waiting calls and available units are matched for least total travel time, most urgent calls first, as soon as either
//! changes. An assignment stands until its unit declines, stays silent or leaves service; then the call is matched anew.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::Time;
use crate::decision::{Assignment, CallPhase, CallStatus, PickReason, Reason, Rejected};
use crate::event::{Ack, Answer, AssignmentId, CallFacts, Event, Standing};
use crate::ids::{CallId, LinkId, RegionId, UnitId};
use crate::keyed::{Machine, Outbox};
use crate::network::{City, Point};

pub mod desk;
pub mod load;
mod matching;
mod pick;
mod roads;
pub use matching::{FORBIDDEN, assign};
pub use roads::Roads;

/// A unit that has not answered after so long is replaced, ms.
pub const SILENT_MS: u64 = 60_000;

/// What a region is told. Ordered by time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RegionEvent {
    /// When, ms.
    pub time_ms: u64,
    /// What.
    pub what: RegionNews,
}

/// News for a region. What is withdrawn sorts before what takes its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum RegionNews {
    /// A unit is no longer in service as it was.
    UnitGone(UnitId),
    /// A unit is in service.
    UnitHere(UnitId, UnitPlace),
    /// A call was opened.
    Opened(CallId, CallFacts),
    /// A call was in the ledger when the engine started.
    Restored(CallId, CallFacts, Standing),
    /// What is known of a call changed.
    Updated(CallId, CallFacts),
    /// A call was withdrawn.
    Cancelled(CallId),
    /// A unit answered.
    Answered(Ack),
    /// A link's travel time, ms.
    Travel(LinkId, u32),
}

/// Where a unit is and whether it is free.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct UnitPlace {
    /// Where.
    pub at: Point,
    /// Whether its status lets it take a task.
    pub available: bool,
}

/// What a region says.
#[derive(Clone, Debug)]
pub enum RegionSaid {
    /// A unit is sent.
    Assignment(Assignment),
    /// A call reached a phase.
    Status(CallStatus),
    /// An answer made no sense.
    Rejected(Rejected),
}

/// The machine of dispatch regions.
pub struct Dispatch {
    roads: Roads,
}

/// A call that is not closed.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Case {
    facts: CallFacts,
    phase: CallPhase,
    opened_ms: u64,
    attempts: u16,
    unit: Option<UnitId>,
    assigned_ms: u64,
    declined: Vec<UnitId>,
    silent: Vec<UnitId>,
    why: PickReason,
}

/// What is remembered of a region.
#[derive(Default, Serialize, Deserialize)]
pub struct Region {
    units: BTreeMap<UnitId, UnitPlace>,
    engaged: BTreeMap<UnitId, CallId>,
    cases: BTreeMap<CallId, Case>,
    travel_ms: Vec<u32>,
    unmatched: bool,
}

impl Dispatch {
    /// For a city's roads.
    pub fn new(city: Arc<City>) -> Self {
        Dispatch { roads: Roads::new(&city) }
    }
}

impl Machine for Dispatch {
    type Key = RegionId;
    type Event = RegionEvent;
    type State = Region;
    type Out = RegionSaid;

    fn name(&self) -> &'static str {
        "dispatch"
    }

    fn step(
        &self,
        _: RegionId,
        region: &mut Region,
        tick: Time,
        events: &[(RegionId, RegionEvent)],
        out: &mut Outbox<RegionSaid>,
    ) {
        if region.travel_ms.is_empty() {
            region.travel_ms = self.roads.free_travel_ms();
        }
        let mut desk = RegionDesk { region, tick, out };
        for (_, event) in events {
            desk.take(event);
        }
        desk.replace_silent();
        if std::mem::take(&mut desk.region.unmatched) {
            desk.match_waiting(&self.roads);
        }
        let answer_by =
            region.cases.values().filter(|c| c.phase == CallPhase::Assigned).map(|c| c.assigned_ms + SILENT_MS).min();
        if let Some(at) = answer_by {
            out.wake_at(at);
        }
    }
}

/// A region at a tick.
struct RegionDesk<'a> {
    region: &'a mut Region,
    tick: Time,
    out: &'a mut Outbox<RegionSaid>,
}

impl RegionDesk<'_> {
    fn take(&mut self, event: &RegionEvent) {
        match event.what {
            RegionNews::UnitGone(unit) => {
                self.region.units.remove(&unit);
            }
            RegionNews::UnitHere(unit, place) => {
                self.region.units.insert(unit, place);
                self.region.unmatched |= place.available;
            }
            RegionNews::Opened(call, facts) => {
                self.open(call, facts, event.time_ms, Standing { phase: CallPhase::Waiting, attempts: 0, unit: None })
            }
            RegionNews::Restored(call, facts, standing) => self.open(call, facts, event.time_ms, standing),
            RegionNews::Updated(call, facts) => {
                if let Some(case) = self.region.cases.get_mut(&call) {
                    case.facts = facts;
                    self.region.unmatched = true;
                }
            }
            RegionNews::Cancelled(call) => self.close(call, CallPhase::Cancelled),
            RegionNews::Answered(ack) => self.answer(&ack),
            RegionNews::Travel(link, travel_ms) => self.region.travel_ms[link.index()] = travel_ms,
        }
    }

    fn open(&mut self, call: CallId, facts: CallFacts, opened_ms: u64, standing: Standing) {
        let Standing { phase, attempts, unit } = standing;
        let case = Case {
            facts,
            phase,
            opened_ms,
            attempts,
            unit,
            assigned_ms: self.tick,
            declined: Vec::new(),
            silent: Vec::new(),
            why: PickReason::Nearest,
        };
        if let Some(unit) = unit {
            self.region.engaged.insert(unit, call);
        }
        self.region.cases.insert(call, case);
        self.region.unmatched = true;
        self.tell(call);
    }

    fn close(&mut self, call: CallId, phase: CallPhase) {
        if let Some(case) = self.region.cases.get_mut(&call) {
            case.phase = phase;
            self.tell(call);
        }
        if let Some(unit) = self.region.cases.remove(&call).and_then(|case| case.unit) {
            self.region.engaged.remove(&unit);
            self.region.unmatched = true;
        }
    }

    fn answer(&mut self, ack: &Ack) {
        let call = ack.assignment.call;
        if let Err(reason) =
            self.region.cases.get(&call).ok_or(Reason::StaleAssignment).and_then(|case| case.may_answer(ack))
        {
            self.out.emit(RegionSaid::Rejected(Rejected { time_ms: ack.time_ms, reason, event: Event::Ack(*ack) }));
            return;
        }
        match ack.answer {
            Answer::Accept => self.advance(call, CallPhase::Accepted),
            Answer::Arrived => self.advance(call, CallPhase::Arrived),
            Answer::Closed => self.close(call, CallPhase::Closed),
            Answer::Decline => self.free(call, PickReason::AfterDecline),
        }
    }

    fn advance(&mut self, call: CallId, phase: CallPhase) {
        if let Some(case) = self.region.cases.get_mut(&call).filter(|case| case.phase < phase) {
            case.phase = phase;
            self.tell(call);
        }
    }

    /// Takes a call from its unit; it waits again.
    fn free(&mut self, call: CallId, why: PickReason) {
        let Some(case) = self.region.cases.get_mut(&call) else { return };
        let Some(unit) = case.unit.take() else { return };
        match why {
            PickReason::AfterDecline => case.declined.push(unit),
            PickReason::AfterSilence => case.silent.push(unit),
            _ => {}
        }
        (case.phase, case.why) = (CallPhase::Waiting, why);
        self.region.engaged.remove(&unit);
        self.region.unmatched = true;
        self.tell(call);
    }

    /// Calls whose unit has not answered in time or has left service wait again.
    fn replace_silent(&mut self) {
        let on_way = |case: &&(CallId, Case)| matches!(case.1.phase, CallPhase::Assigned | CallPhase::Accepted);
        let cases: Vec<_> =
            self.region.cases.iter().map(|(id, case)| (*id, case.clone())).filter(|c| on_way(&c)).collect();
        for (call, case) in cases {
            let lost = case.unit.is_some_and(|unit| !self.region.units.contains_key(&unit))
                && self.tick >= case.assigned_ms + SILENT_MS;
            let silent = case.phase == CallPhase::Assigned && self.tick >= case.assigned_ms + SILENT_MS;
            if lost || silent {
                self.free(call, if lost { PickReason::AfterLoss } else { PickReason::AfterSilence });
            }
        }
    }

    fn match_waiting(&mut self, roads: &Roads) {
        let mut picks = pick::picks(self.region, roads);
        picks.sort_by_key(|p| p.call);
        for pick in picks {
            let Some(case) = self.region.cases.get_mut(&pick.call) else { continue };
            case.attempts += 1;
            (case.phase, case.unit, case.assigned_ms) = (CallPhase::Assigned, Some(pick.unit), self.tick);
            let reason = if case.attempts == 1 { pick.reason } else { case.why };
            self.region.engaged.insert(pick.unit, pick.call);
            self.out.emit(RegionSaid::Assignment(Assignment {
                id: AssignmentId { call: pick.call, attempt: case.attempts },
                call: pick.call,
                unit: pick.unit,
                time_ms: self.tick,
                priority: case.facts.priority,
                eta_ms: pick.eta_ms,
                candidates: pick.candidates,
                reason,
            }));
            self.tell(pick.call);
        }
    }

    fn tell(&mut self, call: CallId) {
        let Some(case) = self.region.cases.get(&call) else { return };
        self.out.emit(RegionSaid::Status(CallStatus {
            call,
            time_ms: self.tick,
            phase: case.phase,
            priority: case.facts.priority,
            grid: case.facts.grid,
            assignment: case.unit.map(|_| AssignmentId { call, attempt: case.attempts }),
            unit: case.unit,
        }));
    }
}

impl Case {
    /// Whether a unit may say this about this call now.
    fn may_answer(&self, ack: &Ack) -> Result<(), Reason> {
        if ack.assignment.attempt == 0 || ack.assignment.attempt > self.attempts {
            return Err(Reason::UnknownAssignment);
        }
        match self.unit {
            _ if ack.assignment.attempt < self.attempts => Err(Reason::StaleAssignment),
            None => Err(Reason::StaleAssignment),
            Some(unit) if unit != ack.unit => Err(Reason::NotYourAssignment),
            Some(_) if ack.answer == Answer::Decline && self.phase == CallPhase::Arrived => {
                Err(Reason::StaleAssignment)
            }
            Some(_) => Ok(()),
        }
    }
}
