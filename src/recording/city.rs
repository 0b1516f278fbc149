//! Whose numbers a recording holds.

use nanming_dataflows::event::{Batch, CallChange};
use nanming_dataflows::network::{City, LonLat};

/// What of a city the numbers in its recordings stand for, as a hash: names of cameras, links, junctions with their heads,
/// units, sites, venues, districts and bus lines, by row, and the grids. Lengths, signal plans and demand may change: to see what such a change
/// does is what recordings are for.
pub fn fingerprint(city: &City) -> String {
    let mut hasher = blake3::Hasher::new();
    let LonLat { lon_e7, lat_e7 } = city.origin;
    hasher.update(&lon_e7.to_le_bytes()).update(&lat_e7.to_le_bytes());
    let mut table = |name: &str, rows: &mut dyn Iterator<Item = (&str, u64)>| {
        hasher.update(name.as_bytes());
        for (name, number) in rows {
            hasher.update(&(name.len() as u64).to_le_bytes()).update(name.as_bytes()).update(&number.to_le_bytes());
        }
    };
    table(
        "cameras",
        &mut city.cameras.iter().map(|c| (c.name.as_str(), c.lane.map_or(0, |(lane, _)| u64::from(lane.0) + 1))),
    );
    table("links", &mut city.links.iter().map(|l| (l.name.as_str(), l.lanes.len() as u64)));
    table("junctions", &mut city.junctions.iter().map(|j| (j.name.as_str(), j.heads.len() as u64)));
    table("units", &mut city.units.iter().map(|u| (u.name.as_str(), 0)));
    table("sites", &mut city.sites.iter().map(|s| (s.name.as_str(), 0)));
    table("venues", &mut city.venues.iter().map(|v| (v.name.as_str(), 0)));
    table("districts", &mut city.districts.iter().map(|d| (d.name.as_str(), 0)));
    table("bus lines", &mut city.bus_lines.iter().map(|b| (b.name.as_str(), b.route.len() as u64)));
    let corner = |x: i32, y: i32| (u64::from(x as u32) << 32) | u64::from(y as u32);
    let corners =
        city.grids.iter().flat_map(|g| [("", corner(g.min.x_mm, g.min.y_mm)), ("", corner(g.max.x_mm, g.max.y_mm))]);
    table("grids", &mut { corners });
    hasher.finalize().to_hex().as_str()[..32].to_owned()
}

/// Whether a city has everything that a batch names; if not, what it lacks. The engine trusts the door in this.
pub(super) fn fits(city: &City, batch: &Batch) -> Result<(), String> {
    let has = |what: &str, row: usize, rows: usize| {
        if row < rows { Ok(()) } else { Err(format!("it names {what} {row}, which the city does not have")) }
    };
    let camera = |row: usize| has("camera", row, city.cameras.len());
    let unit = |row: usize| has("unit", row, city.units.len());
    if let Some(last) = batch.passages.iter().map(|p| p.camera.index()).max() {
        camera(last)?;
    }
    batch.flows.iter().try_for_each(|e| camera(e.camera.index()))?;
    batch.crowds.iter().try_for_each(|e| camera(e.camera.index()))?;
    batch.violations.iter().try_for_each(|e| camera(e.camera.index()))?;
    batch.units.iter().try_for_each(|e| unit(e.unit.index()))?;
    batch.acks.iter().try_for_each(|e| unit(e.unit.index()))?;
    batch.cases.iter().try_for_each(|e| unit(e.by.index()))?;
    batch.sites.iter().try_for_each(|e| has("site", e.site.index(), city.sites.len()))?;
    batch.gates.iter().try_for_each(|e| has("venue", e.venue.index(), city.venues.len()))?;
    let mut districts = batch.weather.iter().filter_map(|e| e.district);
    districts.try_for_each(|of| has("district", of.index(), city.districts.len()))?;
    batch.rosters.iter().try_for_each(|e| has("roster", e.roster.index(), city.rosters.len()))?;
    for call in &batch.calls {
        match call.change {
            CallChange::Opened(facts)
            | CallChange::Updated(facts)
            | CallChange::Split(facts)
            | CallChange::Joined(facts, _) => has("grid", facts.grid.index(), city.grids.len())?,
            CallChange::Restored(facts, standing) => {
                has("grid", facts.grid.index(), city.grids.len())?;
                standing.unit.map_or(Ok(()), |u| unit(u.index()))?;
            }
            CallChange::Serving(serving) => unit(serving.unit.index())?,
            CallChange::Declined(who) | CallChange::Done(who) | CallChange::Ordered(who) => unit(who.index())?,
            CallChange::Attempts(_) | CallChange::Cancelled | CallChange::Withdrawn => {}
        }
    }
    for bus in &batch.buses {
        has("link", bus.link.index(), city.links.len())?;
        has("bus line", bus.line.index(), city.bus_lines.len())?;
    }
    for shown in &batch.signals {
        has("junction", shown.junction.index(), city.junctions.len())?;
        let heads = city.junctions[shown.junction.index()].heads.len();
        if shown.lamps.len() != heads {
            return Err(format!(
                "it shows {} lamps at junction {} of {heads} heads",
                shown.lamps.len(),
                shown.junction
            ));
        }
    }
    for hold in &batch.holds {
        has("junction", hold.junction.index(), city.junctions.len())?;
        let stages = city.junctions[hold.junction.index()].stages.len();
        hold.stage.map_or(Ok(()), |stage| has("stage", usize::from(stage), stages))?;
    }
    Ok(())
}
