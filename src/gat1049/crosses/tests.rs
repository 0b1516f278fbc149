use nanming_dataflows::decision::{Decisions, LevelOfService, LinkState, SignalCommand, StageReason};
use nanming_dataflows::event::Batch;

use super::*;

const NOW_MS: u64 = 1_767_657_600_000;

fn record(decisions: Decisions) -> TickRecord {
    TickRecord { decisions, ..TickRecord::closing(NOW_MS, &Batch::default()) }
}

fn crosses() -> Crosses {
    let city = Arc::new(nanming_simulators::town::small(2, 2, 1));
    Crosses::new(city, None, "520100".into())
}

fn order(stage: u16) -> TickRecord {
    let (junction, interval, reason) = (JunctionId(1), Interval::Green, StageReason::Plan);
    let command = SignalCommand { junction, at_ms: NOW_MS, stage, interval, lamps: Vec::new(), reason };
    record(Decisions { commands: vec![command], ..Decisions::default() })
}

/// Topics and objects told of the second junction.
fn beat(crosses: &Crosses, after_s: u64) -> Vec<(Topic, Object)> {
    let notices = crosses.beat(NOW_MS + after_s * 1000, 300_000);
    let of_it = notices.into_iter().filter(|notice| notice.junction == JunctionId(1));
    of_it.map(|notice| (notice.topic, notice.object)).collect()
}

#[test]
fn stages_are_told_as_they_begin_and_a_cycle_when_the_first_does() {
    let crosses = crosses();
    assert_eq!(beat(&crosses, 0).iter().map(|told| told.0).collect::<Vec<_>>(), [Topic::State, Topic::ModePlan]);
    for (stage, after_s) in [(0, 10), (1, 40), (0, 60)] {
        crosses.hear(&order(stage));
        let told = beat(&crosses, after_s);
        assert_eq!(told.iter().any(|(topic, _)| *topic == Topic::Cycle), stage == 0);
        assert_eq!(beat(&crosses, after_s + 1), [], "nothing has changed since");
    }
    let stage = crosses.now(Topic::Stage, JunctionId(1)).unwrap();
    let told = ["LastStageNo", "LastStageLen", "CurStageNo", "CurStageStartTime"].map(|name| stage.field(name));
    assert_eq!(told, [Some("2"), Some("20"), Some("1"), Some("2026-01-06 08:01:00")]);
    let cycle = crosses.now(Topic::Cycle, JunctionId(1)).unwrap();
    assert_eq!((cycle.field("LastCycleLen"), cycle.field("CrossID")), (Some("50"), Some("520100800002")));
}

#[test]
fn traffic_is_the_mean_of_what_was_told_since_the_last_report() {
    let crosses = crosses();
    beat(&crosses, 0);
    let link = crosses.city.junctions[1].approaches[0].link;
    for (flow_veh_h, speed_mm_s) in [(300, 10_000), (500, 20_000)] {
        let state = LinkState {
            link,
            time_ms: NOW_MS,
            flow_veh_h,
            speed_mm_s,
            density_milli_veh_km: 8_000,
            queue_milli_veh: 6_000,
            travel_ms: 1,
            level: LevelOfService::B,
            observed: true,
        };
        crosses.hear(&record(Decisions { links: vec![state], ..Decisions::default() }));
    }
    assert_eq!(beat(&crosses, 299), []);
    let told = beat(&crosses, 300);
    let Some((Topic::Traffic, object)) = told.first() else { panic!("{told:?}") };
    let data = &object.fields.iter().find(|field| field.name == "DataList").unwrap().fields[0];
    let names = ["LaneNo", "Volume", "Speed", "Density"].map(|name| data.field(name));
    assert_eq!(names, [Some("1"), Some("400"), Some("54"), Some("8")]);
    assert_eq!(beat(&crosses, 600), [], "nothing was told since");
}
