//! The street plan before it becomes links: corners and streets between them, with rank and road name.

use std::f64::consts::PI;

use nanming_dataflows::network::Point;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::{Draw, Scale, names, stream};
use crate::course::{bearing_deg, beside, between};

/// How important a street is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Rank {
    /// One lane each way, 40 km/h.
    Local,
    /// Two lanes each way, 50 km/h.
    Collector,
    /// Three lanes each way, 60 km/h.
    Arterial,
}

impl Rank {
    /// Lanes each way away from junctions.
    pub(crate) fn lanes(self) -> usize {
        match self {
            Rank::Local => 1,
            Rank::Collector => 2,
            Rank::Arterial => 3,
        }
    }
    /// Speed limit, mm/s.
    pub(crate) fn speed_mm_s(self) -> u32 {
        match self {
            Rank::Local => 11_111,
            Rank::Collector => 13_889,
            Rank::Arterial => 16_667,
        }
    }
}

/// A corner: where streets meet or end.
#[derive(Clone, Debug)]
pub(crate) struct Corner {
    /// Name, such as `n3_4`, or `e17` for the outer end of an entry road.
    pub(crate) name: String,
    /// Place.
    pub(crate) at: Point,
    /// Whether it has a signal.
    pub(crate) signal: bool,
}

/// A two-way street between two corners.
#[derive(Clone, Debug)]
pub(crate) struct Street {
    /// One end.
    pub(crate) a: usize,
    /// The other end.
    pub(crate) b: usize,
    /// Importance.
    pub(crate) rank: Rank,
    /// Lanes each way.
    pub(crate) lanes: usize,
    /// Row in [`Plat::roads`].
    pub(crate) road: usize,
    /// Course from `a` to `b`.
    pub(crate) course: Vec<Point>,
}

/// The street plan.
#[derive(Clone, Debug, Default)]
pub(crate) struct Plat {
    /// Corners; the grid's first, row by row, then the ends of entry roads.
    pub(crate) corners: Vec<Corner>,
    /// Streets.
    pub(crate) streets: Vec<Street>,
    /// Road names.
    pub(crate) roads: Vec<String>,
}

impl Plat {
    /// Streets that meet at each corner.
    pub(crate) fn degrees(&self) -> Vec<usize> {
        let mut degrees = vec![0; self.corners.len()];
        for s in &self.streets {
            degrees[s.a] += 1;
            degrees[s.b] += 1;
        }
        degrees
    }
}

/// Draws the street plan of a scale: a jittered grid bent like a valley, denser in its middle, with arterials every
/// fourth street, diagonal avenues, entry roads over the rim, and some minor streets left out.
pub(crate) fn draw(scale: &Scale, seed: u64) -> Plat {
    let mut rng = stream(seed, Draw::Streets);
    let mut plat = Plat { corners: corners(scale, &mut rng), ..Plat::default() };
    let mut draft = Draft { plat: &mut plat, rng: &mut rng, streets_named: 0 };
    draft.lines(scale, true);
    draft.lines(scale, false);
    for &diagonal in scale.diagonals {
        draft.diagonal(scale, diagonal);
    }
    draft.entries(scale);
    thin(&mut plat, scale, &mut rng);
    light(&mut plat, scale.signals, &mut rng);
    plat
}

/// Rank of the street with a number across the grid: arterial every fourth, a collector between two.
fn rank_of(line: usize) -> Rank {
    match line % 4 {
        1 => Rank::Arterial,
        3 => Rank::Collector,
        _ => Rank::Local,
    }
}

fn corners(scale: &Scale, rng: &mut ChaCha8Rng) -> Vec<Corner> {
    let (xs, ys) = (spread_m(scale.cols), spread_m(scale.rows));
    let tall_m = ys[scale.rows - 1] - ys[0] + 1.0;
    let mut corners = Vec::with_capacity(scale.rows * scale.cols);
    for (r, y) in ys.iter().enumerate() {
        for (c, x) in xs.iter().enumerate() {
            let jitter_m =
                |rng: &mut ChaCha8Rng, line| rng.random_range(-1.0..1.0) * if line == 1 { 22.0 } else { 80.0 };
            let x_m = x + bend_m(y / tall_m, tall_m) + jitter_m(rng, c % 4);
            let y_m = y + jitter_m(rng, r % 4);
            let at = Point { x_mm: (x_m * 1000.0).round() as i32, y_mm: (y_m * 1000.0).round() as i32 };
            corners.push(Corner { name: format!("n{r}_{c}"), at, signal: false });
        }
    }
    corners
}

/// Places of `count` parallel streets about 0, m: 320 m apart in the middle, 520 m at the rim.
fn spread_m(count: usize) -> Vec<f64> {
    let middle = (count as f64 - 1.0) / 2.0;
    let gap_m = |i: usize| 320.0 + 200.0 * ((i as f64 + 0.5 - middle) / middle.max(1.0)).abs();
    let places: Vec<f64> = (0..count).scan(0.0, |at, i| Some(std::mem::replace(at, *at + gap_m(i)))).collect();
    let half_m = places[count - 1] / 2.0;
    places.iter().map(|p| p - half_m).collect()
}

/// How far the valley swings to the east at a share of its height, m.
fn bend_m(share: f64, tall_m: f64) -> f64 {
    0.09 * tall_m * (share * PI * 1.5).sin()
}

struct Draft<'a> {
    plat: &'a mut Plat,
    rng: &'a mut ChaCha8Rng,
    streets_named: usize,
}

impl Draft<'_> {
    /// All streets along the rows (`along_rows`) or the columns.
    fn lines(&mut self, scale: &Scale, along_rows: bool) {
        let (lines, blocks) = if along_rows { (scale.rows, scale.cols) } else { (scale.cols, scale.rows) };
        let corner = |line: usize, k: usize| if along_rows { line * scale.cols + k } else { k * scale.cols + line };
        for line in 0..lines {
            let rank = rank_of(line);
            let lanes = self.lanes(rank);
            let mut road = self.name(rank);
            for k in 0..blocks.saturating_sub(1) {
                if rank != Rank::Arterial && k % 8 == 7 {
                    road = self.name(rank);
                }
                self.street(corner(line, k), corner(line, k + 1), rank, lanes, road);
            }
        }
    }

    /// Every third local street has two lanes each way.
    fn lanes(&mut self, rank: Rank) -> usize {
        rank.lanes() + usize::from(rank == Rank::Local && self.rng.random_range(0..3) == 0)
    }

    fn name(&mut self, rank: Rank) -> usize {
        let number = self.streets_named;
        self.streets_named += 1;
        self.plat.roads.push(match rank {
            Rank::Arterial => names::avenue(self.plat.roads.iter().filter(|r| r.ends_with("大道")).count()),
            Rank::Collector => names::road(number),
            Rank::Local => names::street(number),
        });
        self.plat.roads.len() - 1
    }

    fn street(&mut self, a: usize, b: usize, rank: Rank, lanes: usize, road: usize) {
        let (from, to) = (self.plat.corners[a].at, self.plat.corners[b].at);
        let swing_mm = from.distance_mm(to) as f64 * if rank == Rank::Arterial { 0.015 } else { 0.05 };
        let right_mm = self.rng.random_range(-1.0..1.0) * swing_mm;
        let middle = beside(between(from, to, 0.5), bearing_deg(from, to), right_mm);
        self.plat.streets.push(Street { a, b, rank, lanes, road, course: vec![from, middle, to] });
    }

    /// A diagonal avenue to the north; minor streets that would give a corner six legs go.
    fn diagonal(&mut self, scale: &Scale, (row, col, step, blocks): (usize, usize, isize, usize)) {
        let road = self.name(Rank::Arterial);
        let corner = |k: usize| (row + k) * scale.cols + col.wrapping_add_signed(step * k as isize);
        for k in 0..blocks {
            self.street(corner(k), corner(k + 1), Rank::Arterial, 3, road);
        }
        for k in 1..blocks {
            self.relieve(corner(k), 4 + k % 2);
        }
    }

    /// Takes minor streets away from a corner until it has at most `legs`, where the far end keeps three.
    fn relieve(&mut self, corner: usize, legs: usize) {
        let mut degrees = self.plat.degrees();
        let mut row = 0;
        while row < self.plat.streets.len() && degrees[corner] > legs {
            let s = &self.plat.streets[row];
            let far = if s.a == corner { s.b } else { s.a };
            if (s.a == corner || s.b == corner) && s.rank != Rank::Arterial && degrees[far] > 3 {
                degrees[corner] -= 1;
                degrees[far] -= 1;
                self.plat.streets.remove(row);
            } else {
                row += 1;
            }
        }
    }

    /// Entry roads outwards over the rim: on every arterial, on corners with fewer than three legs, and some others.
    fn entries(&mut self, scale: &Scale) {
        let (rows, cols) = (scale.rows, scale.cols);
        let west_east = (0..rows).flat_map(|r| [(r, 0, -1, 0), (r, cols - 1, 1, 0)]);
        let south_north = (0..cols).flat_map(|c| [(0, c, 0, -1), (rows - 1, c, 0, 1)]);
        for (r, c, east, north) in west_east.chain(south_north) {
            let rank = rank_of(if north == 0 { r } else { c });
            let corner = r * cols + c;
            let needed = rank == Rank::Arterial || self.plat.degrees()[corner] < 3;
            if self.rng.random_range(0..10) < 3 || needed {
                self.entry(corner, east, north, rank);
            }
        }
    }

    fn entry(&mut self, corner: usize, east: i32, north: i32, rank: Rank) {
        let inner = self.plat.corners[corner].at;
        let at = Point { x_mm: inner.x_mm + 250_000 * east, y_mm: inner.y_mm + 250_000 * north };
        let outer = self.plat.corners.len();
        let name = format!(
            "e{}_{}",
            self.plat.corners[corner].name,
            ["s", "w", "", "e", "n"][(2 + east + 2 * north) as usize]
        );
        self.plat.corners.push(Corner { name, at, signal: false });
        let lanes = rank.lanes();
        let road = self.name(rank);
        self.street(corner, outer, rank, lanes, road);
    }
}

/// Leaves out a share of the local streets whose ends both keep three legs.
fn thin(plat: &mut Plat, scale: &Scale, rng: &mut ChaCha8Rng) {
    let mut degrees = plat.degrees();
    plat.streets.retain(|s| {
        let spare = degrees[s.a].min(degrees[s.b]) > 3 && s.rank == Rank::Local;
        let keep = rng.random_range(0..1000) >= scale.left_out_milli * 2 || !spare;
        if !keep {
            degrees[s.a] -= 1;
            degrees[s.b] -= 1;
        }
        keep
    });
}

/// Gives a signal to the most important `count` corners of three legs or more; ties by lot.
fn light(plat: &mut Plat, count: usize, rng: &mut ChaCha8Rng) {
    let mut weight = vec![0; plat.corners.len()];
    for s in &plat.streets {
        weight[s.a] += s.lanes;
        weight[s.b] += s.lanes;
    }
    let degrees = plat.degrees();
    let mut ranked: Vec<(usize, u32, usize)> =
        (0..plat.corners.len()).filter(|c| degrees[*c] >= 3).map(|c| (weight[c], rng.random(), c)).collect();
    ranked.sort_unstable_by(|a, b| b.cmp(a));
    for (_, _, corner) in ranked.into_iter().take(count) {
        plat.corners[corner].signal = true;
    }
}
