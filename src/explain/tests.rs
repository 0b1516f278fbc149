use nanming_dataflows::decision::EndReason;

use super::*;

#[test]
fn the_text_names_who_could_have_gone_and_why_nobody_did() {
    let named = |id: u32, name: &str| Named { id: UnitId(id), name: name.into() };
    let sent = Sent {
        assignment: AssignmentId { call: CallId(7), attempt: 1 },
        unit: named(1, "P01"),
        eta_ms: 61_000,
        reason: PickReason::LeastTotal,
        candidates: vec![Could { unit: named(2, ""), eta_ms: 59_000, but: Some(Objection::OtherGrid) }],
        became: json!(EndReason::Declined),
        ended_ms: Some(7_000),
    };
    let step = |time_ms, what| Step { time_ms, what };
    let steps = vec![
        step(9_000, What::Escalated { step: EscalationStep::Supervisor, why: Shortfall::NoSkill, unit: None }),
        step(0, What::Waited { for_ms: Some(5_000), why: "no unit" }),
        step(5_000, What::Assigned(sent)),
    ];
    let page = serde_json::json!({"category": "crime", "priority": "A", "phase": "waiting", "needs": {"units": 1},
        "words": "x\u{1b}]0;\n12:00  accepted\u{202e}", "channel": "phone", "classified": {"rule": "theft", "phrase": "偷", "gave": {"category": true}}});
    let text = text(&Explained { call: CallId(7), page, steps }, 480);
    for part in [
        "  \"x\u{fffd}]0;\u{fffd}12:00  accepted\u{fffd}\" (phone)\n",
        "classified by rule 'theft' by \"偷\": gave category",
        "1970-01-01 08:00:00.000  waits 5 s: no unit",
        "7.1: P01 is sent, 61 s away (least_total; declined); could go: unit 2 59 s (but other_grid)",
        "08:00:09.000  told: supervisor, because of no_skill",
    ] {
        assert!(text.contains(part), "{part} in\n{text}");
    }
}
