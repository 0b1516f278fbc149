//! What dispatch remembers: the calls that are open, who is on them, who waits, what is due, and the units in service.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::duplicates::Duplicates;
use super::open_call::OpenCall;
use super::over::Over;
use crate::Time;
use crate::event::Priority;
use crate::ids::{CallId, RegionId, UnitId};
use crate::network::DispatchRules;
use crate::roads::Stop;

/// Order in which calls of a region are served.
pub(super) type Rank = (RegionId, Priority, u64, CallId);

/// What is remembered.
#[derive(Default, Serialize, Deserialize)]
pub struct Calls {
    pub(super) units: BTreeMap<UnitId, Station>,
    pub(super) engaged: BTreeMap<UnitId, CallId>,
    pub(super) open: BTreeMap<CallId, OpenCall>,
    pub(super) over: Over,
    pub(super) duplicates: Duplicates,
    pub(super) travel_ms: Vec<u32>,
    waiting: BTreeSet<Rank>,
    due: BTreeSet<(Time, CallId)>,
    /// When to look at a region again, and not before when.
    pub(super) looks: BTreeMap<RegionId, Look>,
}

/// When a region is planned again.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(super) struct Look {
    /// Though nothing happens.
    pub(super) at_ms: Option<Time>,
    /// Whatever happens: planning takes its time.
    pub(super) not_before_ms: Time,
    /// When it was planned last.
    pub(super) planned_ms: Time,
}

/// A unit in service.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct Station {
    pub(super) region: RegionId,
    pub(super) stop: Stop,
    pub(super) available: bool,
    /// When it last reported, ms.
    pub(super) reported_ms: u64,
}

impl Calls {
    /// Opens a call.
    pub(super) fn open(&mut self, id: CallId, call: OpenCall, rules: &DispatchRules) {
        self.engaged.extend(call.crew.iter().map(|task| (task.unit, id)));
        self.open.insert(id, call);
        self.change(id, rules, |_| {});
    }

    /// Changes an open call, and its place among those that wait and are due.
    pub(super) fn change<R>(
        &mut self,
        id: CallId,
        rules: &DispatchRules,
        change: impl FnOnce(&mut OpenCall) -> R,
    ) -> Option<R> {
        let call = self.open.get_mut(&id)?;
        call.rank(id).map(|rank| self.waiting.remove(&rank));
        call.due(rules).map(|at| self.due.remove(&(at, id)));
        let changed = change(call);
        self.waiting.extend(call.rank(id));
        self.due.extend(call.due(rules).map(|at| (at, id)));
        Some(changed)
    }

    /// Forgets a call that is over: what it was.
    pub(super) fn remove(&mut self, id: CallId, tick: Time, rules: &DispatchRules) -> Option<OpenCall> {
        let call = self.open.remove(&id)?;
        call.rank(id).map(|rank| self.waiting.remove(&rank));
        call.due(rules).map(|at| self.due.remove(&(at, id)));
        self.over.add(id, call.done.clone(), tick);
        Some(call)
    }

    /// Calls of a region that wait for units, most urgent and oldest first.
    pub(super) fn waiting(&self, region: RegionId) -> impl Iterator<Item = (CallId, &OpenCall)> {
        let from = self.waiting.range((region, Priority::A, 0, CallId(0))..);
        from.take_while(move |rank| rank.0 == region).filter_map(|rank| Some((rank.3, self.open.get(&rank.3)?)))
    }

    /// Calls about which something is due by `tick`.
    pub(super) fn due(&self, tick: Time) -> Vec<CallId> {
        self.due.iter().take_while(|(at, _)| *at <= tick).map(|(_, id)| *id).collect()
    }

    /// Regions to be looked at by `tick`.
    pub(super) fn looks(&self, tick: Time) -> Vec<RegionId> {
        let is_due = |look: &Look| look.at_ms.is_some_and(|at_ms| at_ms <= tick);
        self.looks.iter().filter(|(_, look)| is_due(look)).map(|(region, _)| *region).collect()
    }

    /// When something is due next.
    pub(super) fn next_due(&self) -> Option<Time> {
        let looks = self.looks.values().filter_map(|look| look.at_ms);
        self.due.first().map(|(at, _)| *at).into_iter().chain(looks).min()
    }
}
