//! What a network seldom has: time for people on foot, and for junctions to empty.
//!
//! A crossing over an approach also crosses what leaves the junction on that side. It may be walked in a stage that holds
//! all that drives over it, except what gives way to people on foot: right turns, and left turns that are permissive. Where
//! no stage does, as at the stem of a T that nobody opposes, protected left turns give way to them too.

use nanming_dataflows::ids::{LinkId, MovementId};
use nanming_dataflows::network::{City, Junction, Light, Stage, Turn};

use crate::course::{start_bearing_deg, turn_deg};
use crate::guiyang::stages::{WALK_MS, clearance_ms};

/// Width of a lane where no length of a crossing is given, mm: SUMO's own.
const LANE_MM: u32 = 3_200;
/// A link leaves on the side of an approach if their courses differ by less, degrees.
const SAME_SIDE_DEG: f64 = 45.0;

/// All junctions show red to all for at least so long between conflicting greens, ms; plans become longer by it.
pub fn with_all_red(city: &mut City, least_ms: u32) {
    for junction in &mut city.junctions {
        let more_ms = least_ms.saturating_sub(junction.all_red_ms);
        junction.all_red_ms += more_ms;
        let steps = junction.plans.iter_mut().flat_map(|plan| &mut plan.steps);
        steps.filter(|step| step.intergreen_ms > 0).for_each(|step| step.intergreen_ms += more_ms);
        let cycle_ms = junction.plans.iter().map(|plan| plan.cycle_ms()).max().unwrap_or(0);
        junction.max_red_ms = junction.max_red_ms.max(cycle_ms);
    }
}

/// People on foot cross every approach within the longest red: as few stages as it takes get the time to walk, and to clear
/// the longest of their crossings. Where that needs more than the longest red it becomes longer. The approaches that no
/// stage holds long enough for anybody to walk are returned.
pub fn with_pedestrians(city: &mut City) -> Vec<LinkId> {
    let mut without = Vec::new();
    for row in 0..city.junctions.len() {
        let crossings = crossings(city, &city.junctions[row]);
        let junction = &mut city.junctions[row];
        for (approach, crossing) in junction.approaches.iter_mut().zip(&crossings) {
            approach.crossing_mm = crossing.length_mm;
        }
        let mut left = crossings;
        while let Some(stage) = most(&left, junction.stages.len()) {
            let (walked, others): (Vec<Crossing>, Vec<Crossing>) =
                left.into_iter().partition(|crossing| crossing.stages[stage]);
            lengthen(&mut junction.stages[stage], &walked);
            left = others;
        }
        without.extend(left.into_iter().map(|crossing| crossing.over));
        give_room(junction);
    }
    without
}

/// A crossing over an approach.
struct Crossing {
    over: LinkId,
    length_mm: u32,
    /// By stage: whether it may be walked.
    stages: Vec<bool>,
}

fn crossings(city: &City, junction: &Junction) -> Vec<Crossing> {
    let crossing = |approach: &nanming_dataflows::network::Approach| {
        let exits = exits(city, junction, approach.link);
        let drawn_mm = LANE_MM * exits.iter().chain([&approach.link]).map(|link| lanes(city, *link)).sum::<u32>();
        let holds = |left_gives_way: bool| -> Vec<bool> {
            let holds = |stage| stage_holds(city, junction, stage, (approach.link, &exits), left_gives_way);
            junction.stages.iter().map(holds).collect()
        };
        let strictly = holds(false);
        Crossing {
            over: approach.link,
            length_mm: if approach.crossing_mm > 0 { approach.crossing_mm } else { drawn_mm },
            stages: if strictly.contains(&true) { strictly } else { holds(true) },
        }
    };
    junction.approaches.iter().map(crossing).collect()
}

/// The links that leave a junction on the side of an approach.
fn exits(city: &City, junction: &Junction, approach: LinkId) -> Vec<LinkId> {
    let heading_deg = junction.approaches.iter().find(|a| a.link == approach).map_or(0, |a| a.heading_deg);
    let back_deg = f64::from(heading_deg) + 180.0;
    let is_beside = |deg: f64| turn_deg(back_deg, deg).abs() < SAME_SIDE_DEG;
    let leaves = city.links.iter().filter(|link| junction.nodes.contains(&link.from));
    leaves.filter(|link| is_beside(start_bearing_deg(&link.shape))).map(|link| link.id).collect()
}

fn lanes(city: &City, link: LinkId) -> u32 {
    city.links[link.index()].lanes.iter().filter(|lane| city.lanes[lane.index()].motor).count() as u32
}

/// Whether nobody drives over a crossing in a stage who does not give way to people on foot.
fn stage_holds(
    city: &City,
    junction: &Junction,
    stage: &Stage,
    (over, exits): (LinkId, &[LinkId]),
    left_gives_way: bool,
) -> bool {
    let link = |lane: nanming_dataflows::ids::LaneId| city.lanes[lane.index()].link;
    let holds = |(m, light): (MovementId, Light)| {
        let movement = &city.movements[m.index()];
        let crosses = link(movement.from) == over || exits.contains(&link(movement.to));
        let gives_way = match movement.turn {
            Turn::Right => true,
            Turn::Left => (light == Light::Permissive || left_gives_way) && link(movement.from) != over,
            Turn::Through | Turn::UTurn => false,
        };
        !crosses || gives_way
    };
    let green = junction.heads.iter().zip(&stage.lights).filter(|(_, light)| light.is_green());
    green.flat_map(|(head, light)| head.movements.iter().map(|m| (*m, *light))).all(holds)
}

/// The stage in which most of the crossings may be walked, if any may; the first among equals.
fn most(crossings: &[Crossing], stages: usize) -> Option<usize> {
    let walked = |stage: &usize| crossings.iter().filter(|crossing| crossing.stages[*stage]).count();
    (0..stages).filter(|stage| walked(stage) > 0).max_by_key(|stage| (walked(stage), usize::MAX - stage))
}

fn lengthen(stage: &mut Stage, walked: &[Crossing]) {
    stage.walk_ms = WALK_MS;
    stage.clearance_ms = walked.iter().map(|crossing| clearance_ms(crossing.length_mm)).max().unwrap_or(0);
    stage.min_green_ms = stage.min_green_ms.max(stage.walk_ms + stage.clearance_ms);
    stage.max_green_ms = stage.max_green_ms.max(stage.min_green_ms);
}

/// Plans show no stage for less than its shortest green, and the longest red leaves time for all that must be shown.
fn give_room(junction: &mut Junction) {
    let Junction { stages, plans, heads, .. } = junction;
    for step in plans.iter_mut().flat_map(|plan| &mut plan.steps) {
        step.green_ms = step.green_ms.max(stages[usize::from(step.stage)].min_green_ms);
    }
    let yellow_ms = heads.iter().map(|head| head.yellow_ms).max().unwrap_or(0);
    let is_shown = |row: usize| {
        let planned = plans.iter().flat_map(|plan| &plan.steps).any(|step| usize::from(step.stage) == row);
        planned || stages[row].walk_ms > 0
    };
    let shown = (0..stages.len()).filter(|row| is_shown(*row));
    let all_ms: u32 = shown.map(|row| stages[row].min_green_ms + yellow_ms + junction.all_red_ms).sum();
    junction.max_red_ms = junction.max_red_ms.max(all_ms);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sumo_net::with_detectors;

    /// A town without walks, as if it had been imported.
    fn town() -> City {
        let mut city = crate::town::small(2, 2, 1);
        for junction in &mut city.junctions {
            junction.approaches.iter_mut().for_each(|approach| approach.crossing_mm = 0);
            for stage in &mut junction.stages {
                (stage.walk_ms, stage.clearance_ms, stage.min_green_ms) = (0, 0, 5_000);
            }
        }
        with_detectors(&mut city, 60_000);
        city
    }

    #[test]
    fn every_crossing_is_walked_in_a_stage_that_holds_what_drives_over_it() {
        let mut city = town();
        assert_eq!(with_pedestrians(&mut city), []);
        city.check().unwrap();
        for junction in &city.junctions {
            let crossings = crossings(&city, junction);
            assert_eq!(crossings.len(), junction.approaches.len());
            for crossing in crossings {
                let long =
                    |stage: &Stage| stage.walk_ms == 7_000 && stage.clearance_ms >= clearance_ms(crossing.length_mm);
                let walked = junction.stages.iter().zip(&crossing.stages).any(|(stage, holds)| *holds && long(stage));
                assert!(walked && crossing.length_mm >= 2 * LANE_MM, "{} over {}", junction.name, crossing.over);
            }
            let walks = junction.stages.iter().filter(|stage| stage.walk_ms > 0);
            let walks: Vec<u32> = walks.map(|stage| stage.min_green_ms).collect();
            assert!(walks.len() <= 3 && walks.iter().sum::<u32>() < junction.max_red_ms, "{walks:?}");
        }
    }

    #[test]
    fn through_traffic_and_protected_left_turns_keep_people_from_crossing() {
        let city = town();
        // An approach whose own traffic goes straight on, and into whose side others turn left.
        let found =
            city.junctions.iter().flat_map(|junction| junction.approaches.iter().map(move |a| (junction, a.link)));
        let found = found.filter_map(|(junction, over)| {
            let exits = exits(&city, junction, over);
            let from = |m: &MovementId| city.lanes[city.movements[m.index()].from.index()].link;
            let to = |m: &MovementId| city.lanes[city.movements[m.index()].to.index()].link;
            let turns = |m: &MovementId, turn: Turn| city.movements[m.index()].turn == turn;
            let head =
                |of: &dyn Fn(&MovementId) -> bool| junction.heads.iter().position(|h| h.movements.iter().all(of));
            let through = head(&|m| from(m) == over && turns(m, Turn::Through))?;
            let left = head(&|m| exits.contains(&to(m)) && turns(m, Turn::Left))?;
            Some((junction, over, exits, through, left))
        });
        let (junction, over, exits, through, left) = found.into_iter().next().unwrap();
        assert_eq!(exits.len(), 1, "one street leads away on each side");
        let mut stage = junction.stages[0].clone();
        let mut holds = |green: Option<(usize, Light)>, left_gives_way: bool| {
            stage.lights.fill(Light::Red);
            green.into_iter().for_each(|(head, light)| stage.lights[head] = light);
            stage_holds(&city, junction, &stage, (over, &exits), left_gives_way)
        };
        assert!(holds(None, false));
        assert!(!holds(Some((through, Light::Protected)), true));
        assert!(holds(Some((left, Light::Permissive)), false) && holds(Some((left, Light::Protected)), true));
        assert!(!holds(Some((left, Light::Protected)), false));
    }

    #[test]
    fn a_longer_all_red_makes_plans_longer_and_a_shorter_one_nothing() {
        let mut city = town();
        let before = city.clone();
        with_all_red(&mut city, 1_000);
        assert_eq!(city, before, "all have 2 s");
        with_all_red(&mut city, 3_000);
        city.check().unwrap();
        for (junction, was) in city.junctions.iter().zip(&before.junctions) {
            let changes = was.plans[0].steps.iter().filter(|step| step.intergreen_ms > 0).count() as u32;
            assert_eq!(junction.all_red_ms, 3_000);
            assert_eq!(junction.plans[0].cycle_ms(), was.plans[0].cycle_ms() + changes * 1_000);
        }
    }
}
