//! What a traffic engineer would take each movement to carry: a static estimate from lanes, importance and place.

use nanming_dataflows::ids::LinkId;
use nanming_dataflows::network::{City, Link, Point, Turn};
use rand::RngExt;

use super::timing::Period;
use super::{Draw, stream};
use crate::course::{bearing_deg, turn_deg};

/// Flow per movement and [`Period`], veh/h.
pub(crate) type Estimate = Vec<[u32; Period::ALL.len()]>;

/// Estimates every movement; the same rules everywhere, and a seeded error of up to 15 % for each approach.
pub(crate) fn estimate(city: &City, seed: u64) -> Estimate {
    let mut rng = stream(seed, Draw::Demand);
    let mut estimate = vec![[0; Period::ALL.len()]; city.movements.len()];
    for link in &city.links {
        let error = rng.random_range(0.85..1.15);
        let shares = movement_shares(city, link);
        for (column, period) in Period::ALL.into_iter().enumerate() {
            let flow_veh_h = error * approach_flow_veh_h(city, link, period);
            for (movement, share) in &shares {
                estimate[*movement][column] = (flow_veh_h * share).round() as u32;
            }
        }
    }
    estimate
}

/// Lanes that run the whole length of a link.
pub(crate) fn full_lanes(city: &City, link: &Link) -> usize {
    link.lanes.iter().filter(|l| city.lanes[l.index()].length_mm == link.length_mm).count()
}

fn approach_flow_veh_h(city: &City, link: &Link, period: Period) -> f64 {
    let per_lane_veh_h = match link.free_speed_mm_s {
        16_000.. => 450.0,
        13_000.. => 340.0,
        _ => 240.0,
    };
    full_lanes(city, link) as f64 * per_lane_veh_h * period.level() * centrality(link) * tide(link, period)
}

/// From 1.15 in the middle of the city down to 0.75 at 6 km from it.
fn centrality(link: &Link) -> f64 {
    let far = link.shape[0].distance_mm(Point::default()) as f64 / 6_000_000.0;
    1.15 - 0.4 * far.min(1.0)
}

/// Inbound traffic is heavier in the morning, outbound in the evening.
fn tide(link: &Link, period: Period) -> f64 {
    let heading_deg = bearing_deg(link.shape[0], link.shape[link.shape.len() - 1]);
    let inbound = turn_deg(bearing_deg(link.shape[0], Point::default()), heading_deg).to_radians().cos();
    match period {
        Period::Morning => 1.0 + 0.2 * inbound,
        Period::Evening => 1.0 - 0.2 * inbound,
        _ => 1.0,
    }
}

/// Each movement of a link with its share of the link's flow: exits by their lanes, turning traffic a third of through.
fn movement_shares(city: &City, link: &Link) -> Vec<(usize, f64)> {
    let movements = || link.lanes.iter().flat_map(|l| city.lanes[l.index()].movements.iter());
    let exit_of = |m: usize| city.lanes[city.movements[m].to.index()].link;
    let mut exits: Vec<(LinkId, f64, usize)> = Vec::new();
    for m in movements() {
        let exit = exit_of(m.index());
        match exits.iter_mut().find(|e| e.0 == exit) {
            Some(known) => known.2 += 1,
            None => exits.push((exit, exit_weight(city, exit, city.movements[m.index()].turn), 1)),
        }
    }
    let total: f64 = exits.iter().map(|e| e.1).sum();
    let share = |m: usize| exits.iter().find(|e| e.0 == exit_of(m)).map_or(0.0, |e| e.1 / total / e.2 as f64);
    movements().map(|m| (m.index(), share(m.index()))).collect()
}

fn exit_weight(city: &City, exit: LinkId, turn: Turn) -> f64 {
    let lanes = full_lanes(city, &city.links[exit.index()]) as f64;
    if turn == Turn::Through { lanes } else { lanes * 0.33 }
}
