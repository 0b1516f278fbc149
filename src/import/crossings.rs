//! Where vehicles go by cameras between two looks at them.

use nanming_dataflows::ids::{CameraId, LaneId, LinkId};
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

/// The city's cameras along its lanes.
pub(crate) struct Crossings {
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
        Crossings { cameras, length_mm, link: city.lanes.iter().map(|lane| lane.link).collect(), next }
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
