//! Where vehicles go by cameras between two looks at them.

use std::collections::HashMap;

use nanming_dataflows::event::{Passage, VehicleClass};
use nanming_dataflows::ids::{CameraId, LaneId, LinkId, VehicleId};
use nanming_dataflows::network::{CameraKind, City};

/// A vehicle at a moment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Look {
    pub(crate) time_ms: f64,
    /// Its lane, if it is one of the city's: none inside a junction.
    pub(crate) lane: Option<LaneId>,
    /// From the beginning of the lane, mm.
    pub(crate) at_mm: f64,
    pub(crate) speed_mm_s: f64,
}

/// A vehicle went by.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Crossing {
    pub(crate) camera: CameraId,
    pub(crate) time_ms: f64,
    pub(crate) speed_mm_s: f64,
}

/// A vehicle, and the last look at it.
pub(crate) struct Tracked {
    pub(crate) look: Look,
    pub(crate) vehicle: VehicleId,
    pub(crate) class: VehicleClass,
}

impl Tracked {
    /// It is looked at again: what cameras have seen of it in between.
    pub(crate) fn moves(&mut self, now: Look, crossings: &Crossings) -> Vec<Passage> {
        let passed = crossings.between(&self.look, &now);
        self.look = now;
        passed.into_iter().map(|crossing| self.passage(crossing)).collect()
    }

    /// It is not seen any more: it drove on as it did until now, by the last cameras of its lane.
    pub(crate) fn drives_on(&mut self, now_ms: f64, crossings: &Crossings) -> Vec<Passage> {
        let driven_mm = self.look.speed_mm_s * (now_ms - self.look.time_ms) / 1000.0;
        let now = Look { time_ms: now_ms, at_mm: self.look.at_mm + driven_mm, ..self.look };
        self.moves(now, crossings)
    }

    pub(crate) fn passage(&self, crossing: Crossing) -> Passage {
        let Crossing { camera, time_ms, speed_mm_s } = crossing;
        let (time_ms, speed_mm_s) = (time_ms.round() as u64, speed_mm_s.round() as u32);
        Passage { time_ms, camera, vehicle: self.vehicle, speed_mm_s, class: self.class }
    }
}

/// The city's cameras along its lanes.
pub(crate) struct Crossings {
    lanes: HashMap<String, LaneId>,
    /// Cameras of each lane, from its beginning, with their places in mm.
    cameras: Vec<Vec<(f64, CameraId)>>,
    length_mm: Vec<f64>,
    link: Vec<LinkId>,
    /// Links that follow each link.
    next: Vec<Vec<LinkId>>,
}

impl Crossings {
    pub(crate) fn new(city: &City) -> Crossings {
        let mut cameras = vec![Vec::new(); city.lanes.len()];
        for camera in city.cameras.iter().filter(|c| matches!(c.kind, CameraKind::StopLine | CameraKind::MidLink)) {
            if let Some((lane, before_mm)) = camera.lane {
                let length_mm = city.lanes[lane.index()].length_mm;
                cameras[lane.index()].push((f64::from(length_mm.saturating_sub(before_mm)), camera.id));
            }
        }
        cameras.iter_mut().for_each(|c| c.sort_by(|a, b| a.0.total_cmp(&b.0)));
        let mut next = vec![Vec::new(); city.links.len()];
        for lane in &city.lanes {
            let onto = lane.movements.iter().map(|m| city.lanes[city.movements[m.index()].to.index()].link);
            next[lane.link.index()].extend(onto);
        }
        let length_mm = city.lanes.iter().map(|lane| f64::from(lane.length_mm)).collect();
        let lanes = city.lanes.iter().map(|lane| (lane.name.clone(), lane.id)).collect();
        Crossings { lanes, cameras, length_mm, link: city.lanes.iter().map(|lane| lane.link).collect(), next }
    }

    /// A lane of the city by its name.
    pub(crate) fn lane(&self, name: &str) -> Option<LaneId> {
        self.lanes.get(name).copied()
    }

    /// Cameras that a vehicle went by from one look to the next. It is taken to have moved evenly in between.
    pub(crate) fn between(&self, before: &Look, now: &Look) -> Vec<Crossing> {
        let lasted_ms = (now.time_ms - before.time_ms).max(0.0);
        let driven_mm = (before.speed_mm_s + now.speed_mm_s) / 2.0 * lasted_ms / 1000.0;
        let (Some((way, length_mm)), true) = (self.way(before, now, driven_mm), lasted_ms > 0.0) else {
            return Vec::new();
        };
        let crossing = |(camera, after_mm): (CameraId, f64)| {
            let share = (after_mm / length_mm).clamp(0.0, 1.0);
            let speed_mm_s = before.speed_mm_s + (now.speed_mm_s - before.speed_mm_s) * share;
            Crossing { camera, time_ms: before.time_ms + lasted_ms * share, speed_mm_s }
        };
        way.into_iter().map(crossing).collect()
    }

    /// The cameras on its way with their distances from where it was, and how long the way was.
    fn way(&self, before: &Look, now: &Look, driven_mm: f64) -> Option<(Vec<(CameraId, f64)>, f64)> {
        match (before.lane, now.lane) {
            (Some(from), Some(to)) if self.link[from.index()] == self.link[to.index()] => {
                let way = self.on(to, before.at_mm, now.at_mm, before.at_mm);
                Some((way, (now.at_mm - before.at_mm).max(1.0)))
            }
            (Some(from), Some(to)) => {
                let follows = self.next[self.link[from.index()].index()].contains(&self.link[to.index()]);
                let left_mm = self.length_mm[from.index()] - before.at_mm;
                let length_mm = (left_mm + now.at_mm).max(driven_mm).max(1.0);
                // Elsewhere it was put by hand.
                follows.then(|| {
                    let mut way = self.on(from, before.at_mm, f64::INFINITY, before.at_mm);
                    way.extend(self.on(to, -1.0, now.at_mm, now.at_mm - length_mm));
                    (way, length_mm)
                })
            }
            (Some(from), None) => {
                let left_mm = (self.length_mm[from.index()] - before.at_mm).max(0.0);
                Some((
                    self.on(from, before.at_mm, f64::INFINITY, before.at_mm),
                    (left_mm + now.at_mm).max(driven_mm).max(1.0),
                ))
            }
            (None, Some(to)) => {
                let length_mm = now.at_mm.max(driven_mm).max(1.0);
                Some((self.on(to, -1.0, now.at_mm, now.at_mm - length_mm), length_mm))
            }
            (None, None) => None,
        }
    }

    /// Cameras of a lane after one place and up to another, with their distances from a third.
    fn on(&self, lane: LaneId, after_mm: f64, to_mm: f64, from_mm: f64) -> Vec<(CameraId, f64)> {
        let here = self.cameras[lane.index()].iter().filter(|(at, _)| after_mm < *at && *at <= to_mm);
        here.map(|(at, camera)| (*camera, at - from_mm)).collect()
    }
}
