//! Cameras: checkpoints at every signal's stop lines, crowd counters, site cameras, and the rest along the links.
//!
//! A lane has many mid-link cameras one behind the other: every vehicle passes all of them, so their counts are never to
//! be added up.

use nanming_dataflows::ids::*;
use nanming_dataflows::network::{Camera, CameraKind, City, Point};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::{Draw, stream};
use crate::course::place_at;

/// How far before the lane's end a stop-line camera reads plates, mm.
const STOP_LINE_MM: u32 = 2_500;
/// Cameras at a building site.
const PER_SITE: usize = 12;
/// People for each crowd camera of a venue.
const PEOPLE_PER_CAMERA: u32 = 80;

/// Mounts `count` cameras: stop-line, crowd and site cameras as the city needs them, mid-link cameras with what is left.
pub(crate) fn mount(city: &mut City, count: usize, seed: u64) {
    let mut rng = stream(seed, Draw::Cameras);
    let mut cameras = stop_line(city);
    cameras.extend(crowd(city, &mut rng));
    cameras.extend(site(city, &mut rng));
    let left = count.saturating_sub(cameras.len());
    cameras.extend(mid_link(city, left));
    for (row, camera) in cameras.iter_mut().enumerate() {
        camera.id = CameraId::from_index(row);
        camera.name = device_id(row, camera.kind);
    }
    city.cameras = cameras;
}

/// 20 digits as GB/T 28181 has them: area 52 01 00 00, trade 01 (traffic), type 131 (camera) or 132 (network camera),
/// network 5, serial number.
fn device_id(row: usize, kind: CameraKind) -> String {
    let device = if kind == CameraKind::StopLine { 131 } else { 132 };
    format!("5201000001{device}5{row:06}")
}

fn camera(kind: CameraKind, at: Point) -> Camera {
    Camera { id: CameraId(0), name: String::new(), kind, at, lane: None, venue: None, site: None }
}

/// A camera over a lane, `before_mm` before its end.
pub(crate) fn over_lane(city: &City, kind: CameraKind, lane: LaneId, before_mm: u32) -> Camera {
    let link = city.link_of(lane);
    let at = place_at(&link.shape, u64::from(link.length_mm.saturating_sub(before_mm)));
    Camera { lane: Some((lane, before_mm)), ..camera(kind, at) }
}

fn stop_line(city: &City) -> Vec<Camera> {
    let signal = |link: LinkId| city.nodes[city.links[link.index()].to.index()].junction.is_some();
    let lanes = city.lanes.iter().filter(|l| l.motor && signal(l.link));
    lanes.map(|l| over_lane(city, CameraKind::StopLine, l.id, STOP_LINE_MM)).collect()
}

fn crowd(city: &City, rng: &mut ChaCha8Rng) -> Vec<Camera> {
    let mut cameras = Vec::new();
    for venue in &city.venues {
        for _ in 0..(venue.capacity / PEOPLE_PER_CAMERA).max(1) {
            let at = near(venue.at, 60_000, rng);
            cameras.push(Camera { venue: Some(venue.id), ..camera(CameraKind::Crowd, at) });
        }
    }
    cameras
}

fn site(city: &City, rng: &mut ChaCha8Rng) -> Vec<Camera> {
    let mut cameras = Vec::new();
    for site in &city.sites {
        for _ in 0..PER_SITE {
            cameras.push(Camera { site: Some(site.id), ..camera(CameraKind::Site, near(site.at, 40_000, rng)) });
        }
    }
    cameras
}

fn near(at: Point, within_mm: i32, rng: &mut ChaCha8Rng) -> Point {
    let mut off = || rng.random_range(-within_mm..=within_mm);
    Point { x_mm: at.x_mm + off(), y_mm: at.y_mm + off() }
}

/// `count` cameras over the full-length lanes, in rounds: each round gives every lane one more, evenly spaced in the end.
fn mid_link(city: &City, count: usize) -> Vec<Camera> {
    let full = |l: &&nanming_dataflows::network::Lane| l.length_mm == city.links[l.link.index()].length_mm;
    let lanes: Vec<LaneId> = city.lanes.iter().filter(full).map(|l| l.id).collect();
    let mut cameras = Vec::with_capacity(count);
    for (k, lane) in lanes.iter().enumerate() {
        let share = count * (k + 1) / lanes.len() - count * k / lanes.len();
        let length_mm = city.lanes[lane.index()].length_mm;
        for n in 1..=share {
            let before_mm = (u64::from(length_mm) * n as u64 / (share as u64 + 1)) as u32;
            cameras.push(over_lane(city, CameraKind::MidLink, *lane, before_mm));
        }
    }
    cameras
}
