//! Who and what stands in the city: patrol units, building sites with their supervisors, venues.

use nanming_dataflows::event::Skills;
use nanming_dataflows::ids::*;
use nanming_dataflows::network::{City, Grid, Link, Point, Site, Supervisor, Unit};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::{Draw, Scale, names, stream, venues};
use crate::course::{beside, end_bearing_deg, place_at};

/// Shifts of the patrol, minutes of the local day; neighbours overlap by an hour.
const SHIFTS_MIN: [(u16, u16); 3] = [(0, 540), (480, 1020), (960, 60)];

/// Places units, sites, supervisors and venues. The city must have its links and grids.
pub(crate) fn place(city: &mut City, scale: &Scale, seed: u64) {
    city.units = units(city, scale.units, seed);
    city.venues = venues::venues(city, scale.venues, seed);
    city.supervisors = (0..scale.supervisors).map(supervisor).collect();
    city.sites = sites(city, scale.sites, scale.supervisors, seed);
}

/// Units in turn to the three shifts; each shift goes round the grids, those with more streets first when it is short.
fn units(city: &City, count: usize, seed: u64) -> Vec<Unit> {
    let mut rng = stream(seed, Draw::Units);
    let links_in: Vec<Vec<&Link>> = city.grids.iter().map(|g| links_in(city, g)).collect();
    let mut busy: Vec<usize> = (0..city.grids.len()).collect();
    busy.sort_by_key(|g| std::cmp::Reverse(links_in[*g].len()));
    let unit = |row: usize| {
        let grid = &city.grids[busy[row / SHIFTS_MIN.len() % busy.len()]];
        Unit {
            id: UnitId::from_index(row),
            name: format!("P{:04}", row + 1),
            grid: grid.id,
            region: grid.region,
            post: post(grid, &links_in[grid.id.index()], &mut rng),
            shift_min: SHIFTS_MIN[row % SHIFTS_MIN.len()],
            skills: Skills::default(),
        }
    };
    (0..count).map(unit).collect()
}

fn links_in<'a>(city: &'a City, grid: &Grid) -> Vec<&'a Link> {
    city.links.iter().filter(|l| grid.holds(middle(l))).collect()
}

fn middle(link: &Link) -> Point {
    place_at(&link.shape, u64::from(link.length_mm) / 2)
}

/// A place on a street of the grid, or the grid's middle where it has none.
fn post(grid: &Grid, links: &[&Link], rng: &mut ChaCha8Rng) -> Point {
    match links.len() {
        0 => Point { x_mm: grid.min.x_mm / 2 + grid.max.x_mm / 2, y_mm: grid.min.y_mm / 2 + grid.max.y_mm / 2 },
        n => middle(links[rng.random_range(0..n)]),
    }
}

fn supervisor(row: usize) -> Supervisor {
    Supervisor { id: SupervisorId::from_index(row), name: format!("监管员{:03}", row + 1) }
}

/// Sites beside random links, shared out among supervisors by neighbourhood.
fn sites(city: &City, count: usize, supervisors: usize, seed: u64) -> Vec<Site> {
    let mut rng = stream(seed, Draw::Sites);
    let beside_street = |rng: &mut ChaCha8Rng| {
        let link = &city.links[rng.random_range(0..city.links.len())];
        let along = place_at(&link.shape, u64::from(link.length_mm) * rng.random_range(20..80) / 100);
        beside(along, end_bearing_deg(&link.shape), rng.random_range(30_000.0..150_000.0))
    };
    let mut places: Vec<Point> = (0..count).map(|_| beside_street(&mut rng)).collect();
    places.sort_by_key(|at| (city.grid_at(*at), *at));
    let loads = loads(count, supervisors, &mut rng);
    let owners =
        loads.iter().enumerate().flat_map(|(row, load)| std::iter::repeat_n(SupervisorId::from_index(row), *load));
    let site = |(row, (at, supervisor)): (usize, (&Point, SupervisorId))| Site {
        id: SiteId::from_index(row),
        name: format!("{}工地{:04}", names::stem(row), row + 1),
        at: *at,
        supervisor,
    };
    places.iter().zip(owners).enumerate().map(site).collect()
}

/// Sites for each supervisor: as even as can be, then some pairs differ by two.
fn loads(sites: usize, supervisors: usize, rng: &mut ChaCha8Rng) -> Vec<usize> {
    let share = |row: usize| sites * (row + 1) / supervisors - sites * row / supervisors;
    let mut loads: Vec<usize> = (0..supervisors).map(share).collect();
    let even = sites.div_ceil(supervisors.max(1));
    for pair in loads.chunks_exact_mut(2) {
        if pair == [even, even] && even > 1 && rng.random_range(0..3) == 0 {
            pair[0] += 1;
            pair[1] -= 1;
        }
    }
    loads
}
