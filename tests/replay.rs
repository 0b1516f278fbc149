//! The recorded hour of Ingolstadt through the real command line.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::cluster::hosts;
use crate::running::lines;

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

/// The command, without its passages, calls and output.
fn command(data: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_nanming"));
    command.env("NANMING_LOG", "warn").args(["replay", "--json", "--city"]);
    command.arg(data.join("signal/ingolstadt7/ingolstadt7.net.xml"));
    command
}

fn replay(data: &Path, passages: &Path, workers: usize, out: &Path) -> Value {
    summary(&mut whole(data, passages, workers, out))
}

/// With the calls and the signals.
fn whole(data: &Path, passages: &Path, workers: usize, out: &Path) -> Command {
    let mut command = command(data);
    command.args(["--units", "20", "--workers", &workers.to_string()]);
    command.arg("--signals").arg(data.join("recordings/ingolstadt7.signals.csv.gz"));
    command.arg("--calls").arg(data.join("dispatch/sf_police_calls.csv.gz"));
    command.arg("--passages").arg(passages).arg("--out").arg(out);
    command
}

fn summary(command: &mut Command) -> Value {
    let run = command.output().unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    serde_json::from_slice(&run.stdout).unwrap()
}

/// Line, reason of the dead letters of a stream.
fn letters(out: &Path, stream: &str) -> Vec<String> {
    let letters = lines(&out.join("dead_letters.jsonl"));
    let own = letters.iter().filter(|letter| letter["stream"] == stream);
    own.map(|letter| format!("{} {}", letter["line"], letter["reason"].as_str().unwrap())).collect()
}

const PASSAGES: &str = "time_s,lane,vehicle,class,speed_mps\n\
                        57600.5,124812856#0_2,a,passenger,12.55\n\
                        57601.0,124812856#0_2,b,bus,12.5\n\
                        57900.0,124812856#0_2,c,car,11\n";
const CALLS: &str = "id,received_at,description,priority,on_view,lon,lat\n\
                     1,2026-01-05T16:01:00,FIGHT,A,N,-122.41,37.77\n\
                     2,2026-01-05T16:02:00,NOISE,C,N,-122.45,37.72\n\
                     3,2026-01-05T16:03:00,THEFT,B,N,-122.39,37.80\n\
                     4,2026-01-05T16:03:00,THEFT,B,Y,-122.39,37.80\n\
                     5,2026-01-05T16:03:00,THEFT,B,N,,\n\
                     6,2026-01-05T09:03:00,THEFT,B,N,-122.39,37.80\n";

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
        let left_out: u64 = summary["calls_left_out"].as_object().unwrap().values().map(|n| n.as_u64().unwrap()).sum();
        assert_eq!(summary["calls"].as_u64().unwrap() + left_out, 3_370, "{summary}");
        assert!(summary["forecasts"].as_u64().unwrap() > 1_000, "{summary}");
    }
    for file in FILES {
        let bytes = |workers: &str| std::fs::read(dir.path().join(workers).join(file)).unwrap();
        assert!(bytes("1") == bytes("2") && bytes("1") == bytes("4"), "{file} differs between workers");
    }
}

#[test]
fn two_and_three_processes_decide_the_same_as_one() {
    let Some(data) = data() else { return };
    let dir = tempfile::tempdir().unwrap();
    let passages = data.join("recordings/ingolstadt7.passages.csv.gz");
    let one = dir.path().join("1");
    replay(&data, &passages, 1, &one);
    for processes in [2, 3] {
        let (hosts, out) = (hosts(dir.path(), processes), dir.path().join(processes.to_string()));
        let run = |process: usize| {
            let mut command = whole(&data, &passages, 4 - processes, &out);
            command.arg("--hosts").arg(&hosts).args(["--process", &process.to_string()]).stdout(Stdio::null());
            command.spawn().unwrap()
        };
        for mut child in (0..processes).map(run).collect::<Vec<_>>() {
            assert!(child.wait().unwrap().success());
        }
        for file in FILES {
            let read = |dir: &Path| std::fs::read(dir.join(file)).unwrap();
            assert_eq!(read(&out), read(&one), "{file} of {processes} processes");
        }
    }
}

#[test]
fn a_process_that_is_lost_ends_the_others_with_what_to_do() {
    let Some(data) = data() else { return };
    let dir = tempfile::tempdir().unwrap();
    let passages = data.join("recordings/ingolstadt7.passages.csv.gz");
    let (hosts, out) = (hosts(dir.path(), 2), dir.path().join("out"));
    let run = |process: &str| {
        let mut command = whole(&data, &passages, 1, &out);
        command.arg("--hosts").arg(&hosts).args(["--process", process, "--speed", "10"]);
        command.env("NANMING_LOG", "info").stderr(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap()
    };
    let (mut leader, mut follower) = (run("0"), run("1"));
    let mut said = BufReader::new(leader.stderr.take().unwrap()).lines().map(Result::unwrap);
    assert!(said.any(|line| line.contains("are together")));
    follower.kill().unwrap();
    follower.wait().unwrap();
    assert_eq!(leader.wait().unwrap().code(), Some(1));
    assert!(said.any(|line| line.contains("another process of the cluster is gone")));
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
                57607.0,124812856#0_2,g,passenger,11\n\
                57608.0,124812856#0_2,g,spaceship,11\n";
    std::fs::write(&passages, rows).unwrap();
    let out = dir.path().join("out");
    let summary = replay(&data, &passages, 1, &out);
    assert_eq!(summary["events"]["passages"], 2);
    let expected = [
        "3 unknown_camera",
        "4 impossible_speed",
        "5 impossible_speed",
        "6 malformed",
        "7 malformed",
        "8 malformed",
        "10 malformed",
    ];
    assert_eq!(letters(&out, "passages"), expected);
}

#[test]
fn a_wrong_time_or_place_is_a_dead_letter_and_changes_nothing_else() {
    let Some(data) = data() else { return };
    let dir = tempfile::tempdir().unwrap();
    let play = |name: &str, passages: &str, calls: &str| {
        let file = |kind: &str, text: &str| {
            let path = dir.path().join(format!("{name}.{kind}.csv"));
            std::fs::write(&path, text).unwrap();
            path
        };
        let (passages, calls, out) = (file("passages", passages), file("calls", calls), dir.path().join(name));
        let mut command = command(&data);
        let mut played =
            summary(command.arg("--passages").arg(passages).arg("--calls").arg(calls).arg("--out").arg(&out));
        let dead = played.as_object_mut().unwrap().remove("dead_letters").unwrap();
        let assigned = std::fs::read(out.join("assignments.jsonl")).unwrap();
        (played, assigned, dead.as_u64().unwrap(), out)
    };
    let clean = play("clean", PASSAGES, CALLS);
    assert_eq!((&clean.0["calls"], &clean.0["never_assigned"], clean.2), (&json!(3), &json!(0), 0), "{}", clean.0);
    assert_eq!(clean.0["calls_left_out"], json!({"not_from_callers": 1, "no_place": 1, "other_hours": 1}));
    let passages = format!("{PASSAGES}99999999,124812856#0_2,d,passenger,12\n1,124812856#0_2,e,passenger,12\n");
    let calls = format!("{CALLS}7,2026-01-05T16:04:00,X,B,N,0,0\n8,2026-01-05T16:04:00,X,B,N,999,37.7\n");
    let strayed = play("strayed", &passages, &calls);
    assert_eq!((&strayed.0, &strayed.1, strayed.2), (&clean.0, &clean.1, 4));
    assert_eq!(letters(&strayed.3, "passages"), ["5 out_of_range", "6 out_of_range"]);
    assert_eq!(letters(&strayed.3, "calls"), ["9 out_of_range", "8 outside_city"]);
}

#[test]
fn when_nothing_can_be_played_the_reasons_are_written_and_named() {
    let Some(data) = data() else { return };
    let dir = tempfile::tempdir().unwrap();
    let (passages, out) = (dir.path().join("passages.csv"), dir.path().join("out"));
    std::fs::write(&passages, "time_s,lane,vehicle,class,speed_mps\n1,no_such_lane,a,passenger,12\n").unwrap();
    let done = command(&data).arg("--passages").arg(&passages).arg("--out").arg(&out).output().unwrap();
    let said = String::from_utf8(done.stderr).unwrap();
    assert_eq!(done.status.code(), Some(1), "{said}");
    assert!(said.contains(&*out.join("dead_letters.jsonl").to_string_lossy()), "{said}");
    assert_eq!(letters(&out, "passages"), ["2 unknown_camera"]);
    let done = command(&data).args(["--workers", "0", "--passages", "x", "--out", "y"]).output().unwrap();
    assert_eq!(done.status.code(), Some(2), "{}", String::from_utf8_lossy(&done.stderr));
}

#[test]
fn where_nobody_is_sent_nobody_waited_no_time() {
    let Some(data) = data() else { return };
    let dir = tempfile::tempdir().unwrap();
    let (passages, calls) = (dir.path().join("passages.csv"), dir.path().join("calls.csv"));
    std::fs::write(&passages, PASSAGES).unwrap();
    std::fs::write(&calls, CALLS).unwrap();
    let mut command = command(&data);
    command.args(["--units", "0"]).arg("--passages").arg(&passages).arg("--calls").arg(&calls);
    let summary = summary(command.arg("--out").arg(dir.path().join("out")));
    assert_eq!((&summary["mean_wait_s"], &summary["mean_eta_s"]), (&Value::Null, &Value::Null), "{summary}");
    assert_eq!((&summary["calls"], &summary["never_assigned"]), (&json!(3), &json!(3)), "{summary}");
}

#[test]
fn ctrl_c_leaves_whole_lines_and_says_so() {
    let Some(data) = data() else { return };
    let dir = tempfile::tempdir().unwrap();
    let mut command = command(&data);
    command.arg("--passages").arg(data.join("recordings/ingolstadt7.passages.csv.gz"));
    command.args(["--speed", "1000"]).arg("--out").arg(dir.path());
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let written = || dir.path().join("signals.jsonl").metadata().map_or(0, |file| file.len());
    let began = Instant::now();
    while written() == 0 {
        assert!(began.elapsed() < Duration::from_secs(20), "nothing is written");
        std::thread::park_timeout(Duration::from_millis(5));
    }
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let done = child.wait_with_output().unwrap();
    let said = String::from_utf8(done.stderr).unwrap();
    assert!(done.status.code() == Some(130) && said.contains("interrupted"), "{:?} {said}", done.status);
    for file in &FILES[..4] {
        let text = std::fs::read_to_string(dir.path().join(file)).unwrap();
        assert!(text.is_empty() || text.ends_with('\n'), "{file}");
        assert!(text.lines().all(|line| serde_json::from_str::<Value>(line).is_ok()), "{file}");
    }
    assert!(!dir.path().join(FILES[4]).exists(), "a summary of half an hour");
}
