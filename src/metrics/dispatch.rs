//! Measures of dispatch: who was picked and why, how assignments ended, and who had to be told.

use nanming_dataflows::decision::{AssignmentPhase, CallPhase, Decisions, EndReason, PickReason};
use prometheus::{IntCounter, IntCounterVec};

use super::bump;
use super::labels::{ENDS, PHASES, PICKS, SHORTFALLS, STEPS};
use super::make::Make;

/// Measures of calls and their assignments.
pub struct DispatchMeasures {
    assignments: Vec<(PickReason, IntCounter)>,
    phases: Vec<(CallPhase, IntCounter)>,
    ended: Vec<(EndReason, IntCounter)>,
    escalations: IntCounterVec,
}

impl DispatchMeasures {
    pub(super) fn new(make: &Make) -> DispatchMeasures {
        let escalations = make.counter_vec(
            "escalations_total",
            "Steps up the ladder of calls that were not served as they should be, by step and why.",
            &["step", "why"],
        );
        for (step, _) in STEPS {
            SHORTFALLS.iter().for_each(|(why, _)| escalations.with_label_values(&[step, why]).inc_by(0));
        }
        DispatchMeasures {
            assignments: make.counters(
                "assignments_total",
                "Assignments, by why the unit was picked.",
                "reason",
                PICKS,
            ),
            phases: make.counters("call_phases_total", "Phases that calls reached.", "phase", PHASES),
            ended: make.counters("assignments_ended_total", "Assignments that ended, by why.", "reason", ENDS),
            escalations,
        }
    }

    pub(super) fn decided(&self, decisions: &Decisions) {
        decisions.assignments.iter().for_each(|a| bump(&self.assignments, a.reason));
        decisions.calls.iter().for_each(|c| bump(&self.phases, c.phase));
        for status in &decisions.assignment_statuses {
            if let AssignmentPhase::Ended(why) = status.phase {
                bump(&self.ended, why);
            }
        }
        for escalation in &decisions.escalations {
            let (step, why) = (label(&STEPS, escalation.step), label(&SHORTFALLS, escalation.why));
            self.escalations.with_label_values(&[step, why]).inc();
        }
    }
}

fn label<K: PartialEq>(labels: &[(&'static str, K)], of: K) -> &'static str {
    labels.iter().find(|(_, key)| *key == of).map_or("", |(label, _)| label)
}
