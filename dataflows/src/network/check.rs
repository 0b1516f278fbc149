//! Whether a city hangs together: run on every city that comes in, so that no view needs to doubt an index.

use super::{City, Conflict, Light};

/// What is wrong with a city, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CityError(pub String);

impl std::fmt::Display for CityError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for CityError {}

impl City {
    /// Checks every reference, every stage and every plan. Errors name the first row that is wrong.
    pub fn check(&self) -> Result<(), CityError> {
        self.check_network()?;
        self.check_junctions()?;
        self.check_assets()
    }

    fn check_network(&self) -> Result<(), CityError> {
        dense("node", self.nodes.iter().map(|n| n.id.index()))?;
        dense("link", self.links.iter().map(|l| l.id.index()))?;
        dense("lane", self.lanes.iter().map(|l| l.id.index()))?;
        dense("movement", self.movements.iter().map(|m| m.id.index()))?;
        for l in &self.links {
            let at = || format!("link {}", l.name);
            need(l.from.index() < self.nodes.len() && l.to.index() < self.nodes.len(), at, "ends at no node")?;
            need(l.length_mm > 0 && l.free_speed_mm_s > 0, at, "has no length or no speed")?;
            need(!l.lanes.is_empty() && l.shape.len() >= 2, at, "has no lane or no course")?;
            let own = |lane: &crate::ids::LaneId| self.lanes.get(lane.index()).is_some_and(|x| x.link == l.id);
            need(l.lanes.iter().all(own), at, "names a lane that is not its own")?;
            need(l.district.index() < self.districts.len(), at, "lies in no district")?;
        }
        for m in &self.movements {
            let at = || format!("movement {}", m.id);
            need(m.from.index() < self.lanes.len() && m.to.index() < self.lanes.len(), at, "joins no lanes")?;
            need(self.lanes[m.from.index()].movements.contains(&m.id), at, "is unknown to its lane")?;
        }
        Ok(())
    }

    fn check_junctions(&self) -> Result<(), CityError> {
        dense("junction", self.junctions.iter().map(|j| j.id.index()))?;
        for j in &self.junctions {
            let at = || format!("junction {}", j.name);
            let heads = j.heads.len();
            need(j.conflicts.heads() == heads, at, "has a conflict matrix of another size than its heads")?;
            need(!j.stages.is_empty() && !j.plans.is_empty(), at, "has no stage or no plan")?;
            for s in &j.stages {
                need(s.lights.len() == heads, at, "has a stage of another length than its heads")?;
                need(s.min_green_ms >= s.walk_ms + s.clearance_ms, at, "has a stage shorter than its crossings need")?;
                need(s.max_green_ms >= s.min_green_ms, at, "has a stage whose longest green is below its shortest")?;
                need(
                    crossing_greens(&j.conflicts, &s.lights).is_none(),
                    at,
                    &format!("stage {} lets conflicting heads go", s.name),
                )?;
            }
            for p in &j.plans {
                need(!p.steps.is_empty() && p.cycle_ms() > 0, at, "has a plan without steps")?;
                need(
                    p.steps.iter().all(|s| usize::from(s.stage) < j.stages.len()),
                    at,
                    "has a plan with an unknown stage",
                )?;
            }
        }
        Ok(())
    }

    fn check_assets(&self) -> Result<(), CityError> {
        dense("camera", self.cameras.iter().map(|c| c.id.index()))?;
        dense("district", self.districts.iter().map(|d| d.id.index()))?;
        dense("grid", self.grids.iter().map(|g| g.id.index()))?;
        dense("unit", self.units.iter().map(|u| u.id.index()))?;
        dense("venue", self.venues.iter().map(|v| v.id.index()))?;
        dense("site", self.sites.iter().map(|s| s.id.index()))?;
        dense("supervisor", self.supervisors.iter().map(|s| s.id.index()))?;
        dense("bus line", self.bus_lines.iter().map(|b| b.id.index()))?;
        for c in &self.cameras {
            let at = || format!("camera {}", c.name);
            need(c.lane.is_none_or(|(l, _)| l.index() < self.lanes.len()), at, "watches an unknown lane")?;
            need(c.venue.is_none_or(|v| v.index() < self.venues.len()), at, "counts at an unknown venue")?;
            need(c.site.is_none_or(|s| s.index() < self.sites.len()), at, "watches an unknown site")?;
        }
        for u in &self.units {
            need(u.grid.index() < self.grids.len(), || format!("unit {}", u.name), "has an unknown grid")?;
        }
        for s in &self.sites {
            need(
                s.supervisor.index() < self.supervisors.len(),
                || format!("site {}", s.name),
                "has an unknown supervisor",
            )?;
        }
        for b in &self.bus_lines {
            need(
                b.route.iter().all(|l| l.index() < self.links.len()),
                || format!("bus line {}", b.name),
                "runs on an unknown link",
            )?;
        }
        Ok(())
    }
}

/// The first pair of heads that `lights` lets go although they conflict, if any.
pub(crate) fn crossing_greens(conflicts: &super::ConflictMatrix, lights: &[Light]) -> Option<(usize, usize)> {
    let green = |h: &usize| lights[*h].is_green();
    let heads = || (0..lights.len()).filter(green);
    heads().flat_map(|a| heads().filter(move |b| *b > a).map(move |b| (a, b))).find(|&(a, b)| {
        match conflicts.get(a, b) {
            Conflict::None => false,
            Conflict::FirstYields => lights[a] != Light::Permissive,
            Conflict::SecondYields => lights[b] != Light::Permissive,
            Conflict::Hard => true,
        }
    })
}

fn dense(what: &str, ids: impl Iterator<Item = usize>) -> Result<(), CityError> {
    match ids.enumerate().find(|(row, id)| row != id) {
        Some((row, id)) => Err(CityError(format!("{what} {id} stands in row {row}: IDs must be dense"))),
        None => Ok(()),
    }
}

fn need(holds: bool, at: impl Fn() -> String, complaint: &str) -> Result<(), CityError> {
    if holds { Ok(()) } else { Err(CityError(format!("{} {complaint}", at()))) }
}
