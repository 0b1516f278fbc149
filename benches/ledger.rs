//! What the audit log costs a commit: calls raised and assigned, one tick a transaction, each seen to the disk; and what it
//! costs the door to make the digest of what passes.
//!
//!     cargo bench --bench ledger -- [commits]

use std::time::{Duration, Instant};

use nanming::door::{CallNote, Taken, TickRecord};
use nanming::ledger::Ledger;
use nanming_dataflows::decision::{Assignment, CallPhase, CallStatus, Candidate, Decisions, PickReason};
use nanming_dataflows::event::{
    AssignmentId, Batch, CallChange, CallEvent, CallFacts, Category, Needs, Passage, Priority, VehicleClass,
};
use nanming_dataflows::ids::{CallId, CameraId, GridId, UnitId, VehicleId};
use nanming_dataflows::network::Point;
use nanming_simulators::town;

/// Passages of a tick, and such ticks.
const PASSAGES: u64 = 2_100;
const TICKS: u64 = 500;
const FACTS: CallFacts = CallFacts {
    priority: Priority::A,
    category: Category::Crime,
    at: Point { x_mm: -5, y_mm: 7 },
    grid: GridId(3),
    needs: Needs::ONE,
};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let commits: u64 = std::env::args().skip(1).find_map(|word| word.parse().ok()).unwrap_or(5_000);
    let dir = tempfile::tempdir()?;
    let path = dir.path().join("ledger.sqlite");
    let mut ledger = Ledger::open(&path, 24, &town::small(2, 2, 1))?;
    let records: Vec<TickRecord> = (1..=commits).map(record).collect();
    let mut times = Vec::with_capacity(records.len());
    let mut audit = Duration::ZERO;
    for record in records {
        let began = Instant::now();
        ledger.commit(&[record])?;
        times.push(began.elapsed());
        audit += ledger.take_audit_took();
    }
    drop(ledger);
    let total: Duration = times.iter().sum();
    times.sort_unstable();
    let us = |time: Duration| time.as_secs_f64() * 1e6;
    let (mean, part) = (us(total) / commits as f64, us(audit) / commits as f64);
    println!("{commits} commits of a call raised and assigned: {:.0}/s", commits as f64 / total.as_secs_f64());
    println!(
        "a commit: mean {mean:.0} us, median {:.0} us, p99 {:.0} us",
        us(times[times.len() / 2]),
        us(times[times.len() * 99 / 100])
    );
    println!("of which its audit record: mean {part:.0} us, {:.1} %", 100.0 * part / mean);
    println!("all that passes the door: {:.0} ns an event for its digest", digest_ns());
    let db = rusqlite::Connection::open(&path)?;
    let bytes: f64 =
        db.query_row("SELECT avg(length(body) + 32) FROM audit WHERE kind = 'tick'", [], |row| row.get(0))?;
    println!("an audit record: {bytes:.0} bytes");
    let began = Instant::now();
    let checked = nanming::ledger::audit::verify::verify(&db, &[])?.map_err(|finding| finding.to_string())?;
    println!("verified in {:.2} s: {checked}", began.elapsed().as_secs_f64());
    Ok(())
}

/// Of a tick with the passages of a fiftieth of a second of all cameras of the reference city.
fn digest_ns() -> f64 {
    let passage = |vehicle: u64| Passage {
        time_ms: 1_767_657_600_000 + vehicle,
        camera: CameraId(vehicle as u32 * 50),
        vehicle: VehicleId(vehicle.wrapping_mul(0x9E37_79B9_7F4A_7C15)),
        speed_mm_s: 11_000,
        class: VehicleClass::Car,
    };
    let batch = Batch { passages: (0..PASSAGES).map(passage).collect(), ..Batch::default() };
    let began = Instant::now();
    for tick in 0..TICKS {
        std::hint::black_box(Taken::of(tick, std::hint::black_box(&batch)));
    }
    began.elapsed().as_nanos() as f64 / (TICKS * PASSAGES) as f64
}

/// A call that is raised and assigned in one tick.
fn record(n: u64) -> TickRecord {
    let (call, unit) = (CallId(n), UnitId((n % 5) as u32));
    let id = AssignmentId { call, attempt: 1 };
    let candidates =
        (0..5).map(|unit| Candidate { eta_ms: 60_000 + unit, unit: UnitId(unit as u32), but: None }).collect();
    let (time_ms, priority, reason) = (n, Priority::A, PickReason::Nearest);
    let assignment = Assignment { id, call, unit, time_ms, priority, eta_ms: 60_000, candidates, reason };
    let status = CallStatus {
        call,
        time_ms,
        seq: 1,
        phase: CallPhase::Assigned,
        reason: None,
        priority,
        grid: FACTS.grid,
        assignment: Some(id),
        unit: Some(unit),
        lacking: 0,
    };
    let note = CallNote { words: "两车追尾，有人受伤".into(), channel: "phone".into(), ..CallNote::default() };
    let batch =
        Batch { calls: vec![CallEvent { time_ms, call, change: CallChange::Opened(FACTS) }], ..Batch::default() };
    let decisions = Decisions { assignments: vec![assignment], calls: vec![status], ..Decisions::default() };
    TickRecord { notes: vec![(call, note)], decisions, ..TickRecord::closing(n, &batch) }
}
