use super::*;
use crate::ids::{LinkId, NodeId};
use crate::network::Point;
use crate::observe::draws;

const LINE_MM: u32 = 2_500;

/// A lane with a camera each 20 m, and a pocket of 70 m beside it without any.
fn with_pocket() -> Sensors {
    Sensors::given(&[(120_000, &[100_000, 80_000, 60_000, 40_000, 20_000]), (70_000, &[])])
}

fn link(lanes: usize) -> Link {
    let ends = [Point { x_mm: 0, y_mm: 0 }, Point { x_mm: 120_000, y_mm: 0 }];
    Link {
        id: LinkId(0),
        name: String::new(),
        road: String::new(),
        from: NodeId(0),
        to: NodeId(1),
        length_mm: 120_000,
        free_speed_mm_s: 10_000,
        lanes: (0..lanes as u32).map(LaneId).collect(),
        district: crate::ids::DistrictId(0),
        shape: ends.to_vec(),
    }
}

/// Where vehicles are near the line, whole vehicles by lane, rounded, after every second up to `now_s` has been thought over.
struct Watch {
    sensors: Sensors,
    presents: Presents,
    link: Link,
    now_ms: u64,
}

impl Watch {
    fn new(sensors: Sensors) -> Self {
        let (presents, link) = (Presents::new(&sensors), link(sensors.lanes()));
        Watch { sensors, presents, link, now_ms: 0 }
    }

    fn see(&mut self, at_s: u64, vehicle: u64, lane: u8, to_line_mm: u32) {
        self.wait(at_s);
        let eye = self.sensors.eye(usize::from(lane), to_line_mm, to_line_mm == LINE_MM);
        self.presents.see(&self.sensors, VehicleId(vehicle), at_s * 1000, &eye);
    }

    fn wait(&mut self, until_s: u64) {
        while self.now_ms < until_s * 1000 {
            self.now_ms += 1000;
            self.presents.expire(self.now_ms);
            self.presents.doubt(&self.sensors, &self.link, self.now_ms, 1000);
        }
    }

    fn near(&self) -> Vec<u32> {
        let mut near = vec![0; self.sensors.lanes()];
        let arrivals = self.presents.arrivals(&self.link, self.now_ms, 1000);
        arrivals.iter().for_each(|arrival| near[usize::from(arrival.lane)] += arrival.milli);
        near
    }
}

#[test]
fn one_who_is_not_seen_by_the_next_camera_has_turned_into_the_pocket() {
    let mut watch = Watch::new(with_pocket());
    watch.see(10, 1, 0, 80_000);
    assert_eq!(watch.near(), [700, 300], "either lane, until the next camera is due");
    watch.wait(15);
    assert_eq!(watch.near(), [0, 1000]);
    watch.see(30, 1, 1, LINE_MM);
    assert_eq!(watch.near(), [0, 0]);
}

#[test]
fn one_behind_a_queue_may_stand_before_the_next_camera() {
    let mut watch = Watch::new(with_pocket());
    for n in 0..10 {
        [80_000, 60_000, 40_000, 20_000].iter().zip(0..).for_each(|(mm, k)| {
            if *mm >= 20_000 + 7_500 * (n as u32).saturating_sub(2) {
                watch.see(10 + 3 * n + k, n, 0, *mm)
            }
        });
    }
    watch.wait(100);
    let lanes = watch.near();
    assert!(lanes[0] >= 8_500 && lanes[0] + lanes[1] == 10_000, "{lanes:?}");
}

#[test]
fn one_who_is_overtaken_far_from_the_pocket_is_gone() {
    let mut watch = Watch::new(with_pocket());
    watch.see(10, 1, 0, 100_000);
    watch.see(20, 2, 0, 100_000);
    watch.see(22, 2, 0, 80_000);
    watch.see(23, 2, 0, 60_000);
    assert_eq!(watch.near(), [1000, 0], "the first stays behind on the way: only the second is left");
}

#[test]
fn one_who_is_missed_once_is_not_forgotten_at_once() {
    let mut watch = Watch::new(Sensors::given(&[(120_000, &[60_000, 20_000])]));
    watch.see(10, 1, 0, 60_000);
    watch.wait(25);
    assert_eq!(watch.near(), [1000], "the camera at 20 m is due since 14 s");
    watch.wait(40);
    assert_eq!(watch.near(), [500], "parked on the way, or at the line unseen");
    watch.wait(110);
    assert_eq!(watch.near(), [0]);
}

#[test]
fn a_dead_camera_is_found_out() {
    let mut watch = Watch::new(Sensors::given(&[(120_000, &[60_000, 20_000])]));
    for n in 0..4 {
        watch.see(10 + n, n, 0, 60_000);
        watch.see(20 + n, n, 0, LINE_MM);
    }
    watch.see(30, 9, 0, 60_000);
    watch.wait(130);
    assert_eq!(watch.near(), [1000], "nobody asks the dead camera at 20 m");
}

#[test]
fn one_in_the_pocket_is_gone_when_a_later_comer_leaves_it() {
    let mut watch = Watch::new(with_pocket());
    watch.see(10, 1, 0, 80_000);
    watch.see(20, 2, 0, 80_000);
    watch.wait(30);
    assert_eq!(watch.near(), [0, 2000]);
    watch.see(31, 2, 1, LINE_MM);
    assert_eq!(watch.near(), [0, 0]);
}

#[test]
fn only_those_not_overtaken_yet_are_looked_at_and_nobody_else_would_change() {
    let mut random = draws();
    let sensors = || Sensors::given(&[(120_000, &[100_000, 60_000, 20_000]), (120_000, &[60_000]), (70_000, &[])]);
    let (mut marked, mut unmarked) = (Watch::new(sensors()), Watch::new(sensors()));
    let mut changed = 0;
    for n in 0..20_000 {
        let (vehicle, kind, place) = (random(40), random(10), random(6) as usize);
        // Some come late.
        let time_ms = 100_000 + n * 200 - random(4) * random(3_000);
        let (row, to_line_mm) =
            [(0, 100_000), (0, 60_000), (0, 20_000), (1, 60_000), (0, LINE_MM), (1, LINE_MM)][place];
        for watch in [&mut marked, &mut unmarked] {
            let Watch { sensors, presents, .. } = watch;
            match kind {
                0..3 => presents.expect(sensors, VehicleId(vehicle), (LaneId(vehicle as u32 % 3), 2), time_ms, 120_000),
                3 => presents.remove(VehicleId(vehicle)),
                4 => presents.expire(time_ms),
                _ => {
                    let eye = sensors.eye(row, to_line_mm, to_line_mm == LINE_MM);
                    presents.see(sensors, VehicleId(vehicle), time_ms, &eye);
                }
            }
        }
        unmarked.presents.overtaken_ms.fill(0);
        let all = |watch: &Watch| postcard::to_stdvec(&(&watch.presents.coming, &watch.presents.rows)).unwrap();
        assert_eq!(all(&marked), all(&unmarked), "after {n}");
        changed += usize::from(marked.presents.coming.iter().any(|v| v.passed > 0));
    }
    assert!(changed > 1_000, "{changed}");
}

#[test]
fn who_waits_in_the_junction_is_not_overtaken_by_those_who_come_from_other_lanes() {
    let sensors = || Sensors::given(&[(120_000, &[119_000, 60_000])]);
    let waits = |later_from: u32, later_s: u64| {
        let mut watch = Watch::new(sensors());
        let Watch { sensors, presents, .. } = &mut watch;
        for (vehicle, from, at_s) in [(1, 0, 100), (2, later_from, later_s)] {
            presents.expect(sensors, VehicleId(vehicle), (LaneId(from), 2), at_s * 1000, 120_000);
        }
        watch.now_ms = later_s * 1000;
        watch.see(later_s + 2, 2, 0, 119_000);
        watch.presents.coming.iter().any(|first| first.ways != 0)
    };
    assert!(!waits(0, 102), "its own lane keeps its order");
    assert!(waits(1, 102), "it waits for a gap");
    assert!(!waits(1, 115), "by now it would have found one");
}
