use nanming_dataflows::event::Lamp;
use nanming_simulators::town;
use nanming_simulators::traci::{Heard, VehicleAt};

use super::*;

#[test]
fn the_longest_way_straight_on_passes_every_signal_of_a_row() {
    let city = town::small(2, 4, 1);
    let arterial = arterial::longest(&city).unwrap();
    assert_eq!((arterial.signals.len(), arterial.links.len()), (4, 5));
    assert!(arterial.links.is_sorted_by(|a, b| a.1 < b.1) && arterial.signals.is_sorted_by(|a, b| a.at_mm < b.at_mm));
    for (signal, pair) in arterial.signals.iter().zip(arterial.links.windows(2)) {
        assert!(pair[0].1 < signal.at_mm && signal.at_mm <= pair[1].1, "a line lies between its links");
        let link = &city.links[pair[0].0.index()];
        assert!(city.junctions[signal.junction.index()].nodes.contains(&link.to));
    }
    let mut without = city;
    without.movements.iter_mut().for_each(|movement| movement.signal = None);
    assert_eq!(arterial::longest(&without), None);
}

#[test]
fn vehicles_and_lights_are_watched_within_the_window_and_drawn() {
    let city = town::small(2, 4, 1);
    let arterial = arterial::longest(&city).unwrap();
    let lanes: Vec<String> = arterial
        .links
        .iter()
        .map(|(link, _)| city.lanes[city.links[link.index()].lanes[0].index()].name.clone())
        .collect();
    let (first, head) = (arterial.signals[0].junction, arterial.signals[0].head);
    let name = city.junctions[first.index()].name.clone();
    let mut watch = Watch::new(&city, arterial, (100.0, 160.0));
    let see = |watch: &mut Watch, lane: &str, at_m: f64, now_s: f64| {
        let at = VehicleAt { lane, at_m, speed_m_s: 9.0, class: "passenger" };
        watch.hear(Heard::Vehicle("a", at), now_s);
    };
    // Before the window, on the first link, in the junction, on the second, away, and back on the first.
    for (lane, at_m, now_s) in [
        (lanes[0].as_str(), 10.0, 99.0),
        (lanes[0].as_str(), 20.0, 101.0),
        (lanes[0].as_str(), 40.0, 103.0),
        (":x", 3.0, 104.0),
        (lanes[1].as_str(), 5.0, 106.0),
        (lanes[0].as_str(), 9.0, 110.0),
        (lanes[0].as_str(), 30.0, 112.0),
    ] {
        see(&mut watch, lane, at_m, now_s);
    }
    let tracks: Vec<Vec<f64>> = watch.tracks().map(|track| track.iter().map(|(at_s, _)| *at_s).collect()).collect();
    assert_eq!(tracks, [vec![101.0, 103.0, 106.0], vec![110.0, 112.0]]);
    for (lamp, now_s) in [('r', 90.0), ('r', 91.0), ('G', 120.0), ('y', 150.0), ('r', 170.0)] {
        let state = "o".repeat(head) + &lamp.to_string();
        watch.hear(Heard::Light(&name, &state), now_s);
        watch.hear(Heard::Light("elsewhere", &state), now_s);
    }
    let bars: Vec<(f64, f64, Lamp)> = watch.bars(0).collect();
    let expected = [(100.0, 120.0, Lamp::Red), (120.0, 150.0, Lamp::Protected), (150.0, 160.0, Lamp::Yellow)];
    assert_eq!(bars, expected);
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.svg");
    time_space::draw(&path, "a town", &watch).unwrap();
    let drawn = std::fs::read_to_string(&path).unwrap();
    assert!(drawn.contains("a town") && drawn.contains(&name) && drawn.matches("<polyline").count() >= 2);
}

#[test]
fn a_second_is_lost_by_who_stands_and_by_who_waits_to_enter() {
    let step = |time: u32, running: u32, relative: f64, waiting: u32| {
        format!("<step time=\"{time}\" running=\"{running}\" meanSpeedRelative=\"{relative}\" waiting=\"{waiting}\"/>")
    };
    let minute = step(60, 10, 0.5, 2) + &step(61, 10, 0.9, 0) + &step(120, 0, -1.0, 3) + &step(121, 4, 1.1, 0);
    let curve = delay::by_minute(&format!("<summary>{minute}</summary>")).unwrap();
    assert_eq!(curve, [(90.0, 4.0), (150.0, 1.5)]);
    assert!(delay::by_minute("<summary><step time=\"1\"/></summary>").unwrap_err().contains("running"));
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("delay.svg");
    let curves = [(Controller::Engine, vec![curve.clone(), curve.clone()]), (Controller::Fixed, vec![curve])];
    delay::draw(&path, "a town", &curves).unwrap();
    let drawn = std::fs::read_to_string(&path).unwrap();
    assert!(drawn.contains("the engine, mean and spread of 2 seeds") && drawn.contains("its own programs"));
    let short = [(Controller::Fixed, vec![vec![(30.0, 1.0)]])];
    assert!(delay::draw(&path, "a town", &short).unwrap_err().to_string().contains("two minutes"));
}

#[test]
fn a_diagram_shows_ten_minutes_in_the_middle_or_all() {
    let scenario = |begin_s, end_s| Scenario {
        config: "a.sumocfg".into(),
        net: "a".into(),
        additional: Vec::new(),
        begin_s,
        end_s,
    };
    assert_eq!(window_s(&scenario(25_200.0, 28_800.0)), (26_700.0, 27_300.0));
    assert_eq!(window_s(&scenario(0.0, 300.0)), (0.0, 300.0));
}
