//! How long callers wait for a unit's acceptance and its arrival, as measures: the columns of the 110 bulletins, live. The
//! report of a day is `nanming report`.

use std::collections::BTreeMap;
use std::sync::Arc;

use nanming_dataflows::decision::CallStatus;
use nanming_dataflows::event::{CallChange, CallPhase};
use nanming_dataflows::ids::CallId;

use super::bus::Sink;
use crate::door::TickRecord;
use crate::ledger::refusals;
use crate::metrics::Metrics;

/// A call that somebody waits for.
struct Waiting {
    opened_ms: u64,
    furthest: CallPhase,
}

/// The calls that were raised since the start and are not over: those of before would count with the time of the stop.
pub struct Responses {
    metrics: Arc<Metrics>,
    waiting: BTreeMap<CallId, Waiting>,
}

impl Responses {
    /// None yet.
    pub fn new(metrics: Arc<Metrics>) -> Responses {
        Responses { metrics, waiting: BTreeMap::new() }
    }

    fn hear(&mut self, status: &CallStatus) {
        let Some(call) = self.waiting.get_mut(&status.call) else { return };
        let reached = status.phase.min(CallPhase::Arrived);
        if !status.phase.is_over() && reached > call.furthest {
            let took_ms = status.time_ms.saturating_sub(call.opened_ms);
            if call.furthest < CallPhase::Accepted && reached >= CallPhase::Accepted {
                self.metrics.call_acknowledged(took_ms);
            }
            if reached == CallPhase::Arrived {
                self.metrics.call_reached(status.priority, took_ms);
            }
            call.furthest = reached;
        }
        if status.phase.is_over() {
            self.waiting.remove(&status.call);
        }
    }
}

impl Sink for Responses {
    fn take(&mut self, record: &Arc<TickRecord>) {
        for (event, _) in refusals::calls(record).filter(|(_, refused)| refused.is_none()) {
            if let CallChange::Opened(_) = event.change {
                let new = Waiting { opened_ms: event.time_ms, furthest: CallPhase::Waiting };
                self.waiting.entry(event.call).or_insert(new);
            }
        }
        record.decisions.calls.iter().for_each(|status| self.hear(status));
    }
}
