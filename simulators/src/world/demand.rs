//! Who drives, when, from where to where. Homes lie all over, work in the middle of the city and of its districts; in
//! the morning most drive in, in the evening out, and some come from beyond the rim or leave over it.
//!
//! The volume at `demand_scale` 1 is set by the streets themselves: a static assignment of the peaks fills the turns
//! of the city, under its own plans, to a stated degree of saturation.

use nanming_dataflows::event::VehicleClass;
use nanming_dataflows::ids::VehicleId;
use nanming_dataflows::network::{City, Point};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::assign::{Peak, assign};
use super::car::{Vehicle, Way};
use super::chance::{Weights, exponential_ms, mix, stream};
use super::roads::Roads;
use super::routes::{Attractor, HABITS, NO_WAY, Routes};

const MAX_RIM: usize = 40;
const MAX_INNER: usize = 90;
const MAX_VENUES: usize = 20;
/// Share of trips that start, and that end, beyond the rim.
const RIM_SHARE: f64 = 0.15;

/// Percent of the peak's volume by minute of a working day.
const WORKDAY: [(u16, u16); 18] = [
    (0, 10),
    (240, 4),
    (330, 10),
    (390, 40),
    (440, 80),
    (460, 100),
    (530, 100),
    (570, 75),
    (630, 60),
    (720, 64),
    (800, 58),
    (960, 66),
    (1_035, 90),
    (1_060, 100),
    (1_130, 100),
    (1_180, 70),
    (1_320, 35),
    (1_440, 10),
];
/// The same for a day off.
const DAY_OFF: [(u16, u16); 9] =
    [(0, 14), (240, 5), (420, 18), (600, 62), (720, 66), (960, 72), (1_110, 74), (1_260, 45), (1_440, 14)];

/// The trips of a city.
#[derive(Clone, Debug)]
pub(super) struct Demand {
    seed: u64,
    rng: ChaCha8Rng,
    from_home: Weights,
    from_work: Weights,
    to_work: Weights,
    to_home: Weights,
    attractors: u32,
    /// Trips an hour at the peak.
    pub(super) peak_veh_h: f64,
    next_ms: u64,
    made: u64,
}

impl Demand {
    /// The trips of a city, and the ways of its drivers.
    pub(super) fn new(city: &City, roads: &Roads, seed: u64, scale: f64, now_ms: u64) -> (Self, Routes) {
        let mut rng = stream(seed, 1);
        let centres = centres(city);
        let attractors = attractors(city, roads, &centres, &mut rng);
        let home = origins(city, roads, |p| 1.15 - centrality(&centres, p));
        let work = origins(city, roads, |p| 0.1 + centrality(&centres, p).powi(2));
        let (homes, works) = (home.shares(), work.shares());
        let peak = |minute, inbound: f64| Peak {
            minute,
            origin_share: homes.iter().zip(&works).map(|(h, w)| inbound * h + (1.0 - inbound) * w).collect(),
            target_share: attractors.iter().map(|a| inbound * a.work + (1.0 - inbound) * a.home).collect(),
        };
        let (routes, peak_veh_h) = assign(city, roads, &attractors, &[peak(480, 0.8), peak(1_100, 0.2)], seed);
        let demand = Demand {
            seed,
            rng,
            from_home: home,
            from_work: work,
            to_work: Weights::new(attractors.iter().map(|a| a.work)),
            to_home: Weights::new(attractors.iter().map(|a| a.home)),
            attractors: attractors.len() as u32,
            peak_veh_h: peak_veh_h * scale.max(0.0),
            next_ms: now_ms,
            made: 0,
        };
        (demand, routes)
    }

    /// Vehicles that set off until `now_ms`.
    pub(super) fn depart(&mut self, city: &City, roads: &Roads, routes: &Routes, now_ms: u64) -> Vec<Vehicle> {
        let mut out = Vec::new();
        let (level, inbound) = level_at(city, now_ms);
        if self.peak_veh_h <= 0.0 {
            return out;
        }
        let mean_ms = 3_600_000.0 / (self.peak_veh_h * level).max(1e-3);
        while self.next_ms <= now_ms {
            out.extend(self.trip(roads, routes, inbound, None));
            self.next_ms += exponential_ms(&mut self.rng, mean_ms).min(600_000);
        }
        out
    }

    /// A trip home from a link, as after a match.
    pub(super) fn trip_home(&mut self, roads: &Roads, routes: &Routes, from: u32) -> Option<Vehicle> {
        self.trip(roads, routes, 0.0, Some(from))
    }

    fn trip(&mut self, roads: &Roads, routes: &Routes, inbound: f64, from: Option<u32>) -> Option<Vehicle> {
        let to_work = self.rng.random::<f64>() < inbound;
        let (origins, targets) =
            if to_work { (&self.from_home, &self.to_work) } else { (&self.from_work, &self.to_home) };
        for _ in 0..4 {
            let link = from.or_else(|| origins.draw(&mut self.rng).map(|l| l as u32))?;
            let habit = self.rng.random_range(0..HABITS as u32);
            let tree = habit * self.attractors + targets.draw(&mut self.rng)? as u32;
            let cost = routes.to_go(tree, link);
            if cost != NO_WAY && cost > 0 && !roads.links[link as usize].lanes.is_empty() {
                return Some(self.vehicle(tree, link));
            }
        }
        None
    }

    fn vehicle(&mut self, tree: u32, link: u32) -> Vehicle {
        self.made += 1;
        let plate = VehicleId(mix(mix(self.seed).wrapping_add(self.made)).max(1));
        let class = match (plate.0 >> 52) % 100 {
            0..=79 => VehicleClass::Car,
            80..=89 => VehicleClass::Taxi,
            90..=95 => VehicleClass::Truck,
            _ => VehicleClass::Motorcycle,
        };
        Vehicle::waiting(plate, class, Way::Tree(tree), link, self.next_ms)
    }
}

/// Volume relative to the peak, and the share of trips that go to work, at a time.
pub(super) fn level_at(city: &City, time_ms: u64) -> (f64, f64) {
    let local_min = (time_ms / 60_000) as i64 + i64::from(city.utc_offset_min);
    let minute = local_min.rem_euclid(1_440) as u16;
    let inbound = match minute {
        240..=659 => 0.8,
        660..=959 => 0.5,
        960..=1_199 => 0.2,
        _ => 0.35,
    };
    if city.is_off_at(local_min * 60_000) { (curve(&DAY_OFF, minute), 0.5) } else { (curve(&WORKDAY, minute), inbound) }
}

fn curve(points: &[(u16, u16)], minute: u16) -> f64 {
    let after = points.iter().position(|p| p.0 > minute).unwrap_or(points.len() - 1).max(1);
    let ((m0, l0), (m1, l1)) = (points[after - 1], points[after]);
    let along = f64::from(minute.saturating_sub(m0)) / f64::from((m1 - m0).max(1));
    (f64::from(l0) + (f64::from(l1) - f64::from(l0)) * along) / 100.0
}

/// A middle of something: place, reach in mm, weight.
struct Centre {
    at: Point,
    reach_mm: f64,
    weight: f64,
}

/// The middle of the city and of each district.
fn centres(city: &City) -> Vec<Centre> {
    let all: Vec<Point> = city.nodes.iter().filter(|n| n.junction.is_some()).map(|n| n.at).collect();
    let mut centres: Vec<Centre> = middle(&all, 1.0).into_iter().collect();
    for d in &city.districts {
        let own: Vec<Point> = city.junctions.iter().filter(|j| j.district == d.id).map(|j| j.at).collect();
        centres.extend(middle(&own, 0.6));
    }
    centres
}

fn middle(points: &[Point], weight: f64) -> Option<Centre> {
    let n = points.len() as i64;
    let mean = |xs: &mut dyn Iterator<Item = i32>| (n > 0).then(|| (xs.map(i64::from).sum::<i64>() / n) as i32);
    let at = Point { x_mm: mean(&mut points.iter().map(|p| p.x_mm))?, y_mm: mean(&mut points.iter().map(|p| p.y_mm))? };
    let reach_mm = points.iter().map(|p| p.distance_mm(at) as f64).sum::<f64>() / n as f64;
    Some(Centre { at, reach_mm: reach_mm.max(300_000.0), weight })
}

/// How much a place is in the middle of something, 0..1.
fn centrality(centres: &[Centre], at: Point) -> f64 {
    let near = |c: &Centre| c.weight / (1.0 + (c.at.distance_mm(at) as f64 / c.reach_mm).powi(2) * 2.0);
    centres.iter().map(near).fold(0.0, f64::max)
}

/// Weight of each link as an origin: a measure of its place for inner links, an equal share for the rim.
fn origins(city: &City, roads: &Roads, place: impl Fn(Point) -> f64) -> Weights {
    let inner = |l: usize| {
        let (link, road) = (&city.links[l], &roads.links[l]);
        let usable = !road.enters_city && !road.leaves_city && !road.exits.is_empty() && link.length_mm > 60_000;
        let size = f64::from(link.length_mm.min(600_000)) / 1e6 * (road.lanes.len() as f64).sqrt();
        if usable { place(link.shape[link.shape.len() / 2]).max(0.02) * size } else { 0.0 }
    };
    let rim = |l: usize| {
        let road = &roads.links[l];
        if road.enters_city && !road.exits.is_empty() { road.lanes.len() as f64 } else { 0.0 }
    };
    let total = |f: &dyn Fn(usize) -> f64| (0..roads.links.len()).map(f).sum::<f64>().max(f64::MIN_POSITIVE);
    let (inner_sum, rim_sum) = (total(&inner), total(&rim));
    let share = |l: usize| (1.0 - RIM_SHARE) * inner(l) / inner_sum + RIM_SHARE * rim(l) / rim_sum;
    Weights::new((0..roads.links.len()).map(share))
}

/// Where trips end: at the rim, around junctions drawn by how central they are, and at venues.
fn attractors(city: &City, roads: &Roads, centres: &[Centre], rng: &mut ChaCha8Rng) -> Vec<Attractor> {
    let rim: Vec<u32> = (0..roads.links.len() as u32).filter(|l| is_way_out(roads, *l)).collect();
    let rim = thin(&rim, MAX_RIM);
    let rim_share = RIM_SHARE / rim.len().max(1) as f64;
    let mut all: Vec<Attractor> =
        rim.iter().map(|&l| Attractor { sinks: vec![l], work: rim_share, home: rim_share }).collect();
    let mut inner: Vec<(f64, usize)> = city
        .nodes
        .iter()
        .enumerate()
        .map(|(n, node)| (node.at, n))
        .map(|(at, n)| {
            let weight = 0.1 + centrality(centres, at);
            (rng.random::<f64>().max(1e-9).ln() / weight, n) // a sample without replacement, by weight
        })
        .collect();
    inner.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    let mut around: Vec<Vec<u32>> = vec![Vec::new(); city.nodes.len()];
    for (l, road) in roads.links.iter().enumerate().filter(|(_, r)| !r.lanes.is_empty() && !r.leaves_city) {
        around[road.to as usize].push(l as u32);
    }
    let first_inner = all.len();
    for (_, n) in inner.into_iter().filter(|(_, n)| !around[*n].is_empty()).take(MAX_INNER) {
        let c = centrality(centres, city.nodes[n].at);
        all.push(Attractor { sinks: around[n].clone(), work: 0.1 + c * c, home: 1.15 - c });
    }
    for v in thin(&city.venues, MAX_VENUES).iter().filter(|v| !roads.links[v.link.index()].lanes.is_empty()) {
        all.push(Attractor { sinks: vec![v.link.0], work: 0.2, home: 0.2 });
    }
    scale_inner(&mut all[first_inner..]);
    all
}

fn is_way_out(roads: &Roads, link: u32) -> bool {
    let road = &roads.links[link as usize];
    road.leaves_city && !road.lanes.is_empty() && !road.before.is_empty()
}

fn scale_inner(inner: &mut [Attractor]) {
    let sum = |f: fn(&Attractor) -> f64, all: &[Attractor]| all.iter().map(f).sum::<f64>().max(f64::MIN_POSITIVE);
    let (work, home) = (sum(|a| a.work, inner), sum(|a| a.home, inner));
    for a in inner {
        a.work *= (1.0 - RIM_SHARE) / work;
        a.home *= (1.0 - RIM_SHARE) / home;
    }
}

/// At most `most` rows, evenly chosen.
fn thin<T: Clone>(rows: &[T], most: usize) -> Vec<T> {
    rows.iter().step_by(rows.len().div_ceil(most).max(1)).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_curve_peaks_in_the_morning_inbound_and_in_the_evening_outbound() {
        let mut city = City { utc_offset_min: 480, ..City::default() };
        let midnight_ms = 1_767_628_800_000; // of Tuesday 2026-01-06, there
        let at = |hour: u64| level_at(&city, midnight_ms + hour * 3_600_000);
        assert_eq!(at(8), (1.0, 0.8));
        assert_eq!(at(18), (1.0, 0.2));
        assert!(at(3).0 < 0.1 && at(12).0 < 0.7);
        let saturday = at(4 * 24 + 8);
        assert!(saturday.0 < 0.5 && saturday.1 == 0.5, "{saturday:?}");
        city.holidays = vec![20_459];
        city.working_weekends = vec![20_463];
        let at = |hour: u64| level_at(&city, midnight_ms + hour * 3_600_000);
        assert_eq!((at(8), at(4 * 24 + 8)), (saturday, (1.0, 0.8)));
    }
}
