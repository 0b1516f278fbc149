use std::time::Duration;

use nanming_dataflows::ids::MovementId;

use super::*;

#[test]
fn a_worker_that_panics_ends_the_run_with_an_error() {
    let dir = tempfile::tempdir().unwrap();
    let mut config = Config::default();
    config.ledger.path = dir.path().join("ledger.sqlite");
    config.simulator.enabled = false;
    // `City::check` would refuse it: no other way is known to make a worker panic.
    let mut city = nanming_simulators::town::small(2, 2, 1);
    city.junctions[0].heads[0].movements[0] = MovementId(999_999);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (said, ended) = bounded(1);
    std::thread::spawn(move || said.send(run_city(&config, Arc::new(city), listener)));
    let ended = ended.recv_timeout(Duration::from_secs(10)).expect("it lives on");
    assert!(matches!(ended, Err(RunError::Stopped(Stopped))), "{ended:?}");
}

#[test]
fn whatever_thread_ends_ends_the_run() {
    let city = Arc::new(nanming_simulators::town::small(2, 2, 1));
    let clock = Clock::starting_at(0, 2.0);
    let shared = share(&Config::default(), city, clock).unwrap();
    let thread = shared.start("ill", || panic!("as it must")).unwrap();
    let failed: Result<(), RunError> = joined("ill", thread);
    assert!(matches!(failed, Err(RunError::Panicked("ill"))));
    assert!(shared.end.flag.load(Ordering::Relaxed) && *shared.end.stopping.borrow());
}
