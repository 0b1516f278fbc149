//! The cameras of a link, lane by lane, and which of them can be relied on.

use serde::{Deserialize, Serialize};

use super::super::sightings::at_line;
use super::window::Place;
use crate::network::{Camera, City, Link};

/// A lane that is shorter than its link by more than this begins as a pocket beside another, mm.
const POCKET_MM: u32 = 1_000;
/// A camera so near a lane's beginning sees at once who comes, mm.
const BEGINNING_MM: u32 = 10_000;
/// A camera that sees less of the vehicles that pass it is not relied on, 1/1000: it is dead, or a loop.
const RELIABLE_MILLI: i32 = 700;

/// The cameras of a link.
#[derive(Default)]
pub(super) struct Sensors {
    /// Cameras that see vehicles leave.
    pub(super) stop_line: u32,
    /// Cameras further back.
    pub(super) mid_link: u32,
    lanes: Vec<Lane>,
}

#[derive(Default)]
struct Lane {
    length_mm: u32,
    /// Whether it leads anywhere.
    leads: bool,
    pocket: bool,
    /// Places of its mid-link cameras, mm before its end, the one that is passed first before the others.
    mid_mm: Vec<u32>,
}

/// A camera as its link sees it.
#[derive(Clone, Copy, Default)]
pub(super) struct Eye {
    /// Row of its lane in the link.
    pub(super) row: u8,
    /// How far before the lane's end, mm.
    pub(super) to_line_mm: u32,
    /// Lanes by which one may leave who is seen here, a bit each.
    pub(super) ways: u32,
    /// Mid-link cameras of its lane that one has passed who is seen here: the first ones.
    passed: u32,
    /// Whether it sees vehicles leave.
    pub(super) at_line: bool,
}

impl Sensors {
    /// The cameras of a city by their rows; those that watch no lane are not asked for.
    pub(super) fn eyes(city: &City, sensors: &[Sensors]) -> Vec<Eye> {
        let at_line = at_line(city);
        let eye = |camera: &Camera| {
            let (lane, to_line_mm) = camera.lane?;
            let link = city.link_of(lane);
            let row = link.lanes.iter().position(|l| *l == lane)?;
            Some(sensors[link.id.index()].eye(row, to_line_mm, at_line[camera.id.index()]))
        };
        city.cameras.iter().map(|camera| eye(camera).unwrap_or_default()).collect()
    }

    /// A camera at a place of a lane.
    pub(super) fn eye(&self, row: usize, to_line_mm: u32, at_line: bool) -> Eye {
        let passed = self.lanes[row].mid_mm.partition_point(|mm| *mm >= to_line_mm) as u32;
        Eye { row: row as u8, to_line_mm, ways: self.ways(row, to_line_mm), passed, at_line }
    }

    /// For each link of a city.
    pub(super) fn of_links(city: &City) -> Vec<Sensors> {
        let mut all: Vec<Sensors> = city.links.iter().map(|link| Sensors::without_cameras(city, link)).collect();
        let at_line = at_line(city);
        for camera in &city.cameras {
            let Some((lane, to_line_mm)) = camera.lane else { continue };
            let link = city.link_of(lane);
            let sensors = &mut all[link.id.index()];
            if at_line[camera.id.index()] {
                sensors.stop_line += 1;
                continue;
            }
            sensors.mid_link += 1;
            let place = link.lanes.iter().position(|l| *l == lane).unwrap_or(0);
            sensors.lanes[place].mid_mm.push(to_line_mm);
        }
        let sort = |lane: &mut Lane| lane.mid_mm.sort_unstable_by_key(|mm| std::cmp::Reverse(*mm));
        all.iter_mut().flat_map(|s| &mut s.lanes).for_each(sort);
        all
    }

    fn without_cameras(city: &City, link: &Link) -> Sensors {
        let lane = |l: &crate::ids::LaneId| {
            let lane = &city.lanes[l.index()];
            let pocket = lane.length_mm + POCKET_MM < link.length_mm;
            Lane { length_mm: lane.length_mm, leads: !lane.movements.is_empty(), pocket, mid_mm: Vec::new() }
        };
        Sensors { lanes: link.lanes.iter().map(lane).collect(), ..Sensors::default() }
    }

    /// Lanes of given lengths with cameras at given places, mm before the end; all lead on, those shorter than the first
    /// are pockets.
    #[cfg(test)]
    pub(super) fn given(lanes: &[(u32, &[u32])]) -> Sensors {
        let lane = |&(length_mm, mid_mm): &(u32, &[u32])| Lane {
            length_mm,
            leads: true,
            pocket: length_mm < lanes[0].0,
            mid_mm: mid_mm.to_vec(),
        };
        Sensors { lanes: lanes.iter().map(lane).collect(), ..Sensors::default() }
    }

    /// Those that count.
    pub(super) fn place(&self) -> Place {
        Place { has_line: self.stop_line > 0, per_lane: f64::from(self.mid_link) / self.lanes.len().max(1) as f64 }
    }

    /// The number of lanes.
    pub(super) fn lanes(&self) -> usize {
        self.lanes.len()
    }

    /// Lanes that lead anywhere, a bit each.
    pub(super) fn leading(&self) -> u32 {
        self.mask(|lane| lane.leads)
    }

    /// Lanes by which one may leave who was seen on `lane`, `to_line_mm` before its end: itself, pockets that are still
    /// ahead, and lanes beside it without a camera from there to the line.
    fn ways(&self, lane: usize, to_line_mm: u32) -> u32 {
        let open = |other: &Lane| {
            let from_mm = to_line_mm.min(other.length_mm);
            other.leads
                && (!other.pocket || other.length_mm <= to_line_mm)
                && other.mid_mm.last().is_none_or(|mm| *mm >= from_mm)
        };
        self.mask(open) | bit(lane)
    }

    /// Those of `ways` that one who was seen on `lane` may be in without having passed the place `next_mm` on it.
    pub(super) fn aside(&self, ways: u32, lane: usize, next_mm: u32) -> u32 {
        self.mask(|other| other.length_mm > next_mm) & ways & !bit(lane)
    }

    /// The next camera that can be relied on beyond a place of a lane, mm before the line; 0 where only the line is left.
    pub(super) fn next_mm(&self, trust: &Trust, lane: usize, to_line_mm: u32) -> u32 {
        let mid = &self.lanes[lane].mid_mm;
        let ahead = mid.partition_point(|mm| *mm >= to_line_mm);
        (ahead..mid.len()).find(|c| trust.relies_on(lane, *c)).map_or(0, |c| mid[c])
    }

    /// Whether a camera that can be relied on sees who comes to the end of a lane: its own or, for a pocket, one beside it.
    pub(super) fn watches(&self, trust: &Trust, lane: usize) -> bool {
        let sees = |row: usize| (0..self.lanes[row].mid_mm.len()).any(|camera| trust.relies_on(row, camera));
        let beside = |row: usize| self.lanes[lane].pocket && !self.lanes[row].pocket && sees(row);
        sees(lane) || (0..self.lanes.len()).any(beside)
    }

    /// Whether a camera stands at the beginning of a lane.
    pub(super) fn sees_beginning(&self, lane: usize) -> bool {
        let Lane { length_mm, mid_mm, .. } = &self.lanes[lane];
        mid_mm.first().is_some_and(|first_mm| first_mm + BEGINNING_MM >= *length_mm)
    }

    /// Whether cameras that can be relied on see at once who comes onto those lanes that are not pockets.
    pub(super) fn begins_watched(&self, trust: &Trust, ways: u32) -> bool {
        // Where a link ends the network, none of its lanes leads on.
        let onto = |lane: &usize| if ways == 0 { !self.lanes[*lane].mid_mm.is_empty() } else { ways & bit(*lane) != 0 };
        let lanes = (0..self.lanes.len()).filter(|lane| onto(lane) && !self.lanes[*lane].pocket);
        let mut watched =
            lanes.map(|lane| self.next_mm(trust, lane, u32::MAX) + BEGINNING_MM >= self.lanes[lane].length_mm);
        watched.next().is_some_and(|first| first && watched.all(|w| w))
    }

    fn mask(&self, holds: impl Fn(&Lane) -> bool) -> u32 {
        self.lanes.iter().enumerate().filter(|(_, lane)| holds(lane)).fold(0, |mask, (row, _)| mask | bit(row))
    }
}

/// The share of passing vehicles that each mid-link camera sees, learned.
#[derive(Default, Serialize, Deserialize)]
pub(super) struct Trust {
    /// By lane and camera, 1/1000.
    seen_milli: Vec<Vec<i32>>,
}

impl Trust {
    /// In all cameras.
    pub(super) fn new(sensors: &Sensors) -> Self {
        Trust { seen_milli: sensors.lanes.iter().map(|l| vec![1000; l.mid_mm.len()]).collect() }
    }

    fn relies_on(&self, lane: usize, camera: usize) -> bool {
        self.seen_milli[lane][camera] >= RELIABLE_MILLI
    }

    /// Reads what [`learn`](Self::learn) will read.
    pub(super) fn look(&self, sensors: &Sensors, eye: &Eye) -> usize {
        let (row, last) = (usize::from(eye.row), (eye.passed as usize).saturating_sub(1));
        let mm = sensors.lanes[row].mid_mm.get(last).copied().unwrap_or(0);
        mm as usize + self.seen_milli[row].get(last).map_or(0, |share| *share as usize)
    }

    /// A vehicle that was last seen at a place of a camera's lane is seen by the camera.
    pub(super) fn learn(&mut self, sensors: &Sensors, from_mm: u32, eye: &Eye) {
        let mid = &sensors.lanes[usize::from(eye.row)].mid_mm;
        let shares = &mut self.seen_milli[usize::from(eye.row)];
        let between = mid.iter().zip(shares).take(eye.passed as usize).rev().take_while(|(mm, _)| **mm < from_mm);
        for (mm, share) in between {
            *share += (if *mm == eye.to_line_mm { 1000 } else { 0 } - *share) / 8;
        }
    }
}

/// The bit of a lane; beyond 32 lanes two share one.
pub(super) fn bit(lane: usize) -> u32 {
    1 << (lane & 31)
}
