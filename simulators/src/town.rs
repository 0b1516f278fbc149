//! A small town for quick tests: the generator of `guiyang` at another scale.

use nanming_dataflows::network::City;

use crate::guiyang::{Scale, build};

/// A town of `rows` x `cols` signalised junctions with entry roads, and a few of everything else. Same seed, same town.
///
/// # Panics
/// If `rows` or `cols` is 0.
pub fn small(rows: usize, cols: usize, seed: u64) -> City {
    assert!(rows > 0 && cols > 0, "a town needs at least one junction");
    let scale = Scale {
        name: "town",
        rows,
        cols,
        signals: rows * cols,
        left_out_milli: 0,
        diagonals: &[],
        districts: 2,
        grids: (2, 2),
        units: 12,
        venues: 3,
        sites: 4,
        supervisors: 2,
        bus_lines: 2,
        cameras: rows * cols * 40,
    };
    build(&scale, seed)
}
