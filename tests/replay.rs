//! The recorded hour of Ingolstadt through the real command line.

use std::path::{Path, PathBuf};
use std::process::Command;

const FILES: [&str; 5] =
    ["signals.jsonl", "forecasts.jsonl", "assignments.jsonl", "dead_letters.jsonl", "summary.json"];

/// The shared data, or none with a loud word.
pub(crate) fn data() -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data");
    let path = std::env::var_os("NANMING_DATA").map_or(beside, PathBuf::from);
    if !path.join("recordings").is_dir() {
        eprintln!("SKIPPED: no test data at {} (set NANMING_DATA)", path.display());
        return None;
    }
    Some(path)
}

fn replay(data: &Path, passages: &Path, workers: usize, out: &Path) -> serde_json::Value {
    let run = Command::new(env!("CARGO_BIN_EXE_nanming"))
        .args(["replay", "--log", "warn", "--json", "--units", "20", "--workers", &workers.to_string()])
        .arg("--city")
        .arg(data.join("signal/ingolstadt7/ingolstadt7.net.xml"))
        .arg("--passages")
        .arg(passages)
        .arg("--signals")
        .arg(data.join("recordings/ingolstadt7.signals.csv.gz"))
        .arg("--calls")
        .arg(data.join("dispatch/sf_police_calls.csv.gz"))
        .arg("--out")
        .arg(out)
        .output()
        .unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    serde_json::from_slice(&run.stdout).unwrap()
}

#[test]
fn a_recorded_hour_gives_the_same_bytes_on_one_two_and_four_workers() {
    let Some(data) = data() else { return };
    let dir = tempfile::tempdir().unwrap();
    let passages = data.join("recordings/ingolstadt7.passages.csv.gz");
    for workers in [1, 2, 4] {
        let summary = replay(&data, &passages, workers, &dir.path().join(workers.to_string()));
        assert_eq!(summary["events"]["passages"], 20_232);
        assert_eq!(summary["envelope_violations"], 0);
        assert_eq!(summary["envelope_refusals"], 0);
        assert_eq!(summary["dead_letters"], 0);
        assert!(summary["stage_changes"].as_u64().unwrap() > 300, "{summary}");
        assert!(summary["assignments"].as_u64().unwrap() > 50, "{summary}");
        assert!(summary["forecasts"].as_u64().unwrap() > 1_000, "{summary}");
    }
    for file in FILES {
        let bytes = |workers: &str| std::fs::read(dir.path().join(workers).join(file)).unwrap();
        assert!(bytes("1") == bytes("2") && bytes("1") == bytes("4"), "{file} differs between workers");
    }
}

#[test]
fn bad_rows_become_dead_letters_with_their_reason_and_the_rest_goes_on() {
    let Some(data) = data() else { return };
    let dir = tempfile::tempdir().unwrap();
    let passages = dir.path().join("passages.csv");
    let rows = "time_s,lane,vehicle,class,speed_mps\n\
                57603.5,124812856#0_2,a,passenger,12.55\n\
                57604.0,no_such_lane,b,passenger,12.55\n\
                57604.5,124812856#0_2,c,passenger,300\n\
                57605.0,124812856#0_2,d,passenger,-1\n\
                57605.5,124812856#0_2,e,passenger,NaN\n\
                soon,124812856#0_2,f,passenger,10\n\
                57606.0\n\
                57607.0,124812856#0_2,g,passenger,11\n";
    std::fs::write(&passages, rows).unwrap();
    let out = dir.path().join("out");
    let summary = replay(&data, &passages, 1, &out);
    assert_eq!(summary["events"]["passages"], 2);
    let letters = std::fs::read_to_string(out.join("dead_letters.jsonl")).unwrap();
    let reasons: Vec<String> = letters
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap())
        .filter(|letter| letter["stream"] == "passages")
        .map(|letter| format!("{} {}", letter["line"], letter["reason"].as_str().unwrap()))
        .collect();
    let expected =
        ["3 unknown_camera", "4 impossible_speed", "5 impossible_speed", "6 malformed", "7 malformed", "8 malformed"];
    assert_eq!(reasons, expected);
}
