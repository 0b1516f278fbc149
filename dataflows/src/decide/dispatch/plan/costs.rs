//! What it costs to send a unit to a call, and to let the call wait. Weighed milliseconds.

use super::{Available, Policy, Row};
use crate::Time;
use crate::event::Priority;
use crate::matching::FORBIDDEN;

/// A second of travel of a call of priority A weighs so much.
const FULL: u64 = 100;
/// No time counts as longer than these seven weeks, ms: costs are within what can be matched.
const MOST: u64 = 1 << 32;

/// How surely a call is served, the surest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Class {
    /// Of priority A, and it has waited too long.
    UrgentAndOverdue,
    /// Of priority A.
    Urgent,
    /// It has waited too long.
    Overdue,
    /// It may wait for a better moment.
    MayWait,
}

/// The policy at a moment.
pub(super) struct Pricing<'a> {
    pub(super) policy: &'a Policy,
    pub(super) tick: Time,
}

impl Pricing<'_> {
    /// What it costs to send `unit`, which is in this column, to a row's call.
    pub(super) fn cost<S>(&self, row: &Row, column: usize, unit: &Available<S>, time_ms: u64, extra_ms: u64) -> i64 {
        let is_there = row.holder == Some(column) || unit.task.is_some_and(|task| task.call == row.call);
        let change_ms = match unit.task {
            _ if is_there => Some(0),
            Some(task) => self.policy.gain_ms(task.priority, row.priority),
            None if row.holder.is_some() => Some(self.policy.change_ms),
            None => Some(0),
        };
        let Some(change_ms) = change_ms.filter(|_| time_ms != u64::MAX) else { return FORBIDDEN };
        let late_ms = if self.is_late(row, time_ms) { self.policy.late_ms } else { 0 };
        let cost_ms = time_ms.saturating_add(extra_ms).saturating_add(change_ms).saturating_add(late_ms);
        self.weighed(row.priority, cost_ms)
    }

    /// What it costs to let a row's call wait: the longest travel that it is worth by now. Nobody is called back from its way
    /// for a few seconds.
    pub(super) fn cost_of_waiting(&self, row: &Row) -> i64 {
        if row.is_due {
            return FORBIDDEN;
        }
        let change_ms = if row.holder.is_some() { self.policy.change_ms } else { 0 };
        self.weighed(row.priority, self.worth_ms(row.priority, row.opened_ms).saturating_add(change_ms))
    }

    /// What a row's call would gain, were it served after so long: the less, the better.
    pub(super) fn net_cost(&self, priority: Priority, opened_ms: u64, time_ms: u64) -> i64 {
        self.weighed(priority, time_ms) - self.weighed(priority, self.worth_ms(priority, opened_ms))
    }

    /// How surely a call is served.
    pub(super) fn class(&self, priority: Priority, opened_ms: u64) -> Class {
        let service = self.policy.service(priority);
        let overdue_ms = service.map_or(self.policy.a_overdue_ms, |service| service.overdue_ms);
        let is_overdue = self.tick.saturating_sub(opened_ms) >= overdue_ms;
        match (service, is_overdue) {
            (None, true) => Class::UrgentAndOverdue,
            (None, false) => Class::Urgent,
            (Some(_), true) => Class::Overdue,
            (Some(_), false) => Class::MayWait,
        }
    }

    /// Whether a call may not wait for a better moment.
    pub(super) fn is_due(&self, priority: Priority, opened_ms: u64) -> bool {
        self.class(priority, opened_ms) < Class::MayWait
    }

    /// Units that stay at hand when a call that may wait is served.
    pub(super) fn reserve(&self, row: &Row) -> usize {
        self.policy.service(row.priority).map_or(0, |service| usize::from(service.reserve_units))
    }

    fn is_late(&self, row: &Row, time_ms: u64) -> bool {
        let since_ms = self.tick.saturating_sub(row.opened_ms);
        row.priority == Priority::A && since_ms.saturating_add(time_ms) > self.policy.target_ms
    }

    fn worth_ms(&self, priority: Priority, opened_ms: u64) -> u64 {
        let waited_ms = self.tick.saturating_sub(opened_ms);
        let worth = |service: &super::Service| service.travel_ms.saturating_add(waited_ms / service.ageing.max(1));
        self.policy.service(priority).map_or(MOST, worth)
    }

    fn weighed(&self, priority: Priority, time_ms: u64) -> i64 {
        let weight = self.policy.service(priority).map_or(FULL, |service| u64::from(service.weight));
        (time_ms.min(MOST) * weight) as i64
    }
}
