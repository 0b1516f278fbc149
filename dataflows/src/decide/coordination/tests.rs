//! An avenue with side streets, its plans, and the machine that makes them.

use super::offsets::Search;
use super::planner::Planner;
use super::profile::{STEP_MS, serves};
use super::service::{Service, Step};
use super::*;
use crate::ids::NodeId;
use crate::network::{Approach, Junction, Lane, Link, Movement, Node, PlanStep, Point, SignalMode, Turn};

/// Speed of free flow, mm/s.
const SPEED_MM_S: u32 = 15_000;

/// Lays links and lanes.
struct Layer(City);

impl Layer {
    fn node(&mut self, x_mm: u32, y_mm: i32) -> NodeId {
        let id = NodeId::from_index(self.0.nodes.len());
        let at = Point { x_mm: x_mm as i32, y_mm };
        self.0.nodes.push(Node { id, name: id.to_string(), at, junction: None });
        id
    }

    fn link(&mut self, from: NodeId, to: NodeId, lanes: usize, length_mm: u32) -> LinkId {
        let id = LinkId::from_index(self.0.links.len());
        let first = self.0.lanes.len();
        let lane = |row: usize| Lane {
            id: LaneId::from_index(row),
            name: format!("{id}_{row}"),
            link: id,
            length_mm,
            motor: true,
            movements: Vec::new(),
        };
        self.0.lanes.extend((first..first + lanes).map(lane));
        self.0.links.push(Link {
            id,
            name: id.to_string(),
            road: String::new(),
            from,
            to,
            length_mm,
            free_speed_mm_s: SPEED_MM_S,
            lanes: (first..first + lanes).map(LaneId::from_index).collect(),
            shape: vec![self.0.nodes[from.index()].at, self.0.nodes[to.index()].at],
            district: Default::default(),
        });
        id
    }

    /// Straight on from each lane of a link into the same lane of the next.
    fn moves(&mut self, from: LinkId, to: LinkId, signal: (JunctionId, u16)) -> Vec<crate::ids::MovementId> {
        let pairs: Vec<(LaneId, LaneId)> =
            self.0.links[from.index()].lanes.iter().copied().zip(self.0.links[to.index()].lanes.clone()).collect();
        let mut all = Vec::new();
        for (from, to) in pairs {
            let id = crate::ids::MovementId::from_index(self.0.movements.len());
            self.0.movements.push(Movement { id, from, to, turn: Turn::Through, signal: Some(signal) });
            self.0.lanes[from.index()].movements.push(id);
            all.push(id);
        }
        all
    }
}

/// A one-way avenue of two lanes with so many side streets of one lane, all in plan mode; the link before each junction is so
/// long.
pub(super) fn avenue(junctions: usize, spacing_mm: u32) -> City {
    let mut lay = Layer(City::default());
    let mut before = lay.node(0, 0);
    let mut avenue = None;
    for row in 0..junctions {
        let x_mm = spacing_mm * (row as u32 + 1);
        let (here, south, north) = (lay.node(x_mm, 0), lay.node(x_mm, -300_000), lay.node(x_mm, 300_000));
        let id = JunctionId::from_index(row);
        lay.0.nodes[here.index()].junction = Some(id);
        let main = avenue.take().unwrap_or_else(|| lay.link(before, here, 2, spacing_mm));
        let (side, out) = (lay.link(south, here, 1, 300_000), lay.link(here, north, 1, 300_000));
        let next = if row + 1 < junctions { NodeId(here.0 + 3) } else { north };
        if next != north {
            // The next junction's node is laid in the next round, as the first of its three.
            let at = Point { x_mm: (x_mm + spacing_mm) as i32, y_mm: 0 };
            lay.0.nodes.push(Node { id: next, name: next.to_string(), at, junction: None });
        }
        let onward = lay.link(here, next, 2, spacing_mm);
        if next != north {
            lay.0.nodes.pop();
            avenue = Some(onward);
        }
        let movements = [lay.moves(main, onward, (id, 0)), lay.moves(side, out, (id, 1))];
        lay.0.junctions.push(junction(id, here, [main, side], movements));
        before = here;
    }
    lay.0
}

fn junction(id: JunctionId, node: NodeId, links: [LinkId; 2], movements: [Vec<crate::ids::MovementId>; 2]) -> Junction {
    let mut junction = Junction { id, name: format!("j{id}"), nodes: vec![node], ..Junction::of_two_stages() };
    junction.approaches = links.map(|link| Approach { link, heading_deg: 0, crossing_mm: 0 }).to_vec();
    junction.heads.iter_mut().zip(movements).for_each(|(head, movements)| head.movements = movements);
    junction.conflicts.set(0, 1, crate::network::Conflict::Hard);
    junction.plans[0].steps.iter_mut().for_each(|step| step.green_ms = 40_000);
    junction.mode = SignalMode::Plan;
    junction
}

/// The only group of a city.
pub(super) fn group_of(city: &City) -> Group {
    let groups = streets::groups(city);
    assert_eq!(groups.len(), 1, "{groups:?}");
    groups.into_iter().next().unwrap()
}

/// By lane, vehicles/s: so many vehicles/h on each lane of the avenue and of the side streets.
fn flows(group: &Group, avenue_veh_h: f64, side_veh_h: f64) -> Vec<f64> {
    let lane = |l: &streets::ApproachLane| if l.moves[0].0 == 0 { avenue_veh_h } else { side_veh_h };
    group.lanes.iter().map(|l| lane(l) / 3600.0).collect()
}

/// Offsets of an avenue with a cycle of 80 s, 35 s for each street, s; and what they cost against all at once.
fn found(junctions: usize, spacing_mm: u32) -> (Vec<f64>, f64) {
    let city = avenue(junctions, spacing_mm);
    let group = group_of(&city);
    let flows = flows(&group, 500.0, 100.0);
    let mut all = vec![Vec::new(); group.lanes.len()];
    for row in 0..junctions {
        let service = Service::new(&group, row, &city.junctions[row], &[0, 1], &flows);
        let rows = (0..all.len()).filter(|l| group.lanes[*l].junction == row);
        rows.zip(serves(&service, &[35_000, 35_000], 40)).for_each(|(lane, serve)| all[lane] = serve);
    }
    let flows = flows.iter().map(|f| f * f64::from(STEP_MS) / 1000.0).collect();
    let search = Search { group: &group, steps: 40, serves: all, flows };
    let offsets = search.offsets(None);
    let share = search.cost(&offsets) / search.cost(&vec![0; junctions]);
    (offsets.iter().map(|o| *o as f64 * f64::from(STEP_MS) / 1000.0).collect(), share)
}

#[test]
fn the_offset_of_two_junctions_is_the_travel_time() {
    for spacing_mm in [150_000, 300_000, 450_000] {
        let (offsets, share) = found(2, spacing_mm);
        let travel_s = f64::from(spacing_mm) / f64::from(SPEED_MM_S);
        let late_s = (offsets[1] - offsets[0]).rem_euclid(80.0);
        assert!((late_s - travel_s).abs() <= 6.0, "{late_s} s for a way of {travel_s} s");
        assert!(share < 0.9, "{share}");
    }
}

#[test]
fn five_junctions_get_a_green_wave() {
    let (offsets, share) = found(5, 300_000);
    for pair in offsets.windows(2) {
        let late_s = (pair[1] - pair[0]).rem_euclid(80.0);
        assert!((late_s - 20.0).abs() <= 6.0, "{offsets:?}");
    }
    assert!(share < 0.75, "the wave spares a quarter of delay and stops: {share}");
}

#[test]
fn groups_are_tied_by_short_streets_and_bounded() {
    assert_eq!(streets::groups(&avenue(3, 1_200_000)).len(), 3, "80 s apart nothing is left of a platoon");
    let sizes: Vec<usize> = streets::groups(&avenue(40, 300_000)).iter().map(|g| g.junctions.len()).collect();
    assert!(sizes.iter().sum::<usize>() == 40 && sizes.iter().all(|n| *n <= streets::LARGEST), "{sizes:?}");
    let mut city = avenue(3, 300_000);
    city.junctions[1].mode = SignalMode::Stage;
    let groups = streets::groups(&city);
    assert_eq!(groups.iter().map(|g| g.junctions.len()).collect::<Vec<_>>(), [1, 1]);
}

fn plans(city: &City, avenue_veh_h: f64, side_veh_h: f64, before: &[SignalPlan], now: Time) -> Vec<SignalPlan> {
    let group = group_of(city);
    let flows = flows(&group, avenue_veh_h, side_veh_h);
    let standing = vec![false; flows.len()];
    Planner { city, group: &group, flows: &flows, standing: &standing }.plans(before, now)
}

#[test]
fn a_group_shares_a_cycle_that_grows_with_its_traffic_and_its_greens_fill_it() {
    let city = avenue(3, 300_000);
    let (quiet, busy) = (plans(&city, 200.0, 100.0, &[], 0), plans(&city, 900.0, 500.0, &[], 0));
    assert!(quiet[0].cycle_ms < busy[0].cycle_ms, "{quiet:?} {busy:?}");
    for plan in quiet.iter().chain(&busy) {
        assert_eq!(plan.cycle_ms, plan.steps.iter().map(|s| s.green_ms + s.intergreen_ms).sum::<u32>());
        assert!(plan.steps.iter().all(|s| s.green_ms >= 7_000 && s.intergreen_ms == 5_000));
        assert!(plan.offset_ms < plan.cycle_ms);
        assert_eq!(plan.steps.iter().map(|s| s.stage).collect::<Vec<_>>(), [0, 1], "the local order");
    }
    let green = |plan: &SignalPlan| f64::from(plan.steps[0].green_ms) / f64::from(plan.steps[1].green_ms);
    assert!((green(&busy[0]) / (900.0 / 500.0) - 1.0).abs() < 0.1, "{busy:?}");
}

#[test]
fn a_junction_that_needs_far_less_takes_half_the_cycle() {
    let mut city = avenue(2, 300_000);
    // The second one is an avenue of its own, with hardly anybody.
    city.junctions[1].stages.iter_mut().for_each(|stage| stage.min_green_ms = 5_000);
    let group = group_of(&city);
    let flow = |l: &streets::ApproachLane| if l.junction == 0 { 700.0 } else { 40.0 } / 3600.0;
    let flows: Vec<f64> = group.lanes.iter().map(flow).collect();
    let standing = vec![false; flows.len()];
    let plans = Planner { city: &city, group: &group, flows: &flows, standing: &standing }.plans(&[], 0);
    assert_eq!(plans[0].cycle_ms, 2 * plans[1].cycle_ms, "{plans:?}");
}

#[test]
fn the_same_demand_leaves_the_plans_in_force() {
    let city = avenue(4, 300_000);
    let first = plans(&city, 600.0, 300.0, &[], 1_000_000);
    let second = plans(&city, 610.0, 295.0, &first, 1_180_000);
    let timing = |plans: &[SignalPlan]| plans.iter().map(|p| (p.cycle_ms, p.offset_ms)).collect::<Vec<_>>();
    assert_eq!(timing(&first), timing(&second));
}

#[test]
fn a_stage_that_serves_nobody_more_is_left_out() {
    let mut city = avenue(1, 300_000);
    let junction = &mut city.junctions[0];
    junction.stages.extend(junction.stages.clone());
    let again = [2, 3].map(|stage| PlanStep { stage, green_ms: 10_000, intergreen_ms: 5_000 });
    junction.plans[0].steps.extend(again);
    let stages = |city: &City| plans(city, 500.0, 300.0, &[], 0)[0].steps.iter().map(|s| s.stage).collect::<Vec<_>>();
    assert_eq!(stages(&city).len(), 3, "twice in a cycle only costs changes");
    city.junctions[0].stages.iter_mut().for_each(|stage| stage.walk_ms = 5_000);
    assert_eq!(stages(&city), [0, 1, 2, 3], "people on foot have theirs");
}

#[test]
fn the_machine_plans_every_few_minutes_and_early_when_demand_changes() {
    let city = Arc::new(avenue(2, 300_000));
    let coordination = Coordination::new(Arc::clone(&city));
    let key = coordination.keys()[0];
    let mut memory = Memory::default();
    let mut told = Vec::new();
    let main = city.junctions[0].approaches[0].link;
    for tick in (1_000..=900_000).step_by(1_000) {
        let mut out = Outbox::new();
        let flow = if tick < 600_000 { 600 } else { 1_500 };
        let event = CoordinationEvent { time_ms: tick, what: CoordinationNews::Flow(main, flow) };
        coordination.step(key, &mut memory, tick, &[(key, event)], &mut out);
        told.extend(out.said().into_iter().filter(|plan| plan.junction == key).map(|plan| plan.time_ms));
    }
    let gaps: Vec<u64> = told.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!(gaps.iter().all(|gap| (EARLY_MS..=PERIOD_MS).contains(gap)), "{told:?}");
    assert!(
        told.windows(2).any(|pair| pair[1] > 600_000 && pair[1] - pair[0] < PERIOD_MS),
        "early after 600 s: {told:?}"
    );
    assert!(told.len() > 5 && told[0] >= EARLY_MS, "{told:?}");
}

#[test]
fn a_group_of_which_nothing_is_heard_gets_no_plans() {
    let city = Arc::new(avenue(2, 300_000));
    let coordination = Coordination::new(Arc::clone(&city));
    let (key, mut memory) = (coordination.keys()[0], Memory::default());
    let mut last = 0;
    for tick in (1_000..=2_000_000).step_by(1_000) {
        let mut out = Outbox::new();
        coordination.step(key, &mut memory, tick, &[], &mut out);
        last = out.said().last().map_or(last, |plan| plan.time_ms);
    }
    assert!(last <= SILENT_MS + 10_000, "{last}");
}

#[test]
fn a_short_link_before_lights_is_seen_with_those_that_lead_into_it() {
    let mut city = avenue(2, 300_000);
    // The first lights of the avenue are taken away: its second link, now short, is fed by the first one.
    let mut first = city.junctions.remove(0);
    first.heads.clear();
    city.nodes.iter_mut().for_each(|n| n.junction = n.junction.filter(|j| j.0 > 0).map(|_| JunctionId(0)));
    for m in &mut city.movements {
        m.signal = m.signal.filter(|s| s.0.0 > 0).map(|s| (JunctionId(0), s.1));
    }
    city.junctions[0].id = JunctionId(0);
    let (far, near) = (first.approaches[0].link, city.junctions[0].approaches[0].link);
    city.links[near.index()].length_mm = 8_000;
    let group = group_of(&city);
    let mut demand = Demand::new(&group);
    demand.hear_flow(&group, far, 1_440);
    let lane = city.links[far.index()].lanes[0];
    (0..30).for_each(|_| demand.hear_left(&group, lane, 1));
    demand.sample(&group);
    let by_lane = demand.by_lane(&group);
    let of = |link: LinkId| -> f64 { group.approaches[group.of_link[&link]].lanes.iter().map(|l| by_lane[*l]).sum() };
    assert!((of(near) - 0.4).abs() < 1e-9, "nobody is seen on it: {by_lane:?}");
    let first_lane = group.of_lane[&city.links[near.index()].lanes[0]];
    assert!(by_lane[first_lane] > 0.35, "they stay in their lane: {by_lane:?}");
}

#[test]
fn greens_of_a_step_are_those_of_stage_heads_and_people_on_foot() {
    let mut city = avenue(1, 300_000);
    let group = group_of(&city);
    let least = |city: &City| Service::new(&group, 0, &city.junctions[0], &[0, 1], &[0.1; 3]).steps[0];
    assert_eq!(least(&city), Step { stage: 0, least_ms: 7_000, intergreen_ms: 5_000 });
    city.junctions[0].heads[0].min_green_ms = 9_000;
    assert_eq!(least(&city).least_ms, 9_000);
    (city.junctions[0].stages[0].walk_ms, city.junctions[0].stages[0].clearance_ms) = (7_000, 8_000);
    assert_eq!(least(&city).least_ms, 15_000);
}
