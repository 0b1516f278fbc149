use std::io::Write;
use std::net::TcpStream;
use std::time::{Duration, Instant};

use nanming_dataflows::ids::MovementId;
use tempfile::TempDir;

use super::*;

mod simulation;

/// Of a run in a directory of its own, without a simulator.
fn config() -> (Config, TempDir) {
    let (mut config, dir) = (Config::default(), tempfile::tempdir().unwrap());
    config.ledger.path = dir.path().join("ledger.sqlite");
    config.simulator.enabled = false;
    (config, dir)
}

#[test]
fn a_worker_that_panics_ends_the_run_with_an_error() {
    let (config, _dir) = config();
    // `City::check` would refuse it: no other way is known to make a worker panic.
    let mut city = nanming_simulators::town::small(2, 2, 1);
    city.junctions[0].heads[0].movements[0] = MovementId(999_999);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (said, ended) = bounded(1);
    std::thread::spawn(move || said.send(run_city(&config, None, Arc::new(city), (listener, None))));
    let ended = ended.recv_timeout(Duration::from_secs(10)).expect("it lives on");
    assert!(matches!(ended, Err(RunError::Stopped(Stopped))), "{ended:?}");
}

#[test]
fn whatever_thread_ends_ends_the_run() {
    let (config, _dir) = config();
    let city = Arc::new(nanming_simulators::town::small(2, 2, 1));
    let shared = share(&config, city, Clock::starting_at(0, 2.0)).unwrap();
    let thread = shared.start("ill", || panic!("as it must")).unwrap();
    let failed: Result<(), RunError> = joined("ill", thread);
    assert!(matches!(failed, Err(RunError::Panicked("ill"))));
    assert!(shared.end.flag.load(Ordering::Relaxed) && *shared.end.stopping.borrow());
}

#[test]
fn all_may_end_at_once_and_none_waits_for_another() {
    let (config, _dir) = config();
    let city = Arc::new(nanming_simulators::town::small(2, 2, 1));
    let shared = share(&config, city, Clock::starting_at(0, 2.0)).unwrap();
    let (end, began) = (shared.end.clone(), Instant::now());
    let serve = |_| async move {
        for _ in 0..10_000 {
            end.come();
            tokio::task::yield_now().await;
        }
        Ok(())
    };
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    surface::serve_until_the_end(listener, serve, &shared).unwrap();
    assert!(began.elapsed() < Duration::from_secs(4), "it was waited for, and given up");
}

#[test]
fn a_caller_who_goes_away_while_the_door_is_full_leaves_nothing_behind() {
    let (config, _dir) = config();
    let city = Arc::new(nanming_simulators::town::small(2, 2, 1));
    let ledger = Ledger::open(&config.ledger.path, 1, &city).unwrap();
    let shared = share(&config, Arc::clone(&city), Clock::starting_at(0, 2.0)).unwrap();
    let (inbox, _arrivals) = door::open(shared.clock.clone(), 1);
    let (runtime, call) = (tokio::runtime::Runtime::new().unwrap(), CallId(17));
    runtime.block_on(inbox.send_async(Arrival::default())).unwrap();
    let before = (Duty::default(), RosterBoard::new(&city, Vec::new()));
    let app = app(&config, &shared, &ledger, inbox, &simulator::ears(false).0, before).unwrap();
    let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
    let mut caller = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    runtime.spawn(crate::http::serve(listener, app, None));
    let waits_for = |announced: bool| {
        let began = Instant::now();
        while shared.acceptances.posted(call).is_some() != announced {
            assert!(began.elapsed() < Duration::from_secs(10), "the alarm is announced: {}", !announced);
            std::thread::yield_now();
        }
    };
    let (lon, lat) = city.units[0].post.to_lon_lat(city.origin).degrees();
    let alarm = format!(r#"{{"id":17,"priority":"A","lon":{lon},"lat":{lat}}}"#);
    let head = format!("POST /calls HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: {}\r\n\r\n", alarm.len());
    caller.write_all((head + &alarm).as_bytes()).unwrap();
    waits_for(true);
    drop(caller);
    waits_for(false);
}
