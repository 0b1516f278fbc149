use std::sync::Arc;

use super::super::places::{Heading, middle};
use super::rules::check_message;
use super::*;

fn notices() -> (Streets, Vec<Notice>) {
    let streets = Streets::new(Arc::new(nanming_simulators::town::small(3, 3, 1)));
    let links = streets.roads[0].directions[0].links.clone();
    let mut all = Vec::new();
    for kind in [Kind::Collision, Kind::Congestion, Kind::Expected(15)] {
        for (step, before_ms) in [(Step::Alert, None), (Step::Update, Some(1_000)), (Step::Cancel, Some(2_000))] {
            let incident = Incident {
                id: "x-7".into(),
                kind,
                road: "A & B <路>\u{1}".into(),
                heading: Some(Heading::NE),
                links: links.clone(),
                at: middle(streets.link(links[0])),
                since_ms: 1_795_657_600_000,
                confirmed: kind == Kind::Congestion,
            };
            all.push(Notice { step, incident, sent_ms: 1_795_657_620_000, before_ms });
        }
    }
    (streets, all)
}

#[test]
fn every_message_is_what_the_schema_asks_for() {
    let (streets, notices) = notices();
    for is_real in [true, false] {
        let voice = Voice { sender: "traffic.example".into(), is_real };
        for notice in &notices {
            let text = message(&voice, &streets, notice);
            check_message(&text);
            assert!(text.contains(if is_real { "<status>Actual" } else { "<status>Exercise" }));
            assert!(text.contains("A &amp; B &lt;路&gt;"), "{text}");
        }
    }
}

#[test]
fn times_have_an_offset_and_no_z() {
    assert_eq!(time(1_795_657_620_999, 480), "2026-11-26T09:47:00+08:00");
    assert_eq!(time(1_795_657_620_000, -150), "2026-11-25T23:17:00-02:30");
    assert_eq!(time(1_795_657_620_000, 0), "2026-11-26T01:47:00-00:00");
}

#[test]
fn what_is_over_is_past_and_all_clear() {
    let (streets, notices) = notices();
    let voice = Voice { sender: "traffic.example".into(), is_real: true };
    let text = message(&voice, &streets, &notices[2]);
    for part in ["<msgType>Cancel", "<urgency>Past", "<responseType>AllClear", ",town-x-7-2,1970-01-01T08:00:02+08:00"]
    {
        assert!(text.contains(part), "{part} in {text}");
    }
}
