//! Bucket edges, and the values of labels that are not the city's.

use nanming_dataflows::decision::{EndReason, EscalationStep, PickReason, Shortfall, StageReason};
use nanming_dataflows::event::{CallPhase, Priority};

/// Edges of latencies, s: one on each objective.
pub(super) const TICK: &[f64] = &[0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 5.0];
/// Edges of answers, s: as 110 bulletins print them.
pub(super) const ACK: &[f64] = &[10.0, 30.0, 60.0, 120.0, 180.0];
/// Edges from a call to its acceptance and arrival, s: those of the bulletins, 5 and 8 min among them.
pub(super) const RESPONSE: &[f64] =
    &[30.0, 60.0, 120.0, 180.0, 240.0, 300.0, 360.0, 480.0, 600.0, 900.0, 1200.0, 1800.0, 3600.0];
pub(super) const PRIORITIES: [(&str, Priority); 3] = [("A", Priority::A), ("B", Priority::B), ("C", Priority::C)];
pub(super) const PHASES: [(&str, CallPhase); 8] = [
    ("waiting", CallPhase::Waiting),
    ("assigned", CallPhase::Assigned),
    ("accepted", CallPhase::Accepted),
    ("arrived", CallPhase::Arrived),
    ("closed", CallPhase::Closed),
    ("cancelled", CallPhase::Cancelled),
    ("merged", CallPhase::Merged),
    ("referred", CallPhase::Referred),
];
pub(super) const PICKS: [(&str, PickReason); 8] = [
    ("nearest", PickReason::Nearest),
    ("least_total", PickReason::LeastTotal),
    ("after_decline", PickReason::AfterDecline),
    ("after_silence", PickReason::AfterSilence),
    ("after_loss", PickReason::AfterLoss),
    ("after_preemption", PickReason::AfterPreemption),
    ("preempting", PickReason::Preempting),
    ("ordered", PickReason::Ordered),
];
pub(super) const ENDS: [(&str, EndReason); 7] = [
    ("done", EndReason::Done),
    ("unit_free", EndReason::UnitFree),
    ("declined", EndReason::Declined),
    ("silent", EndReason::Silent),
    ("lost", EndReason::Lost),
    ("preempted", EndReason::Preempted),
    ("call_over", EndReason::CallOver),
];
pub(super) const STEPS: [(&str, EscalationStep); 3] = [
    ("reminded", EscalationStep::Reminded),
    ("second_unit", EscalationStep::SecondUnit),
    ("supervisor", EscalationStep::Supervisor),
];
pub(super) const SHORTFALLS: [(&str, Shortfall); 5] = [
    ("silence", Shortfall::Silence),
    ("loss", Shortfall::Loss),
    ("no_unit", Shortfall::NoUnit),
    ("all_declined", Shortfall::AllDeclined),
    ("no_skill", Shortfall::NoSkill),
];
pub(super) const STAGE_REASONS: [(&str, StageReason); 12] = [
    ("start", StageReason::Start),
    ("pressure", StageReason::Pressure),
    ("min_green", StageReason::MinGreen),
    ("max_red", StageReason::MaxRed),
    ("max_green", StageReason::MaxGreen),
    ("plan", StageReason::Plan),
    ("local_plan", StageReason::LocalPlan),
    ("not_worth", StageReason::NotWorth),
    ("idle", StageReason::Idle),
    ("preemption", StageReason::Preemption),
    ("bus", StageReason::Bus),
    ("hold", StageReason::Hold),
];
