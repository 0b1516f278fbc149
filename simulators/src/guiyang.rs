//! The reference city `guiyang`: a seeded valley city of the size of Guiyang's main urban area.
//!
//! Nothing in it is surveyed: street names, plans and places are generated, only the counts and the names of districts
//! and landmarks are those of the real city. The same seed gives the same city, byte for byte. Every part draws from
//! its own stream of random numbers, so that a change in one part leaves the others as they were.

use nanming_dataflows::network::{City, LonLat};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

mod approaches;
mod assets;
mod buses;
mod cameras;
mod conflicts;
mod demand;
mod districts;
mod junctions;
mod links;
mod names;
mod numbers;
mod offsets;
pub(crate) mod stages;
mod streets;
mod timing;
mod venues;

pub use numbers::{Numbers, numbers};
pub use timing::{Period, retime};

/// How large a generated city is and what stands in it.
#[derive(Clone, Debug)]
pub(crate) struct Scale {
    /// [`City::name`].
    pub(crate) name: &'static str,
    /// Streets from west to east.
    pub(crate) rows: usize,
    /// Streets from south to north.
    pub(crate) cols: usize,
    /// Signalised junctions.
    pub(crate) signals: usize,
    /// Share of minor streets left out, 1/1000.
    pub(crate) left_out_milli: u32,
    /// Diagonal avenues: row and column of the southern end, step in columns, blocks.
    pub(crate) diagonals: &'static [(usize, usize, isize, usize)],
    /// Districts, from the list of names.
    pub(crate) districts: usize,
    /// Patrol grids: rows and columns.
    pub(crate) grids: (usize, usize),
    /// Patrol units.
    pub(crate) units: usize,
    /// Venues.
    pub(crate) venues: usize,
    /// Building sites.
    pub(crate) sites: usize,
    /// Site supervisors.
    pub(crate) supervisors: usize,
    /// Bus lines.
    pub(crate) bus_lines: usize,
    /// Cameras of all kinds; stop-line cameras come first and are never left out.
    pub(crate) cameras: usize,
}

/// Guiyang's counts.
const GUIYANG: Scale = Scale {
    name: "guiyang",
    rows: 28,
    cols: 20,
    signals: 499,
    left_out_milli: 90,
    diagonals: &[(5, 5, 1, 4), (9, 13, -1, 4), (17, 5, 1, 4)],
    districts: 10,
    grids: (16, 15),
    units: 1200,
    venues: 150,
    sites: 1300,
    supervisors: 145,
    bus_lines: 120,
    cameras: 105_000,
};

/// The reference city: 499 signalised junctions, 105,000 cameras, 240 patrol grids, 1,200 units.
pub fn generate(seed: u64) -> City {
    build(&GUIYANG, seed)
}

/// The reference city with so many cameras instead of 105,000, for load tests: all that are more or less stand along links.
pub fn with_cameras(seed: u64, cameras: usize) -> City {
    build(&Scale { cameras, ..GUIYANG }, seed)
}

/// A city of a scale, by the same rules for every scale.
pub(crate) fn build(scale: &Scale, seed: u64) -> City {
    let plat = streets::draw(scale, seed);
    let mut city = City {
        name: scale.name.to_string(),
        origin: LonLat::from_degrees(106.63, 26.65),
        utc_offset_min: 480,
        ..City::default()
    };
    let frame = districts::Frame::around(&plat);
    city.districts = districts::named(scale.districts);
    let turns = approaches::turns(&plat);
    links::lay(&mut city, &plat, &frame, &turns);
    approaches::connect(&mut city, &plat, &turns);
    junctions::signalise(&mut city, &frame);
    let estimate = demand::estimate(&city, seed);
    retime(&mut city, &|period, movement| estimate[movement.index()][period as usize]);
    city.grids = districts::grids(scale, &frame);
    assets::place(&mut city, scale, seed);
    city.bus_lines = buses::lines(&city, scale.bus_lines, seed);
    cameras::mount(&mut city, scale.cameras, seed);
    city
}

/// The parts that draw random numbers, each from a stream of its own.
#[derive(Clone, Copy)]
enum Draw {
    Streets = 1,
    Demand,
    Units,
    Venues,
    Sites,
    Buses,
    Cameras,
}

/// The random numbers of a part.
fn stream(seed: u64, part: Draw) -> ChaCha8Rng {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(part as u64);
    rng
}

#[cfg(test)]
mod tests;
