//! `nanming dispatch-eval` on a small table, on what is wrong with tables, and on real calls whose figures are known.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

/// Public data sets of the machines that develop this; `NANMING_DATA` names another place.
const DATA: &str = "/work/shared/data";
const HEADER: &str = "received_at,entry_at,onscene_at,close_at,priority,agency,on_view,lon,lat";

fn nanming(table: &Path, options: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_nanming"));
    command.arg("dispatch-eval").arg(table).args(options.split_whitespace()).env("NANMING_LOG", "warn");
    command.output().unwrap()
}

fn figures(table: &Path, options: &str) -> Value {
    let done = nanming(table, &format!("{options} --json"));
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    serde_json::from_slice(&done.stdout).unwrap()
}

fn table(dir: &Path, rows: &str) -> PathBuf {
    let path = dir.join("calls.csv");
    std::fs::write(&path, format!("{HEADER}\n{rows}")).unwrap();
    path
}

fn complaint(rows: &str) -> String {
    let dir = tempfile::tempdir().unwrap();
    let done = nanming(&table(dir.path(), rows), "--units 1");
    assert_eq!(done.status.code(), Some(1));
    String::from_utf8(done.stderr).unwrap()
}

#[test]
fn one_unit_serves_two_calls_and_others_are_left_out() {
    let dir = tempfile::tempdir().unwrap();
    let rows = "\
2026-01-15T08:00:00,2026-01-15T08:00:10,2026-01-15T08:05:00,2026-01-15T08:15:00,A,Police,N,0.0,0.0
2026-01-15T08:00:00,2026-01-15T08:00:30,,,C,Police,N,0.0,0.0
2026-01-15T08:00:00,2026-01-15T08:00:30,,,B,Police,Y,0.0,0.0
2026-01-15T08:00:00,2026-01-15T08:00:30,,,B,Sheriff,N,0.0,0.0
2026-01-15T08:00:00,2026-01-15T08:00:30,,,B,Police,N,,
";
    let told = figures(&table(dir.path(), rows), "--units 1 --policy nanming,fifo,nanming+cover --seeds 4");
    assert_eq!(told["calls"], 2);
    // Known at 10 s and at once reached; ten minutes on the scene, of which the other call sees all.
    for of in [&told, &told["policies"]["fifo"], &told["policies"]["nanming+cover"]] {
        assert_eq!(of["a_within_8min"], 1.0);
        assert_eq!(of["mean_response_s"], serde_json::json!({"A": 10.0, "B": 0.0, "C": 610.0}));
        assert_eq!(of["longest_response_s"]["C"], 610.0);
        assert_eq!(of["preemptions"], 0.0);
    }
}

#[test]
fn what_is_wrong_is_told_with_its_line() {
    let good = "2026-01-15T08:00:00,2026-01-15T08:00:10,,,A,Police,N,0.0,0.0\n";
    let told = |row: &str| complaint(&format!("{good}{row}\n"));
    assert!(told("x,2026-01-15T08:00:10,,,A,Police,N,0,0").contains("line 3: received_at 'x' is no time"));
    assert!(told("2026-01-15T08:00:00,,,,A,Police,N,0,0").contains("line 3: entry_at is empty"));
    assert!(
        told("2026-01-15T08:00:00,2026-01-15T08:00:10,,,D,Police,N,0,0").contains("priority 'D' is none of A, B, C")
    );
    assert!(told("2026-01-15T08:00:00,2026-01-15T08:00:10,,,A,Police,N,x,0").contains("lon 'x' is no number"));
    assert!(told("2026-01-15T08:00:00").contains("line 3"));
    assert!(complaint("").contains("no call of agency 'Police'"));

    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("calls.csv");
    std::fs::write(&path, "received_at,entry_at,onscene_at,close_at,lon,lat\n").unwrap();
    let said = |path: &Path, options| String::from_utf8(nanming(path, options).stderr).unwrap();
    assert!(said(&path, "--units 1").contains("line 1: there is no column 'priority'"));
    assert!(said(&dir.path().join("none.csv"), "--units 1").contains("none.csv: "));

    let settings = dir.path().join("policy.toml");
    std::fs::write(&settings, "reserve = 1\n").unwrap();
    let options = format!("--units 1 --settings {}", settings.display());
    assert!(said(&path, &options).contains("policy.toml: ") && said(&path, &options).contains("reserve"));
}

/// The references give what the reference replay gives with its sorts made stable, and the policy what was asked of it.
#[test]
fn real_calls_are_served_better_than_by_any_reference() {
    let calls = std::env::var_os("NANMING_DATA")
        .map_or_else(|| DATA.into(), PathBuf::from)
        .join("dispatch/sf_police_calls.csv.gz");
    if !calls.exists() {
        eprintln!("SKIPPED: {} is missing; NANMING_DATA names another place", calls.display());
        return;
    }
    let told = figures(&calls, "--units 16");
    assert_eq!(told["calls"], 1215);
    let number = |value: &Value| value.as_f64().unwrap();
    let of = |policy: &str| {
        let figures = &told["policies"][policy];
        let means = ["A", "B", "C"].map(|p| number(&figures["mean_response_s"][p]).round());
        ((number(&figures["a_within_8min"]) * 1000.0).round(), means)
    };
    assert_eq!(of("fifo"), (353.0, [1860.0, 1739.0, 1709.0]));
    assert_eq!(of("priority"), (438.0, [702.0, 899.0, 4450.0]));
    assert_eq!(of("batch"), (457.0, [676.0, 865.0, 4408.0]));
    assert_eq!(of("preempt"), (655.0, [479.0, 882.0, 4379.0]));
    let (preempt, within) = (&told["policies"]["preempt"], number(&told["a_within_8min"]));
    assert!(within >= 0.70 && within <= number(&told["bound"]["a_within_8min"]), "{within}");
    let is_less = |figure: &str, priority: &str| number(&told[figure][priority]) < number(&preempt[figure][priority]);
    assert!(is_less("mean_response_s", "B") && is_less("mean_response_s", "C") && is_less("longest_response_s", "C"));
}
