//! What a network does not have: cameras, patrol grids, patrol units.

use nanming_dataflows::event::Skills;
use nanming_dataflows::ids::*;
use nanming_dataflows::network::{Camera, CameraKind, City, Grid, Point, Unit};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

use crate::course::place_at;

/// How far before the lane's end a camera reads plates, mm.
pub(super) const STOP_LINE_MM: u32 = 2_500;
/// Patrol grids along each side.
const GRIDS: i64 = 4;
/// Room around the network, mm.
const MARGIN_MM: i32 = 50_000;

/// Adds a stop-line camera for each motor lane, named like it, and 4 x 4 patrol grids.
pub(super) fn place(city: &mut City) {
    city.cameras = cameras(city);
    city.grids = grids(city);
}

fn cameras(city: &City) -> Vec<Camera> {
    let lanes = city.lanes.iter().filter(|l| l.motor);
    let camera = |(row, lane): (usize, &nanming_dataflows::network::Lane)| {
        let link = city.link_of(lane.id);
        let before_mm = STOP_LINE_MM.min(lane.length_mm / 2);
        Camera {
            id: CameraId::from_index(row),
            name: lane.name.clone(),
            kind: CameraKind::StopLine,
            at: place_at(&link.shape, u64::from(link.length_mm.saturating_sub(before_mm))),
            lane: Some((lane.id, before_mm)),
            venue: None,
            site: None,
        }
    };
    lanes.enumerate().map(camera).collect()
}

fn grids(city: &City) -> Vec<Grid> {
    let places = || city.links.iter().flat_map(|l| l.shape.iter()).chain(city.nodes.iter().map(|n| &n.at));
    let ends = |of: fn(&Point) -> i32| {
        let (min, max) = (places().map(of).min().unwrap_or(0), places().map(of).max().unwrap_or(0));
        (i64::from(min - MARGIN_MM), i64::from(max + MARGIN_MM))
    };
    let ((west, east), (south, north)) = (ends(|p| p.x_mm), ends(|p| p.y_mm));
    let corner = |row: i64, col: i64| Point {
        x_mm: (west + (east - west) * col / GRIDS) as i32,
        y_mm: (south + (north - south) * row / GRIDS) as i32,
    };
    let grid = |id: i64| Grid {
        id: GridId(id as u16),
        name: format!("G{:02}", id + 1),
        min: corner(id / GRIDS, id % GRIDS),
        max: corner(id / GRIDS + 1, id % GRIDS + 1),
        district: DistrictId(0),
        region: RegionId(0),
    };
    (0..GRIDS * GRIDS).map(grid).collect()
}

/// Adds `n` patrol units, always on shift, each posted at a random place on a link.
pub fn with_units(city: &mut City, n: usize, seed: u64) {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    for row in city.units.len()..city.units.len() + n {
        let Some(link) = city.links.get(rng.random_range(0..city.links.len().max(1))) else { return };
        let post = place_at(&link.shape, rng.random_range(0..u64::from(link.length_mm)));
        let Some(grid) = city.grid_at(post) else { return };
        let unit = Unit {
            id: UnitId::from_index(row),
            name: format!("P{:04}", row + 1),
            grid,
            region: city.grids[grid.index()].region,
            post,
            shift_min: (0, 0),
            skills: Skills::default(),
        };
        city.units.push(unit);
    }
}
