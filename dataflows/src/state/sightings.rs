//! Where each vehicle was last seen, and what that tells the links.
//!
//! A vehicle seen at a stop line has left its link and is on one of the links that its lane leads to; which one is known
//! when it is seen again. Every sighting also carries the way and the time since the one before.

use std::hint::black_box;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

use super::link::{LinkEvent, Observation};
use crate::Time;
use crate::event::Passage;
use crate::ids::{CameraId, LaneId, LinkId, MovementId, VehicleId};
use crate::keyed::{Machine, Outbox};
use crate::network::{Camera, City};

/// A vehicle not seen for so long has left the streets, ms.
const RETENTION_MS: u64 = 600_000;
/// A vehicle that took longer between two cameras has stopped for reasons of its own, ms.
const LONGEST_HOP_MS: u64 = 300_000;

/// The machine of sightings, by vehicle.
pub struct Sightings {
    city: Arc<City>,
    /// By camera. Apart from all else that is known of cameras: many are asked for in no order.
    spots: Vec<Option<Spot>>,
    /// The links that each lane leads to, without repeats.
    next: Vec<Vec<LinkId>>,
}

/// Where a camera sees vehicles.
#[derive(Clone, Copy)]
struct Spot {
    link: LinkId,
    lane: LaneId,
    to_line_mm: u32,
    at_line: bool,
}

impl Sightings {
    /// For a city's cameras.
    pub fn new(city: Arc<City>) -> Self {
        let at_line = at_line(&city);
        let spot = |camera: &Camera| {
            let (lane, to_line_mm) = camera.lane?;
            let (link, at_line) = (city.lanes[lane.index()].link, at_line[camera.id.index()]);
            Some(Spot { link, lane, to_line_mm, at_line })
        };
        let spots = city.cameras.iter().map(spot).collect();
        let next = city.lanes.iter().map(|lane| next_links(&city, &lane.movements)).collect();
        Sightings { city, spots, next }
    }
}

fn next_links(city: &City, movements: &[MovementId]) -> Vec<LinkId> {
    let to = |m: &MovementId| city.lanes[city.movements[m.index()].to.index()].link;
    let mut links: Vec<LinkId> = movements.iter().map(to).collect();
    links.sort_unstable();
    links.dedup();
    links
}

/// What is remembered of a vehicle.
#[derive(Default, Serialize, Deserialize)]
pub struct Sighting {
    time_ms: u64,
    /// Where it is taken to be: links, and how far from each one's end it was last known to be, mm.
    on: SmallVec<[(LinkId, u32); 3]>,
}

impl Machine for Sightings {
    type Key = VehicleId;
    type Event = Passage;
    type State = Sighting;
    type Out = (LinkId, LinkEvent);

    fn name(&self) -> &'static str {
        "sightings"
    }

    const LOOKS: usize = 1;

    fn look_ahead(&self, _: usize, last: &Sighting, events: &[(VehicleId, Passage)]) {
        black_box(last.on.first().is_some_and(|(_, mm)| u64::from(*mm) < last.time_ms));
        for (_, passage) in events {
            black_box(self.spots[passage.camera.index()].is_some());
        }
    }

    fn step(
        &self,
        vehicle: VehicleId,
        last: &mut Sighting,
        tick: Time,
        events: &[(VehicleId, Passage)],
        out: &mut Outbox<Self::Out>,
    ) {
        for (_, passage) in events {
            self.sight(vehicle, last, passage, out);
        }
        if events.is_empty() {
            out.forget();
        } else {
            out.wake_at(tick + RETENTION_MS);
        }
    }
}

impl Sightings {
    fn sight(&self, vehicle: VehicleId, last: &mut Sighting, passage: &Passage, out: &mut Outbox<(LinkId, LinkEvent)>) {
        let Some(Spot { link, lane, to_line_mm, at_line }) = self.spots[passage.camera.index()] else { return };
        let mut tell = |link, what| out.emit((link, LinkEvent { time_ms: passage.time_ms, what }));
        if passage.time_ms < last.time_ms {
            // Late: it has been seen elsewhere since, and counts only where it was.
            return tell(link, Observation::Counted { at_line, vehicles: 1, known: 1, speed_mm_s: passage.speed_mm_s });
        }
        for &(other, _) in last.on.iter().filter(|(other, _)| *other != link) {
            tell(other, Observation::Gone { vehicle });
        }
        let took_ms = passage.time_ms.saturating_sub(last.time_ms);
        let known = last.on.iter().find(|(other, _)| *other == link).filter(|_| took_ms < LONGEST_HOP_MS);
        let moved_mm = known.map_or(0, |(_, before_mm)| before_mm.saturating_sub(to_line_mm));
        let took_ms = if known.is_some() { took_ms as u32 } else { 0 };
        tell(link, Observation::Seen { vehicle, camera: passage.camera, moved_mm, took_ms });
        last.time_ms = passage.time_ms;
        last.on.clear();
        if !at_line {
            last.on.push((link, to_line_mm));
            return;
        }
        let next = &self.next[lane.index()];
        for &to in next {
            let length_mm = self.city.links[to.index()].length_mm;
            tell(to, Observation::Expected { vehicle, from: lane, of: next.len() as u8 });
            last.on.push((to, length_mm));
        }
    }
}

/// A camera closer to the line than this sees vehicles leave, if it is the last one of its lane, mm.
const STOP_LINE_MM: u32 = 6_000;

/// By camera: whether it sees vehicles leave their lane. One lane has one such camera, or none.
pub(crate) fn at_line(city: &City) -> Vec<bool> {
    let mut last: Vec<Option<(u32, CameraId)>> = vec![None; city.lanes.len()];
    for camera in &city.cameras {
        let Some((lane, to_line_mm)) = camera.lane.filter(|(_, mm)| *mm <= STOP_LINE_MM) else { continue };
        let place = &mut last[lane.index()];
        *place = Some((to_line_mm, camera.id)).min(place.or(Some((u32::MAX, camera.id))));
    }
    let mut at_line = vec![false; city.cameras.len()];
    last.into_iter().flatten().for_each(|(_, camera)| at_line[camera.index()] = true);
    at_line
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::{CameraKind, Lane, Point};

    #[test]
    fn a_lane_has_one_line_camera_the_last_within_reach_of_its_end() {
        let lane = |row| Lane {
            id: LaneId(row),
            name: String::new(),
            link: LinkId(0),
            length_mm: 100_000,
            motor: true,
            movements: Vec::new(),
        };
        let places = [(0, 5_000), (0, 2_500), (0, 2_500), (0, 20_000), (1, 6_001), (2, 6_000)];
        let camera = |(row, (lane, before_mm)): (usize, &(u32, u32))| Camera {
            id: CameraId::from_index(row),
            name: String::new(),
            kind: CameraKind::MidLink,
            at: Point::default(),
            lane: Some((LaneId(*lane), *before_mm)),
            venue: None,
            site: None,
        };
        let cameras = places.iter().enumerate().map(camera).collect();
        let city = City { lanes: (0..3).map(lane).collect(), cameras, ..City::default() };
        assert_eq!(at_line(&city), [false, true, false, false, false, true]);
    }
}
