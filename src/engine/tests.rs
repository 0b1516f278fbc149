mod recovery;

use super::*;
use nanming_dataflows::event::{Passage, VehicleClass};
use nanming_dataflows::ids::{CameraId, MovementId, VehicleId};

fn nowhere() -> Batch {
    let (camera, vehicle) = (CameraId(999_999), VehicleId(0));
    let passage = Passage { time_ms: 1, camera, vehicle, speed_mm_s: 1, class: VehicleClass::Car };
    Batch { passages: vec![passage], ..Batch::default() }
}

#[test]
fn a_worker_that_panics_stops_the_engine_and_the_others_end() {
    let city = Arc::new(nanming_simulators::town::small(2, 2, 1));
    for workers in [1, 3] {
        let mut engine = Engine::start(&city, workers);
        assert!(engine.step(1_000, Batch::default()).is_ok());
        assert_eq!(engine.step(2_000, nowhere()), Err(Stopped));
        assert_eq!(engine.step(3_000, Batch::default()), Err(Stopped));
    }
}

#[test]
fn in_a_cluster_the_leader_says_where_sources_begin_and_hears_with_each_tick_how_far_they_are() {
    let dir = tempfile::tempdir().unwrap();
    let free = [(), ()].map(|()| std::net::TcpListener::bind("127.0.0.1:0").unwrap());
    let hosts = free.map(|listener| listener.local_addr().unwrap().to_string()).join("\n");
    std::fs::write(dir.path().join("hosts"), hosts).unwrap();
    let city = Arc::new(nanming_simulators::town::small(2, 2, 1));
    let start = |process| {
        let cluster = Cluster::read(&dir.path().join("hosts"), process).unwrap();
        Engine::start_in(Some(&cluster), &city, 2, States::default()).unwrap()
    };
    let read = |next| vec![Bookmark { source: "passages".into(), part: 1, next }];
    std::thread::scope(|scope| {
        let leader = scope.spawn(|| {
            let mut leader = start(0);
            leader.tell(read(40));
            [1_000, 2_000].map(|tick| {
                leader.submit(tick, Batch::default(), Tick::default()).unwrap();
                leader.finished().unwrap().bookmarks
            })
        });
        let mut follower = start(1);
        let mut heard = Vec::new();
        while let Ok(Some(announced)) = follower.announced().recv() {
            let next = 40 + announced.tick as i64 / 1_000;
            follower.submit_read(announced.tick, Batch::default(), Tick::default(), read(next)).unwrap();
            heard.push(announced.bookmarks);
        }
        drop(follower);
        assert_eq!(heard, [read(40), Vec::new()], "told once");
        assert_eq!(leader.join().unwrap(), [read(41), read(42)], "each with its tick");
    });
}

#[test]
fn workers_that_cannot_even_begin_stop_it_too() {
    let mut city = nanming_simulators::town::small(2, 2, 1);
    city.junctions[0].heads[0].movements[0] = MovementId(999_999);
    assert_eq!(Engine::start(&Arc::new(city), 2).step(1_000, Batch::default()), Err(Stopped));
}
