//! Cameras for a closed loop with SUMO, in place of those at every lane's end.
//!
//! In SUMO a vehicle stops a metre before the end of its lane. A stop-line camera here sees who leaves the lane, not who
//! waits at its end.

use std::collections::BTreeSet;

use nanming_dataflows::ids::*;
use nanming_dataflows::network::{Camera, CameraKind, City, Lane, Turn};

use crate::course::place_at;

/// So far upstream of a signal vehicles are of interest to it, mm.
const REACH_MM: u32 = 300_000;
/// Between two cameras where places are to be known as if exactly, mm.
const DENSE_MM: u32 = 20_000;
/// The first camera of a lane stands so far behind its beginning, mm.
const BEGINNING_MM: u32 = 1_000;

/// Cameras so dense that the places of vehicles are known almost exactly: each 20 m on every lane for cars that leads to a
/// signal within 300 m, at the beginning of every other one behind a signal, and at the end of all.
pub fn with_dense_cameras(city: &mut City) {
    let leads = leads_to_signal(city, REACH_MM);
    let behind: BTreeSet<LaneId> = city.movements.iter().filter(|m| m.signal.is_some()).map(|m| m.to).collect();
    let places = |lane: &Lane| match leads[lane.id.index()] {
        true => {
            let first = beginning(lane).filter(|mm| mm % DENSE_MM != 0);
            (DENSE_MM..lane.length_mm).step_by(DENSE_MM as usize).chain(first).collect()
        }
        false if behind.contains(&lane.id) => beginning(lane).into_iter().collect(),
        false => Vec::new(),
    };
    place(city, places);
}

/// Cameras as they are in the street: one at the end of each lane for cars and, if it leads to a signal, one so far before, or
/// at the beginning of a shorter lane.
pub fn with_detectors(city: &mut City, upstream_mm: u32) {
    let leads = leads_to_signal(city, 1);
    let places = |lane: &Lane| match leads[lane.id.index()] {
        true => vec![upstream_mm.min(beginning(lane).unwrap_or(0))],
        false => Vec::new(),
    };
    place(city, places);
}

/// Where a network ends its streets have a way back, which hardly anybody takes: vehicles end their trips there. Without it
/// they are not expected to come back.
pub fn without_ways_back(city: &mut City) {
    let is_back = |m: &MovementId| {
        let movement = &city.movements[m.index()];
        movement.turn == Turn::UTurn && movement.signal.is_none()
    };
    let ends = city.lanes.iter().filter(|lane| lane.movements.iter().all(is_back));
    let mut gone = vec![false; city.movements.len()];
    ends.flat_map(|lane| &lane.movements).for_each(|m| gone[m.index()] = true);
    let mut left = 0..;
    let new: Vec<Option<MovementId>> =
        gone.iter().map(|gone| if *gone { None } else { left.next().map(MovementId::from_index) }).collect();
    let renumber = |all: &mut Vec<MovementId>| *all = all.iter().filter_map(|m| new[m.index()]).collect();
    city.lanes.iter_mut().for_each(|lane| renumber(&mut lane.movements));
    city.junctions.iter_mut().flat_map(|j| &mut j.heads).for_each(|head| renumber(&mut head.movements));
    city.movements.retain_mut(|movement| new[movement.id.index()].map(|id| movement.id = id).is_some());
}

fn beginning(lane: &Lane) -> Option<u32> {
    lane.length_mm.checked_sub(BEGINNING_MM)
}

/// By lane: whether a signal is at its end or within reach behind.
fn leads_to_signal(city: &City, reach_mm: u32) -> Vec<bool> {
    let mut feeders = vec![Vec::new(); city.lanes.len()];
    city.movements.iter().for_each(|m| feeders[m.to.index()].push(m.from));
    let mut nearest_mm = vec![u32::MAX; city.lanes.len()];
    let mut todo: Vec<(u32, LaneId)> =
        city.movements.iter().filter(|m| m.signal.is_some()).map(|m| (0, m.from)).collect();
    while let Some((behind_mm, lane)) = todo.pop() {
        let row = lane.index();
        if behind_mm >= reach_mm || behind_mm >= nearest_mm[row] {
            continue;
        }
        nearest_mm[row] = behind_mm;
        let further_mm = behind_mm.saturating_add(city.lanes[row].length_mm);
        todo.extend(feeders[row].iter().map(|feeder| (further_mm, *feeder)));
    }
    nearest_mm.into_iter().map(|mm| mm < reach_mm).collect()
}

/// Cameras at the ends of all lanes for cars, and at places before, mm.
fn place(city: &mut City, before_mm: impl Fn(&Lane) -> Vec<u32>) {
    let mut cameras = Vec::new();
    for lane in city.lanes.iter().filter(|lane| lane.motor) {
        let mid = before_mm(lane).into_iter().filter(|mm| *mm > super::equipment::STOP_LINE_MM);
        let all = std::iter::once((0, CameraKind::StopLine)).chain(mid.map(|mm| (mm, CameraKind::MidLink)));
        for (mm, kind) in all {
            let link = city.link_of(lane.id);
            cameras.push(Camera {
                id: CameraId::from_index(cameras.len()),
                name: format!("{}@{mm}", lane.name),
                kind,
                at: place_at(&link.shape, u64::from(link.length_mm.saturating_sub(mm))),
                lane: Some((lane.id, mm)),
                venue: None,
                site: None,
            });
        }
    }
    city.cameras = cameras;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_lane_before_a_signal_has_its_line_and_what_is_upstream() {
        let mut city = crate::town::small(2, 2, 1);
        let signalled: std::collections::BTreeSet<LaneId> =
            city.movements.iter().filter(|m| m.signal.is_some()).map(|m| m.from).collect();
        with_detectors(&mut city, 60_000);
        city.check().unwrap();
        let motor = city.lanes.iter().filter(|lane| lane.motor).count();
        assert_eq!(city.cameras.len(), motor + signalled.len());
        with_dense_cameras(&mut city);
        city.check().unwrap();
        for lane in signalled {
            let mut mm: Vec<u32> =
                city.cameras.iter().filter_map(|c| c.lane).filter(|(l, _)| *l == lane).map(|(_, mm)| mm).collect();
            mm.sort_unstable();
            let gap_mm = mm.windows(2).map(|w| w[1] - w[0]).max();
            assert!(mm[0] == 0 && gap_mm <= Some(DENSE_MM), "{mm:?}");
        }
    }

    #[test]
    fn who_leaves_the_network_is_not_expected_back() {
        let mut city = crate::town::small(2, 2, 1);
        without_ways_back(&mut city);
        city.check().unwrap();
        let end = city.movements.iter().find(|m| m.signal.is_some()).unwrap().clone();
        // One lane's only way is back; all that follow get other numbers.
        city.movements.iter_mut().filter(|m| m.from == end.from).for_each(|m| (m.turn, m.signal) = (Turn::UTurn, None));
        let own = city.lanes[end.from.index()].movements.clone();
        city.junctions.iter_mut().flat_map(|j| &mut j.heads).for_each(|h| h.movements.retain(|m| !own.contains(m)));
        let before = city.movements.len();
        without_ways_back(&mut city);
        assert!(city.lanes[end.from.index()].movements.is_empty());
        assert_eq!(city.movements.len(), before - own.len());
        city.check().unwrap();
    }
}
