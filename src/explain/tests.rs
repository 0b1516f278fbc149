use nanming_dataflows::decision::Assignment;

use super::*;

fn attempt(number: u16, reason: PickReason, answers: &[(Answer, &str)]) -> Attempt {
    let id = AssignmentId { call: CallId(7), attempt: number };
    let candidates = vec![Candidate { eta_ms: 60_000, unit: UnitId(1), but: None }];
    let assignment = Assignment {
        id,
        call: CallId(7),
        unit: UnitId(1),
        time_ms: 1_000,
        priority: nanming_dataflows::event::Priority::A,
        eta_ms: 60_000,
        candidates,
        reason,
    };
    let heard = |(answer, refused): &(Answer, &str)| Heard {
        time_ms: 2_000,
        unit: UnitId(1),
        answer: *answer,
        refused: (*refused).into(),
    };
    Attempt { assignment, answers: answers.iter().map(heard).collect() }
}

#[test]
fn what_became_of_an_assignment_is_read_from_its_answers_and_the_next_one() {
    let after = |reason| vec![attempt(2, reason, &[])];
    for (answers, next, expected) in [
        (&[][..], vec![], Became::Unanswered),
        (&[(Answer::Accept, "")], vec![], Became::Accepted),
        (&[(Answer::Accept, ""), (Answer::Arrived, "")], vec![], Became::Arrived),
        (&[(Answer::Accept, ""), (Answer::Closed, "stale_assignment")], vec![], Became::Accepted),
        (&[(Answer::Closed, "")], vec![], Became::Closed),
        (&[(Answer::Decline, "")], after(PickReason::AfterDecline), Became::Declined),
        (&[], after(PickReason::AfterSilence), Became::Replaced),
        (&[(Answer::Accept, "")], after(PickReason::AfterLoss), Became::Replaced),
    ] {
        assert_eq!(became(&attempt(1, PickReason::Nearest, answers), &next), expected, "{answers:?}");
    }
}

#[test]
fn the_text_names_who_could_have_gone_and_why_nobody_did() {
    let named = |id: u32, name: &str| Named { id: UnitId(id), name: name.into() };
    let sent = Sent {
        assignment: AssignmentId { call: CallId(7), attempt: 1 },
        unit: named(1, "P01"),
        eta_ms: 61_000,
        reason: PickReason::LeastTotal,
        candidates: vec![Could { unit: named(2, ""), eta_ms: 59_000 }],
        became: Became::Declined,
    };
    let step = |time_ms, what| Step { time_ms, what };
    let steps = vec![step(0, What::Waited { for_ms: Some(5_000), why: "no unit" }), step(5_000, What::Assigned(sent))];
    let page = serde_json::json!({"category": "crime", "priority": "A", "phase": "waiting", "needs": {"units": 1},
        "words": "x", "channel": "phone", "classified": {"rule": "theft", "phrase": "偷", "gave": {"category": true}}});
    let text = text(&Explained { call: CallId(7), page, steps }, 480);
    for part in [
        "classified by rule 'theft' by \"偷\": gave category",
        "1970-01-01 08:00:00.000  waits 5 s: no unit",
        "7.1: P01 is sent, 61 s away (least_total; declined); could go: unit 2 59 s",
    ] {
        assert!(text.contains(part), "{part} in\n{text}");
    }
}
