use nanming_dataflows::decision::{
    CrowdState, Decisions, GridLoad, Interval, SignalCommand, StageReason, VenueForecast, VenueLead,
};
use nanming_dataflows::event::{Batch, Lamp, UnitReport, UnitStatus};
use nanming_dataflows::ids::{GridId, JunctionId, UnitId, VenueId};
use nanming_dataflows::network::Point;

use super::*;

fn board() -> Arc<Board> {
    let city = Arc::new(nanming_simulators::town::small(2, 2, 1));
    let metrics = Arc::new(Metrics::new(&city));
    let letters = Arc::new(DeadLetters::open(None, None, Arc::clone(&metrics)).unwrap());
    Arc::new(Board::new(city, metrics, letters))
}

fn tick(tick: u64, unit: u32) -> Arc<TickRecord> {
    let report = UnitReport { time_ms: tick, unit: UnitId(unit), at: Point::default(), status: UnitStatus::Ready };
    record(tick, vec![report], Decisions::default())
}

fn record(tick: u64, units: Vec<UnitReport>, decisions: Decisions) -> Arc<TickRecord> {
    Arc::new(TickRecord { units, decisions, ..TickRecord::closing(tick, &Batch::default()) })
}

/// The latest snapshot after a beat.
fn snapshot(board: &Board) -> Value {
    board.beat();
    serde_json::from_slice(&board.open(None).snapshot.unwrap().json).unwrap()
}

fn units(piece: &Piece) -> Vec<u64> {
    let picture: Value = serde_json::from_slice(&piece.json).unwrap();
    picture["units"].as_array().unwrap().iter().map(|row| row[0].as_u64().unwrap()).collect()
}

#[test]
fn a_delta_holds_what_changed_and_a_snapshot_all() {
    let board = board();
    let mut sink = Arc::clone(&board);
    let mut deltas = board.open(None).deltas;
    sink.take(&tick(10, 1));
    board.beat();
    sink.take(&tick(20, 2));
    board.beat();
    let (first, second) = (deltas.try_recv().unwrap(), deltas.try_recv().unwrap());
    assert_eq!((units(&first), units(&second), second.seq - first.seq), (vec![1], vec![2], 1));
    let opening = board.open(None);
    let snapshot = opening.snapshot.unwrap();
    assert_eq!((units(&snapshot), snapshot.seq), (vec![1, 2], second.seq));
}

#[test]
fn who_comes_back_gets_what_was_missed_or_a_snapshot_when_it_is_gone() {
    let board = board();
    let before = board.open(None).snapshot.unwrap().seq;
    (0..3).for_each(|_| board.beat());
    let opening = board.open(Some(before + 1));
    let missed: Vec<u64> = opening.missed.iter().map(|piece| piece.seq).collect();
    assert_eq!((missed, opening.snapshot.is_none()), (vec![before + 2, before + 3], true));
    assert!(board.open(Some(before + 3)).missed.is_empty());
    (0..KEPT).for_each(|_| board.beat());
    assert!(board.open(Some(before + 1)).snapshot.is_some(), "those are gone");
    assert!(board.open(Some(before + 99_999)).snapshot.is_some(), "a number of another engine");
}

#[test]
fn one_that_falls_behind_is_told_so_instead_of_a_growing_queue() {
    let board = board();
    let mut deltas = board.open(None).deltas;
    (0..2 * KEPT).for_each(|_| board.beat());
    assert!(matches!(deltas.try_recv(), Err(broadcast::error::TryRecvError::Lagged(_))));
}

#[test]
fn figures_are_kept_ten_seconds_apart() {
    let board = board();
    let mut sink = Arc::clone(&board);
    for second in 1..=25 {
        sink.take(&tick(1_000_000 + second * 1_000, 1));
        board.beat();
    }
    let snapshot: Value = serde_json::from_slice(&board.open(None).snapshot.unwrap().json).unwrap();
    let history = &snapshot["history"];
    assert_eq!(history["time_ms"], serde_json::json!([1_001_000, 1_011_000, 1_021_000]));
    assert_eq!(history["open_calls"], serde_json::json!([0, 0, 0]));
}

#[test]
fn an_order_that_is_repeated_is_no_change() {
    let board = board();
    let mut sink = Arc::clone(&board);
    let mut order = |at_ms, interval, lamp| {
        let (junction, lamps) = (JunctionId(0), vec![lamp; 6]);
        let command = SignalCommand { junction, at_ms, stage: 1, interval, lamps, reason: StageReason::Plan };
        sink.take(&record(at_ms, vec![], Decisions { commands: vec![command], ..Decisions::default() }));
    };
    let since_ms = || board.read(|state| state.junction_page(JunctionId(0))).unwrap()["since_ms"].clone();
    let changes = || snapshot(&board)["figures"]["signal_changes_min"].clone();
    order(1_000, Interval::Green, Lamp::Protected);
    order(61_000, Interval::Green, Lamp::Protected);
    assert_eq!((since_ms(), changes()), (1_000.into(), 0.0.into()), "what stood before is not known to have begun");
    order(70_000, Interval::AllRed, Lamp::Red);
    order(72_000, Interval::Green, Lamp::Protected);
    order(73_000, Interval::Green, Lamp::Protected);
    assert_eq!((since_ms(), changes()), (72_000.into(), 1.0.into()));
}

#[test]
fn a_unit_that_is_silent_for_two_minutes_is_not_available() {
    let board = board();
    let mut sink = Arc::clone(&board);
    let mut seen_at = |tick| {
        sink.take(&record(tick, vec![], Decisions::default()));
        let snapshot = snapshot(&board);
        (snapshot["figures"]["available_units"].as_u64().unwrap(), snapshot["units"][0][3].as_str().unwrap().to_owned())
    };
    let mut report = Arc::clone(&board);
    report.take(&tick(1_000, 3));
    assert_eq!(seen_at(120_999), (1, "ready".into()));
    assert_eq!(seen_at(121_000), (0, "silent".into()));
    report.take(&tick(121_500, 3));
    assert_eq!(seen_at(121_600), (1, "ready".into()));
}

#[test]
fn the_load_of_a_grid_is_shown_as_it_was_said_last() {
    let board = board();
    let mut sink = Arc::clone(&board);
    let load = |open_calls| GridLoad { grid: GridId(1), open_calls, available_units: 2, closed_last_hour: 3 };
    let mut said = |tick, grids| sink.take(&record(tick, vec![], Decisions { grids, ..Decisions::default() }));
    let shown = || snapshot(&board)["grids"][1].clone();
    said(10, vec![(load(5), 1)]);
    assert_eq!(shown(), serde_json::json!([1, 5, 2, 3]));
    said(20, vec![(load(4), 1), (load(5), -1), (load(6), -1), (load(6), 1)]);
    assert_eq!(shown(), serde_json::json!([1, 4, 2, 3]));
    said(30, vec![(load(4), -1)]);
    assert_eq!(shown(), serde_json::json!([1, 0, 0, 0]));
}

#[test]
fn an_older_report_does_not_take_the_place_of_a_newer_one() {
    let board = board();
    let mut sink = Arc::clone(&board);
    let report = |time_ms, status| UnitReport { time_ms, unit: UnitId(1), at: Point::default(), status };
    sink.take(&record(10, vec![report(10, UnitStatus::OnScene)], Decisions::default()));
    sink.take(&record(11, vec![report(9, UnitStatus::Ready)], Decisions::default()));
    assert_eq!(snapshot(&board)["units"][0][3], "on_scene");
    sink.take(&record(12, vec![report(10, UnitStatus::Returning)], Decisions::default()));
    assert_eq!(snapshot(&board)["units"][0][3], "returning", "of one time the last word holds");
}

#[test]
fn people_at_venues_are_shown_as_they_were_said_last() {
    let board = board();
    let mut sink = Arc::clone(&board);
    let mut said = |tick, people, surge, observed| {
        let (venue, outflow) = (VenueId(2), [7; 12]);
        let (usual, capacity_share_milli) = (100, 450);
        let state = CrowdState { venue, time_ms: tick, people, usual, capacity_share_milli, surge, outflow, observed };
        let lead = VenueLead { lead_min: 5, people: 950, low: 900, high: 990 };
        let made = (tick > 10).then(|| VenueForecast { venue, time_ms: tick, leads: vec![lead] });
        let (crowds, venue_forecasts) = (vec![state], made.into_iter().collect());
        sink.take(&record(tick, vec![], Decisions { crowds, venue_forecasts, ..Decisions::default() }));
        let shown = snapshot(&board);
        assert_eq!(shown["crowds"].as_array().unwrap().len(), 1);
        (shown["crowds"][0].clone(), shown["figures"]["surges"].clone())
    };
    let outflow = [7; 12];
    assert_eq!(said(10, 900, true, true), (serde_json::json!([2, 900, 100, 0.45, 1, outflow, null]), 1.into()));
    let expected = [[5, 950, 900, 990]];
    let (shown, _) = said(15, 900, true, true);
    assert_eq!(shown, serde_json::json!([2, 900, 100, 0.45, 1, outflow, expected]));
    assert_eq!(said(20, 900, false, false), (serde_json::json!([2, null, 100, 0.45, 0, outflow, null]), 0.into()));
}
