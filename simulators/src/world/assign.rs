//! A static assignment of the two peaks of a working day: it spreads drivers over ways, and tells how many trips the streets bear.

use nanming_dataflows::network::{City, Turn};

use super::plans::{green_shares, plan_in_force};
use super::roads::{NONE, Roads};
use super::routes::{Attractor, Costs, HABITS, NO_WAY, Routes, taste_milli};

/// Saturation flow of a lane, vehicles/h.
const SATURATION_VEH_H: f64 = 1_800.0;
/// Worth of a permissive green relative to a protected one.
const PERMISSIVE_WORTH: f64 = 0.4;
/// Degree of saturation that the busiest turns but `SPARED` of them reach in the peak.
const PEAK_SATURATION: f64 = 0.90;
/// Share of turns, by volume, that may be fuller than that.
const SPARED: f64 = 0.02;

/// A peak: the minute of the local day whose plans are in force, and the shares of links and attractors in its trips.
pub(super) struct Peak {
    /// Minute of the local day.
    pub(super) minute: u16,
    /// By link.
    pub(super) origin_share: Vec<f64>,
    /// By attractor.
    pub(super) target_share: Vec<f64>,
}

/// What a peak asks of each exit, and what each can give.
struct Load {
    volume: Vec<f64>,
    green: Vec<f64>,
    capacity_veh_h: Vec<f64>,
}

/// The ways of drivers under each habit, and the trips an hour that the streets bear in both peaks.
pub(super) fn assign(
    city: &City,
    roads: &Roads,
    attractors: &[Attractor],
    peaks: &[Peak; 2],
    seed: u64,
) -> (Routes, f64) {
    let mut loads = peaks.each_ref().map(|p| empty(city, roads, p.minute));
    let mut routes = Routes::new(roads.links.len());
    let mut peak_veh_h = 0.0;
    for habit in 0..HABITS {
        let part_veh_h = peak_veh_h / habit.max(1) as f64;
        let fullness =
            |e: usize| loads.iter().map(|l| l.volume[e] * part_veh_h / l.capacity_veh_h[e]).fold(0.0, f64::max);
        let saturation: Vec<f64> = (0..roads.exit_count()).map(fullness).collect();
        routes.add_habit(roads, attractors, costs(city, roads, &loads[0].green, &saturation, habit, seed));
        let first_tree = (habit * attractors.len()) as u32;
        for (peak, of) in peaks.iter().zip(&mut loads) {
            for (tree, share) in (first_tree..).zip(&peak.target_share) {
                load(roads, &routes, tree, *share, &peak.origin_share, &mut of.volume);
            }
        }
        let parts = (habit + 1) as f64;
        peak_veh_h = loads.iter().map(|l| bearable(&l.volume, &l.capacity_veh_h, parts)).fold(f64::INFINITY, f64::min);
    }
    (routes, peak_veh_h)
}

fn empty(city: &City, roads: &Roads, minute: u16) -> Load {
    let green = exit_greens(city, roads, minute);
    Load { volume: vec![0.0; roads.exit_count()], capacity_veh_h: capacities(roads, &green), green }
}

/// Share of green of each exit at a minute of the day; 0.8 where there are no signals.
fn exit_greens(city: &City, roads: &Roads, minute: u16) -> Vec<f64> {
    let mut by_head = Vec::new();
    for j in &city.junctions {
        by_head.extend(green_shares(j, &j.plans[plan_in_force(j, minute)], PERMISSIVE_WORTH));
    }
    let green = |head: u32| if head == NONE { 0.8 } else { by_head[head as usize].max(0.03) };
    roads.links.iter().flat_map(|l| l.exits.iter().map(|e| green(e.head))).collect()
}

/// Vehicles/h of each exit; a lane shared by several exits is split between them.
fn capacities(roads: &Roads, greens: &[f64]) -> Vec<f64> {
    let lane = |l: &u32| 1.0 / roads.lanes[*l as usize].exits.len().max(1) as f64;
    let exits = roads.links.iter().flat_map(|l| &l.exits);
    exits.zip(greens).map(|(e, g)| SATURATION_VEH_H * g * e.lanes.iter().map(lane).sum::<f64>()).collect()
}

/// What a habit thinks of each link and exit when exits are this full.
fn costs(city: &City, roads: &Roads, greens: &[f64], saturation: &[f64], habit: usize, seed: u64) -> Costs {
    let link = |(l, link): (usize, &nanming_dataflows::network::Link)| {
        (link.free_travel_ms() * taste_milli(seed, habit, l) / 1_000).min(3_600_000) as u32
    };
    let turn = |(row, exit): (usize, &super::roads::Exit)| {
        let bend_ms = match exit.turn {
            Turn::Through => 0,
            Turn::Right => 3_000,
            Turn::Left => 8_000,
            Turn::UTurn => 60_000,
        };
        let wait_ms = 45_000.0 * (1.0 - greens[row]).powi(2);
        let queue_ms = 60_000.0 * saturation[row].min(3.0).powi(4);
        bend_ms + (wait_ms + queue_ms).min(600_000.0) as u32
    };
    let exits = roads.links.iter().flat_map(|l| &l.exits);
    Costs { link_ms: city.links.iter().enumerate().map(link).collect(), turn_ms: exits.enumerate().map(turn).collect() }
}

/// Adds the volume of a tree to each exit, for one trip in all.
fn load(roads: &Roads, routes: &Routes, tree: u32, share: f64, origin_share: &[f64], volume: &mut [f64]) {
    let costs = routes.costs_of(tree);
    let mut order: Vec<u32> = (0..costs.len() as u32).filter(|l| costs[*l as usize] != NO_WAY).collect();
    order.sort_unstable_by_key(|l| std::cmp::Reverse((costs[*l as usize], *l)));
    let mut through: Vec<f64> = origin_share.iter().map(|o| o * share).collect();
    for link in order.into_iter().filter(|l| costs[*l as usize] > 0) {
        let road = &roads.links[link as usize];
        let Some(exit) = routes.best_exit(roads, tree, link, 0..road.exits.len() as u32) else { continue };
        volume[(road.first_exit + exit) as usize] += through[link as usize];
        through[road.exits[exit as usize].link as usize] += through[link as usize];
    }
}

/// Trips an hour at which the exits reach the peak's saturation, all but the spared ones. `volume` is of `parts` trips.
fn bearable(volume: &[f64], capacity_veh_h: &[f64], parts: f64) -> f64 {
    let mut fullness: Vec<(f64, f64)> = volume.iter().zip(capacity_veh_h).map(|(v, c)| (v / parts / c, *v)).collect();
    fullness.sort_by(|a, b| b.0.total_cmp(&a.0));
    let total: f64 = volume.iter().sum();
    let mut seen = 0.0;
    let limit = fullness.iter().find(|(_, v)| {
        seen += v;
        seen >= total * SPARED
    });
    limit.filter(|(x, _)| *x > 0.0).map_or(0.0, |(x, _)| PEAK_SATURATION / x)
}
