//! Files that a live city writes.

use serde_json::{Value, json};

use crate::running::{Running, lines};

#[test]
fn decisions_and_dead_letters_share_a_directory_and_outlive_a_restart() {
    let options = ["--jsonl", ".", "--start", "08:00", "--speed", "10"];
    let (mut dir, mut before) = (tempfile::tempdir().unwrap(), (0, 0));
    for run in 1..=2 {
        let city = Running::start_in(dir, &options);
        city.post(
            "/api/ingest",
            &json!({"type": "passage", "camera": format!("no {run}"), "speed_kmh": 40}).to_string(),
        );
        let kept = |file: &str| lines(&city.dir.path().join(file));
        city.wait_for("commands", || kept("signals.jsonl").len() > before.0);
        dir = city.end();
        let kept = |file: &str| lines(&dir.path().join(file));
        let refused: Vec<Value> = kept("dead_letters.jsonl");
        let named = |n| refused.iter().any(|letter| letter["raw"].as_str().unwrap().contains(&format!("no {n}")));
        assert!((1..=run).all(named), "{refused:?}");
        let now = (kept("signals.jsonl").len(), refused.len());
        assert!(now.0 > before.0 && now.1 > before.1, "{before:?} {now:?}");
        before = now;
    }
}

#[test]
fn who_follows_the_files_of_decisions_sees_whole_lines_within_a_second_or_so() {
    let city = Running::start_in(tempfile::tempdir().unwrap(), &["--jsonl", ".", "--start", "08:00", "--speed", "20"]);
    let file = city.dir.path().join("signals.jsonl");
    city.wait_for("commands", || lines(&file).len() > 20);
    let seen = lines(&file).len();
    let dir = city.kill();
    let text = std::fs::read_to_string(dir.path().join("signals.jsonl")).unwrap();
    assert!(text.ends_with('\n') && text.lines().count() >= seen);
}
