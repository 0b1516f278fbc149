//! One platform sends over and over, a hundred times what the small city's cameras tell: alarms and signals do not wait for it.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde_json::json;

use crate::running::Running;

/// Lines of a body, and the pause before the next: the small city's own cameras tell some 50 passages a second.
const LINES: usize = 500;
const PAUSE: Duration = Duration::from_millis(50);
const PLATFORMS: usize = 2;
/// Bodies of a platform at most.
const MOST: usize = 200;
/// Alarms raised meanwhile, and how long each may take.
const CALLS: u64 = 20;
const SOON: Duration = Duration::from_secs(3);

#[test]
fn a_flood_of_one_platform_keeps_no_alarm_and_no_signal_waiting() {
    let city = Running::start_in(tempfile::tempdir().unwrap(), &["--no-sim", "--speed", "20"]);
    let passage = |n: usize| {
        let camera = &city.city.cameras[n % 20].name;
        json!({"type": "passage", "camera": camera, "plate": format!("贵A{n:05}"), "speed_kmh": 40}).to_string()
    };
    let body = (0..LINES).map(passage).collect::<Vec<_>>().join("\n");
    let (is_over, sent) = (AtomicBool::new(false), AtomicU64::new(0));
    let measure = |name: &str| {
        let text = city.text("/metrics");
        let of_it = text.lines().filter(|line| line.starts_with(name)).filter_map(|line| line.rsplit(' ').next());
        of_it.map(|value| value.parse::<f64>().unwrap()).sum::<f64>() as u64
    };
    std::thread::scope(|scope| {
        let send = || {
            for _ in (0..MOST).take_while(|_| !is_over.load(Ordering::Relaxed)) {
                let answer = city.send("POST", "/api/ingest", &[], body.as_bytes());
                assert_eq!((answer.status, &answer.json["accepted"]), (200, &json!(LINES)), "{}", answer.text);
                sent.fetch_add(LINES as u64, Ordering::Relaxed);
                std::thread::park_timeout(PAUSE);
            }
        };
        let platforms: Vec<_> = (0..PLATFORMS).map(|_| scope.spawn(send)).collect();
        let signals = measure("nanming_signal_commands_total");
        for id in 1..=CALLS {
            city.wait_for("the flood", || sent.load(Ordering::Relaxed) >= id / 2 * LINES as u64);
            let began = Instant::now();
            assert_eq!(city.post("/calls", &city.alarm(0, json!({"id": id}))).0, 201);
            assert!(began.elapsed() < SOON, "call {id} took {:?}", began.elapsed());
            assert_eq!(city.get("/healthz").0, 200);
        }
        is_over.store(true, Ordering::Relaxed);
        platforms.into_iter().for_each(|platform| platform.join().unwrap());
        city.wait_for("signals", || measure("nanming_signal_commands_total") > signals);
    });
    let sent = sent.into_inner();
    assert!(sent >= CALLS / 2 * LINES as u64, "{sent}");
    // Each is decided on or left out, and counted.
    let taken = || {
        measure("nanming_events_total{stream=\"passages\"}")
            + measure("nanming_events_sampled_total{stream=\"passages\"}")
    };
    city.wait_for("all of it", || taken() == sent);
}
