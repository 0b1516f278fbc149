use std::time::Instant;

use nanming_dataflows::decision::Decisions;
use nanming_dataflows::event::{Batch, UnitReport, UnitStatus};
use nanming_dataflows::ids::UnitId;
use nanming_dataflows::network::Point;

use super::*;

fn board() -> Arc<Board> {
    let city = Arc::new(nanming_simulators::town::small(2, 2, 1));
    let metrics = Arc::new(Metrics::new(&city));
    let letters = Arc::new(DeadLetters::open(None, Arc::clone(&metrics)).unwrap());
    Arc::new(Board::new(city, metrics, letters))
}

fn tick(tick: u64, unit: u32) -> Arc<TickRecord> {
    let report = UnitReport { time_ms: tick, unit: UnitId(unit), at: Point::default(), status: UnitStatus::Ready };
    Arc::new(TickRecord {
        tick,
        closed_at: Instant::now(),
        counts: Batch::default().counts(),
        calls: vec![],
        acks: vec![],
        units: vec![report],
        notes: vec![],
        decisions: Decisions { tick, ..Decisions::default() },
    })
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
