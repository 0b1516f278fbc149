use std::time::Duration;

use crossbeam_channel::unbounded;
use nanming_dataflows::decision::SignalCommand;
use nanming_dataflows::event::{ControlMode, SignalFeedback, UnitReport, UnitStatus};
use nanming_dataflows::ids::{JunctionId, UnitId};
use nanming_dataflows::network::City;
use nanming_simulators::town;

use super::*;

const NOW_MS: u64 = 1_767_657_600_000;

/// A door over a small town, with its street.
struct Scene {
    city: Arc<City>,
    metrics: Arc<Metrics>,
    clock: Clock,
    inbox: Inbox,
    arrivals: Arrivals,
    street: Street,
    commands: Receiver<SignalCommand>,
}

fn scene(bound: usize) -> Scene {
    let city = Arc::new(town::small(2, 2, 1));
    let metrics = Arc::new(Metrics::new(&city));
    let clock = Clock::starting_at(NOW_MS, 1.0);
    let (inbox, arrivals) = open(clock.clone(), bound);
    let (controllers, commands) = unbounded();
    let street = Street::new(Arc::clone(&city), Arc::clone(&metrics), clock.clone(), Some(controllers));
    Scene { city, metrics, clock, inbox, arrivals, street, commands }
}

fn report(city: &City) -> Arrival {
    let at = city.units[0].post;
    let report = UnitReport { time_ms: NOW_MS, unit: UnitId(0), at, status: UnitStatus::Ready };
    Arrival { events: vec![Event::Unit(report)], ..Arrival::default() }
}

#[test]
fn when_every_inbox_is_gone_what_waits_makes_one_last_tick_and_no_other() {
    let Scene { city, metrics, clock, inbox, arrivals, mut street, .. } = scene(8);
    inbox.send(report(&city)).unwrap();
    drop(inbox);
    // A door that does not end fills the queue and stops at its end, instead of hanging the test.
    let (records, finished) = bounded(64);
    let engine = Engine::start(&city, 1);
    std::thread::scope(|scope| {
        let exits = Exits { street: &mut street, records: &records, recorder: None, snapshots: None };
        let driving = scope.spawn(|| live(engine, clock, NOW_MS, &arrivals, exits, &metrics));
        let began = finished.recv_timeout(Duration::from_secs(20)).unwrap();
        assert_eq!((began.tick, began.units.len()), (NOW_MS + 1, 0), "before anything comes in");
        let first = finished.recv_timeout(Duration::from_secs(20)).unwrap();
        let more = finished.recv_timeout(Duration::from_millis(500));
        drop(finished);
        assert!(driving.join().unwrap().is_ok());
        assert_eq!(first.units.len(), 1);
        assert!(more.is_err(), "another tick after the last");
    });
}

#[test]
fn a_command_leaves_while_the_ledger_takes_nothing() {
    let Scene { city, metrics, clock, inbox, arrivals, mut street, commands } = scene(8);
    let lamps = city.junctions[0].stages[0].lights.iter().map(|light| light.lamp()).collect();
    let shows = SignalFeedback { time_ms: NOW_MS + 1, junction: JunctionId(0), mode: ControlMode::Centre, lamps };
    inbox.send(Arrival { events: vec![Event::Signal(shows)], ..Arrival::default() }).unwrap();
    let (records, finished) = bounded(0);
    let engine = Engine::start(&city, 1);
    std::thread::scope(|scope| {
        let exits = Exits { street: &mut street, records: &records, recorder: None, snapshots: None };
        let driving = scope.spawn(|| live(engine, clock, NOW_MS, &arrivals, exits, &metrics));
        let began = finished.recv_timeout(Duration::from_secs(20)).unwrap();
        assert_eq!(began.tick, NOW_MS + 1);
        let command = commands.recv_timeout(Duration::from_secs(20)).unwrap();
        assert_eq!(command.junction, JunctionId(0));
        let record = finished.recv_timeout(Duration::from_secs(20)).unwrap();
        assert_eq!(record.decisions.commands, [command], "the ledger gets it afterwards");
        drop(finished);
        assert!(driving.join().unwrap().is_ok());
    });
}

#[tokio::test]
async fn a_task_waits_for_room_and_hears_when_the_door_is_shut() {
    let Scene { city, inbox, arrivals, .. } = scene(1);
    inbox.send_async(report(&city)).await.unwrap();
    let waiting = |inbox: &Inbox, arrival| {
        let inbox = inbox.clone();
        tokio::spawn(async move { inbox.send_async(arrival).await })
    };
    let (first, second) = (waiting(&inbox, report(&city)), waiting(&inbox, report(&city)));
    tokio::task::yield_now().await;
    assert!(!first.is_finished() && !second.is_finished());
    for sent in [first, second] {
        arrivals.pushed.recv().unwrap();
        arrivals.room.notify_one();
        assert_eq!(sent.await.unwrap(), Ok(()));
    }
    let third = waiting(&inbox, report(&city));
    tokio::task::yield_now().await;
    drop(arrivals);
    assert_eq!(third.await.unwrap(), Err(Closed));
}
