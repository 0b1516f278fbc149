//! Offsets: green waves along the roads, the important roads first.

use std::collections::BTreeMap;

use nanming_dataflows::ids::*;
use nanming_dataflows::network::{City, Junction, Light, Plan, Turn};

/// Sets the offset of every junction's last plan. Each road is driven along in its heavier direction at free-flow speed;
/// a junction keeps the offset that a more important road gave it, and the wave goes on from there.
pub(crate) fn coordinate(city: &mut City, flow_veh_h: &dyn Fn(MovementId) -> f64) {
    let mut offsets_ms: Vec<Option<u32>> = vec![None; city.junctions.len()];
    for chain in heavier_chains(city, flow_veh_h) {
        ride(city, &chain, &mut offsets_ms);
    }
    for (junction, offset_ms) in city.junctions.iter_mut().zip(offsets_ms) {
        if let Some(plan) = junction.plans.last_mut() {
            plan.offset_ms = offset_ms.unwrap_or(0);
        }
    }
}

/// For each road the chains of its heavier direction; fast and long roads first.
pub(super) fn heavier_chains(city: &City, flow_veh_h: &dyn Fn(MovementId) -> f64) -> Vec<Vec<LinkId>> {
    let mut roads: BTreeMap<&str, Vec<LinkId>> = BTreeMap::new();
    for link in &city.links {
        roads.entry(&link.road).or_default().push(link.id);
    }
    let mut chains: Vec<Vec<LinkId>> = Vec::new();
    for links in roads.values() {
        let both = chains_of(city, links);
        let load = |chain: &Vec<LinkId>| chain.iter().map(|l| through_veh_h(city, *l, flow_veh_h)).sum::<f64>();
        chains.extend(both.into_iter().max_by(|a, b| load(a).total_cmp(&load(b))));
    }
    let speed = |chain: &[LinkId]| city.links[chain[0].index()].free_speed_mm_s;
    chains.sort_by_key(|c| std::cmp::Reverse((speed(c), c.len(), c[0])));
    chains
}

/// Links of one road strung together by their straight movements.
fn chains_of(city: &City, links: &[LinkId]) -> Vec<Vec<LinkId>> {
    let next = |link: LinkId| straight_on(city, link).filter(|to| links.contains(to));
    let followed: Vec<LinkId> = links.iter().filter_map(|l| next(*l)).collect();
    let starts = links.iter().filter(|l| !followed.contains(l));
    starts.map(|start| std::iter::successors(Some(*start), |l| next(*l)).take(links.len()).collect()).collect()
}

fn straight_on(city: &City, link: LinkId) -> Option<LinkId> {
    through_movements(city, link).next().map(|m| city.lanes[city.movements[m.index()].to.index()].link)
}

fn through_movements(city: &City, link: LinkId) -> impl Iterator<Item = MovementId> {
    let movements = city.links[link.index()].lanes.iter().flat_map(|l| city.lanes[l.index()].movements.iter().copied());
    movements.filter(|m| city.movements[m.index()].turn == Turn::Through)
}

fn through_veh_h(city: &City, link: LinkId, flow_veh_h: &dyn Fn(MovementId) -> f64) -> f64 {
    through_movements(city, link).map(flow_veh_h).sum()
}

fn ride(city: &City, chain: &[LinkId], offsets_ms: &mut [Option<u32>]) {
    let mut wave: Option<(u32, u32)> = None; // cycle, time within it
    for link in chain {
        wave = wave.map(|(cycle_ms, at_ms)| (cycle_ms, at_ms + city.links[link.index()].free_travel_ms() as u32));
        let Some((junction, plan, start_ms)) = green_start(city, *link) else { continue };
        let cycle_ms = plan.cycle_ms();
        let at_ms = wave.filter(|(cycle, _)| *cycle == cycle_ms).map_or(0, |(_, at_ms)| at_ms);
        let offset_ms = *offsets_ms[junction.id.index()].get_or_insert((at_ms + cycle_ms - start_ms) % cycle_ms);
        wave = Some((cycle_ms, (offset_ms + start_ms) % cycle_ms));
    }
}

/// When the plan that is being set lets the straight traffic of a link go, ms after the plan's start.
pub(super) fn green_start(city: &City, link: LinkId) -> Option<(&Junction, &Plan, u32)> {
    let (junction, head) = through_movements(city, link).find_map(|m| city.movements[m.index()].signal)?;
    let junction = &city.junctions[junction.index()];
    let plan = junction.plans.last()?;
    let goes = |stage: u16| junction.stages[usize::from(stage)].lights[usize::from(head)] == Light::Protected;
    let first = plan.steps.iter().position(|s| goes(s.stage))?;
    Some((junction, plan, plan.steps[..first].iter().map(|s| s.green_ms + s.intergreen_ms).sum()))
}
