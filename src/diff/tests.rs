use std::path::Path;

use serde_json::json;

use super::*;

fn command(t_ms: u64, junction: &str, stage: u64) -> String {
    json!({"t_ms": t_ms, "junction": junction, "stage": stage, "interval": "green", "state": "Gr", "reason": "plan"})
        .to_string()
}

fn forecast(t_ms: u64, kmh: f64) -> String {
    let lead = |min: u64| json!({"min": min, "kmh": kmh + min as f64, "low_kmh": 0.0, "high_kmh": 9.0, "veh_h": 5, "p_congested": 0.5});
    json!({"t_ms": t_ms, "link": "l", "leads": [lead(5), lead(15)]}).to_string()
}

fn assignment(t_ms: u64, id: &str, unit: &str, eta_s: u64) -> String {
    json!({"t_ms": t_ms, "assignment": id, "call": 1, "unit": unit, "priority": "A", "eta_s": eta_s, "reason": "nearest",
           "candidates": []})
    .to_string()
}

fn write(dir: &Path, of: &str, signals: &[String], forecasts: &[String], assignments: &[String]) {
    std::fs::create_dir_all(dir.join(of)).unwrap();
    for (name, lines) in [("signals", signals), ("forecasts", forecasts), ("assignments", assignments)] {
        let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
        std::fs::write(dir.join(of).join(format!("{name}.jsonl")), text).unwrap();
    }
}

fn compare(dir: &Path) -> Result<Difference, DiffError> {
    diff(&DiffArgs { a: dir.join("a"), b: dir.join("b"), json: false })
}

#[test]
fn it_says_what_changed_and_where() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let a = [command(1, "x", 0), command(2, "y", 0), command(3, "x", 1), command(900_000, "z", 0)];
    let b = [command(2, "y", 0), command(1, "x", 0), command(3, "x", 2), command(4, "x", 1)];
    let sent = [assignment(5, "1.1", "P1", 60), assignment(6, "2.1", "P2", 60), assignment(7, "3.1", "P3", 60)];
    let sent_b = [assignment(9, "1.1", "P9", 90), assignment(6, "2.1", "P2", 60)];
    write(dir, "a", &a, &[forecast(1, 50.0), forecast(2, 50.0)], &sent);
    write(dir, "b", &b, &[forecast(1, 50.0), forecast(2, 47.0), forecast(3, 1.0)], &sent_b);
    let found = compare(dir).unwrap();
    assert!(!found.same);
    assert_eq!(found.signals.counts, Counts { same: 2, differing: 1, only_a: 1, only_b: 1 });
    let at = |junction: &str| found.signals.junctions[junction];
    assert_eq!(at("x"), AtJunction { differing: 1, only_a: 0, only_b: 1, first_t_ms: 3 });
    assert_eq!(at("z"), AtJunction { differing: 0, only_a: 1, only_b: 0, first_t_ms: 900_000 });
    assert_eq!(found.signals.junctions.len(), 2, "y is the same, only in another order");
    assert_eq!(found.forecasts.counts, Counts { same: 1, differing: 1, only_a: 0, only_b: 1 });
    assert_eq!(found.forecasts.leads[&15], LeadDifference { pairs: 1, kmh: 3.0, p_congested: 0.0 });
    assert_eq!(found.assignments.counts, Counts { same: 1, differing: 1, only_a: 1, only_b: 0 });
    assert_eq!((found.assignments.other_unit, found.assignments.later_s), (1, Some(30.0)));
    let units = ["P1".to_owned(), "P9".to_owned()];
    let reassigned = Reassigned { assignment: "1.1".into(), t_ms: 5, units, eta_s: [60, 90] };
    assert_eq!(found.assignments.reassigned, [reassigned]);
    let text = found.to_string();
    for told in ["x: 1 differ", "15 min ahead: by 3.00 km/h", "P1 (60 s), then P9 (90 s)", "differ."] {
        assert!(text.contains(told), "{text}");
    }
}

#[test]
fn a_file_that_was_put_aside_comes_before_the_one_that_is_written() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let commands: Vec<String> = (0..6).map(|n| command(n, "x", n)).collect();
    write(dir, "a", &commands, &[], &[]);
    write(dir, "b", &commands[..4], &[], &[]);
    std::fs::rename(dir.join("b/signals.jsonl"), dir.join("b/signals.jsonl.1")).unwrap();
    std::fs::write(dir.join("b/signals.jsonl"), commands[4..].join("\n") + "\n").unwrap();
    let found = compare(dir).unwrap();
    assert!(found.same && found.signals.counts.same == 6, "{found:?}");
}

#[test]
fn what_cannot_be_compared_is_said_with_its_line() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    write(dir, "a", &[command(1, "x", 0), "{\"t_ms\":".into()], &[], &[]);
    assert!(compare(dir).unwrap_err().to_string().contains("--jsonl"), "no b");
    write(dir, "b", &[], &[], &[]);
    let said = compare(dir).unwrap_err().to_string();
    assert!(said.contains("signals.jsonl, line 2"), "{said}");
}

#[test]
fn people_at_venues_are_compared_where_both_runs_tell_of_them() {
    let state = |t_ms: u64, venue: &str, surge: bool| {
        let outflow = [0; 12];
        json!({"t_ms": t_ms, "venue": venue, "people": 9, "usual": 9, "share": 0.1, "surge": surge, "outflow": outflow,
               "observed": true})
        .to_string()
    };
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    ["a", "b"].iter().for_each(|of| write(dir, of, &[], &[], &[]));
    let said = |of: &str, lines: &[String]| {
        std::fs::write(dir.join(of).join("crowds.jsonl"), lines.join("\n") + "\n").unwrap();
    };
    said("a", &[state(1, "x", false), state(2, "x", true), state(2, "y", false)]);
    assert!(compare(dir).unwrap().same, "the other run is of a version that did not tell");
    said("b", &[state(1, "x", false), state(2, "x", false)]);
    let found = compare(dir).unwrap();
    assert_eq!(found.crowds.counts, Counts { same: 1, differing: 1, only_a: 1, only_b: 0 });
    assert_eq!(found.crowds.surges, [("x".to_owned(), 1), ("y".to_owned(), 0)].into());
    assert!(!found.same && found.to_string().contains("x: a surge in one of them only, 1 times"), "{found}");
}
