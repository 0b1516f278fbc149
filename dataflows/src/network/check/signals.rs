//! Junctions: who stands at them, and what their controllers may show.

use super::{CityError, DAY_MS, REACH_MM, crossing_greens, dense, in_day, near, need};
use crate::ids::{MovementId, NodeId};
use crate::network::{Approach, City, Head, Junction, Plan, Stage};

pub(super) fn check(city: &City) -> Result<(), CityError> {
    dense("junction", city.junctions.iter().map(|j| j.id.index()))?;
    city.junctions.iter().try_for_each(|j| junction(city, j))
}

fn junction(city: &City, j: &Junction) -> Result<(), CityError> {
    let at = || format!("junction {}", j.name);
    let governed = |n: &NodeId| city.nodes.get(n.index()).is_some_and(|n| n.junction == Some(j.id));
    need(near(j.at), at, "lies too far out")?;
    need(j.district.index() < city.districts.len(), at, "lies in no district")?;
    need(!j.nodes.is_empty() && j.nodes.iter().all(governed), at, "governs no node, or one that says otherwise")?;
    need(j.all_red_ms <= DAY_MS && j.max_red_ms <= DAY_MS, at, "has a red of more than a day")?;
    j.approaches.iter().try_for_each(|a| approach(city, j, a))?;
    j.heads.iter().enumerate().try_for_each(|(row, h)| head(city, j, row, h))?;
    need(
        j.conflicts.is_whole(j.heads.len()),
        at,
        "has a conflict matrix that is not square, mirrored and of its heads",
    )?;
    need(!j.stages.is_empty() && !j.plans.is_empty(), at, "has no stage or no plan")?;
    j.stages.iter().try_for_each(|s| stage(j, s))?;
    j.plans.iter().try_for_each(|p| plan(j, p))
}

fn approach(city: &City, j: &Junction, a: &Approach) -> Result<(), CityError> {
    let at = || format!("junction {}: the approach of link {}", j.name, a.link);
    let ends_here = city.links.get(a.link.index()).is_some_and(|link| j.nodes.contains(&link.to));
    need(ends_here, at, "does not end at it")?;
    need(a.heading_deg < 360, at, "has a heading that is not from 0 to 359 degrees")?;
    need(a.crossing_mm <= REACH_MM, at, "has a crossing too long to walk")
}

fn head(city: &City, j: &Junction, row: usize, h: &Head) -> Result<(), CityError> {
    let at = || format!("junction {}: head {row}", j.name);
    let obeys = |m: &MovementId| {
        city.movements.get(m.index()).is_some_and(|m| m.signal.is_some_and(|s| (s.0, usize::from(s.1)) == (j.id, row)))
    };
    need(h.movements.iter().all(obeys), at, "has a movement that does not obey it")?;
    need(h.yellow_ms <= DAY_MS && h.min_green_ms <= DAY_MS, at, "has a yellow or a green of more than a day")
}

fn stage(j: &Junction, s: &Stage) -> Result<(), CityError> {
    let at = || format!("junction {}: stage {}", j.name, s.name);
    let longest_ms = [s.min_green_ms, s.max_green_ms, s.walk_ms, s.clearance_ms].into_iter().max();
    need(longest_ms <= Some(DAY_MS), at, "has a time of more than a day")?;
    need(s.lights.len() == j.heads.len(), at, "is of another length than the heads")?;
    need(s.min_green_ms >= s.walk_ms + s.clearance_ms, at, "is shorter than its crossings need")?;
    need(s.max_green_ms >= s.min_green_ms, at, "has a longest green below its shortest")?;
    need(crossing_greens(&j.conflicts, &s.lights).is_none(), at, "lets conflicting heads go")
}

fn plan(j: &Junction, p: &Plan) -> Result<(), CityError> {
    let at = || format!("junction {}: plan {}", j.name, p.name);
    let cycle_ms: u64 = p.steps.iter().map(|s| u64::from(s.green_ms) + u64::from(s.intergreen_ms)).sum();
    need((1..=u64::from(DAY_MS)).contains(&cycle_ms), at, "has no steps, or a cycle of more than a day")?;
    need(p.offset_ms <= DAY_MS && in_day(p.day_min), at, "has an offset or hours beyond the day")?;
    need(p.steps.iter().all(|s| usize::from(s.stage) < j.stages.len()), at, "has an unknown stage")
}
