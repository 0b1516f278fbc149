//! Measures of signal controllers and command platforms. They stand at zero where none is configured.

use std::time::Duration;

use prometheus::{Histogram, IntCounter, IntGauge};

use super::labels::TICK;
use super::make::Make;
use crate::controllers::{Alarm, Outcome, Reach};

/// Measures of controllers.
pub struct ControllerMeasures {
    states: Vec<(Reach, IntGauge)>,
    orders: Vec<(Outcome, IntCounter)>,
    alarms: Vec<(Alarm, IntCounter)>,
    reply: Histogram,
    platforms: IntGauge,
    locks: IntCounter,
}

impl ControllerMeasures {
    pub(super) fn new(make: &Make) -> ControllerMeasures {
        ControllerMeasures {
            states: make.int_gauges(
                "controllers",
                "Signal controllers that are configured, by how they stand to the centre.",
                "state",
                Reach::ALL,
            ),
            orders: make.counters(
                "controller_orders_total",
                "Orders to signal controllers, by what became of them.",
                "outcome",
                Outcome::ALL,
            ),
            alarms: make.counters(
                "controller_alarms_total",
                "What signal controllers were caught at or reported: the log names the junction.",
                "kind",
                Alarm::ALL,
            ),
            reply: make.histogram("controller_reply_seconds", "From an order to the controller's answer.", TICK),
            platforms: make.int_gauge("command_platforms", "Command platforms of GA/T 1049 connected."),
            locks: make.counter("stage_locks_total", "Stages that were held for command platforms."),
        }
    }

    /// A controller is configured; nobody has reached it yet.
    pub fn added(&self) {
        of(&self.states, Reach::Unreachable).into_iter().for_each(IntGauge::inc);
    }

    /// A controller stands otherwise to the centre.
    pub fn moved(&self, from: Reach, to: Reach) {
        of(&self.states, from).into_iter().for_each(IntGauge::dec);
        of(&self.states, to).into_iter().for_each(IntGauge::inc);
    }

    /// Something became of an order.
    pub fn ordered(&self, outcome: Outcome) {
        of(&self.orders, outcome).into_iter().for_each(IntCounter::inc);
    }

    /// An order was answered after so long.
    pub fn answered(&self, after: Duration) {
        self.reply.observe(after.as_secs_f64());
    }

    /// A command platform came (+1) or left (-1).
    pub fn platforms(&self, change: i64) {
        self.platforms.add(change);
    }

    /// A stage is held.
    pub fn locked(&self) {
        self.locks.inc();
    }

    /// A controller was caught at something, or reported it.
    pub fn alarmed(&self, alarm: Alarm) {
        of(&self.alarms, alarm).into_iter().for_each(IntCounter::inc);
    }
}

fn of<K: PartialEq, M>(handles: &[(K, M)], key: K) -> Option<&M> {
    handles.iter().find(|(known, _)| *known == key).map(|(_, handle)| handle)
}
