//! Who goes where now: the plan for a region, made anew when a call or a unit is new in it, and carried out.

use std::collections::BTreeSet;

use super::dispatcher::Dispatcher;
use super::open_call::{OpenCall, Task as OnCall};
use super::pick::{self, Pick, Ready};
use super::plan::{Available, Demand, Plan, Task, plan};
use super::state::Look;
use crate::decision::{CallPhase, Candidate, EndReason, PickReason};
use crate::event::{Priority, Skills};
use crate::ids::{CallId, RegionId, UnitId};

/// A plan that looks at so many pairs of a call and a unit may be made again after a millisecond: planning takes no more than
/// about a quarter of the time, whatever happens in a region.
const PAIRS_A_MS: u64 = 5_000;

impl Dispatcher<'_> {
    /// Plans regions in which a call or a unit is new, and those in which it is time to look again.
    pub(super) fn plan(&mut self) {
        let mut regions = std::mem::take(&mut self.unmatched);
        regions.extend(self.calls.looks(self.tick));
        for region in regions {
            self.plan_region(region);
        }
    }

    fn plan_region(&mut self, region: RegionId) {
        let waits = self.calls.waiting(region).next().is_some();
        let look = self.calls.looks.get(&region).copied().unwrap_or_default();
        // Who is on the way already may be relieved, but that is no hurry.
        let pause_ms = if waits { 0 } else { self.rules().policy.look_again_ms };
        let not_before_ms = look.not_before_ms.max(look.planned_ms + pause_ms);
        if self.tick < not_before_ms {
            self.calls.looks.insert(region, Look { at_ms: Some(not_before_ms), ..look });
            return;
        }
        let units = if waits || !self.calls.engaged.is_empty() { self.ready(region) } else { Vec::new() };
        let may_change = units.iter().any(|unit| unit.task.is_some()) && units.iter().any(|unit| unit.task.is_none());
        if units.is_empty() || !(waits || may_change) {
            self.calls.looks.insert(region, Look { at_ms: None, ..look });
            return;
        }
        let skills = self.skills_in(region);
        let plan = self.planned(region, &units, &skills);
        let pairs = (plan.times_ms.len() * units.len()) as u64;
        let not_before_ms = self.tick + pairs / PAIRS_A_MS;
        self.calls.looks.insert(region, Look { at_ms: plan.look_again_ms, not_before_ms, planned_ms: self.tick });
        self.carry_out(&plan, &units, &skills);
    }

    fn planned(&self, region: RegionId, units: &[Ready], skills: &BTreeSet<Skills>) -> Plan {
        let extra_ms = |open: &OpenCall, unit: &Ready| pick::extra_ms(self.rules(), wanted(open, skills), open, unit);
        let may_go = |open: &OpenCall| units.iter().any(|unit| extra_ms(open, unit).is_some());
        let waiting = self.calls.waiting(region).filter(|(_, open)| may_go(open));
        let waiting: Vec<Demand> = waiting.map(|(call, open)| demand(call, open)).collect();
        let available =
            |unit: &Ready| Available { unit: unit.unit, at: unit.stop.at(), stop: unit.stop, task: unit.task };
        let available: Vec<_> = units.iter().map(available).collect();
        let of_call = |call: CallId| {
            let open = self.calls.open.get(&call);
            units.iter().map(|unit| extra_ms(open?, unit)).collect()
        };
        let (roads, travel_ms) = (&self.dispatch.roads, &self.calls.travel_ms);
        let times_to = |to, stops: &[_]| roads.times_to(travel_ms, to, stops);
        plan(&self.rules().policy, self.tick, &waiting, &available, of_call, times_to)
    }

    /// Those who leave their calls do so first, then all set out. A call that nobody took over waits again.
    fn carry_out(&mut self, plan: &Plan, units: &[Ready], skills: &BTreeSet<Skills>) {
        let served: BTreeSet<CallId> = plan.moves.iter().filter_map(|m| m.to.map(|(call, _)| call)).collect();
        for (unit, from) in plan.moves.iter().filter_map(|m| Some((m.unit, m.from?))) {
            if served.contains(&from) {
                self.leave(unit, EndReason::Relieved);
            } else {
                self.give_back(unit, EndReason::Preempted);
            }
        }
        for (unit, (call, eta_ms)) in plan.moves.iter().filter_map(|m| Some((m.unit, m.to?))) {
            let Some(open) = self.calls.open.get(&call) else { continue };
            let wanted = wanted(open, skills);
            let candidates = pick::candidates(self.rules(), wanted, open, units, &plan.times_ms[&call]);
            let reason = reason(open, units, unit, &candidates);
            self.send(Pick { call, unit, eta_ms, candidates, reason });
        }
    }

    /// What units in service in a region bring, each set once.
    pub(super) fn skills_in(&self, region: RegionId) -> BTreeSet<Skills> {
        let of_region = self.calls.units.iter().filter(|(_, station)| station.region == region);
        of_region.filter_map(|(unit, _)| Some(self.dispatch.units.get(unit.index())?.skills)).collect()
    }

    /// Units of a region that are free or on their way, by ID.
    fn ready(&self, region: RegionId) -> Vec<Ready> {
        let of_region = self.calls.units.iter().filter(|(_, station)| station.region == region);
        let ready = of_region.filter_map(|(unit, station)| {
            let task = match self.calls.engaged.get(unit) {
                Some(call) => Some(self.under_way(*call, *unit)?),
                None if station.available => None,
                None => return None,
            };
            self.dispatch.ready(*unit, station, task, self.tick)
        });
        ready.collect()
    }

    /// Units of a region that are free.
    pub(super) fn free(&self, region: RegionId) -> Vec<Ready> {
        self.ready(region).into_iter().filter(|unit| unit.task.is_none()).collect()
    }

    /// What a unit is on its way to; none when it has arrived, or nobody knows where it is.
    fn under_way(&self, call: CallId, unit: UnitId) -> Option<Task> {
        let open = self.calls.open.get(&call)?;
        let on_its_way = |task: &&OnCall| {
            task.phase < CallPhase::Arrived && !(task.is_overdue || task.is_ordered) && task.lost_ms.is_none()
        };
        open.task(unit).filter(on_its_way)?;
        let (priority, at): (Priority, _) = (open.facts.priority, open.facts.at);
        Some(Task { call, priority, opened_ms: open.opened_ms, at, left_ms: None })
    }
}

/// Why this unit.
fn reason(open: &OpenCall, units: &[Ready], unit: UnitId, candidates: &[Candidate]) -> PickReason {
    let left = units.iter().find(|ready| ready.unit == unit).and_then(|ready| ready.task);
    match left {
        Some(left) if open.facts.priority < left.priority => PickReason::Preempting,
        _ if candidates.first().is_some_and(|nearest| nearest.unit == unit) => PickReason::Nearest,
        _ => PickReason::LeastTotal,
    }
}

/// What a unit has to bring to a call: what it needs, where anybody in service has that. Else whoever is there goes: better than
/// nobody.
pub(super) fn wanted(open: &OpenCall, skills: &BTreeSet<Skills>) -> Skills {
    let needed = open.facts.needs.skills;
    if skills.iter().any(|known| known.cover(needed)) { needed } else { Skills::NONE }
}

fn demand(call: CallId, open: &OpenCall) -> Demand {
    let (priority, at) = (open.facts.priority, open.facts.at);
    Demand { call, priority, opened_ms: open.opened_ms, at, lacking: open.lacking().into() }
}
