//! A city in numbers.

use nanming_dataflows::network::{CameraKind, City};

/// What there is in a city, row by row; shows itself as a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Numbers {
    /// Name of the city.
    pub city: String,
    /// Name for programs, label for people, count.
    pub rows: Vec<(&'static str, &'static str, u64)>,
}

/// Counts a city.
pub fn numbers(city: &City) -> Numbers {
    let cameras = |kind| city.cameras.iter().filter(|c| c.kind == kind).count();
    let on_shift = |minute| city.units.iter().filter(|u| u.on_shift(minute)).count();
    let street_m: u64 = city.links.iter().map(|l| u64::from(l.length_mm)).sum::<u64>() / 1000;
    let rows = [
        ("junctions", "signalised junctions", city.junctions.len()),
        ("nodes", "nodes", city.nodes.len()),
        ("links", "links", city.links.len()),
        ("link_km", "link length, km", (street_m / 1000) as usize),
        ("lanes", "lanes", city.lanes.len()),
        ("movements", "movements", city.movements.len()),
        ("heads", "signal heads", city.junctions.iter().map(|j| j.heads.len()).sum()),
        ("stages", "stages", city.junctions.iter().map(|j| j.stages.len()).sum()),
        ("plans", "plans", city.junctions.iter().map(|j| j.plans.len()).sum()),
        ("cameras", "cameras", city.cameras.len()),
        ("stop_line_cameras", "  at stop lines", cameras(CameraKind::StopLine)),
        ("mid_link_cameras", "  along links", cameras(CameraKind::MidLink)),
        ("crowd_cameras", "  counting crowds", cameras(CameraKind::Crowd)),
        ("site_cameras", "  at building sites", cameras(CameraKind::Site)),
        ("districts", "districts", city.districts.len()),
        ("grids", "patrol grids", city.grids.len()),
        ("units", "patrol units", city.units.len()),
        ("units_on_shift", "  on shift at least", (0..24 * 60).map(on_shift).min().unwrap_or(0)),
        ("venues", "venues", city.venues.len()),
        ("sites", "building sites", city.sites.len()),
        ("supervisors", "site supervisors", city.supervisors.len()),
        ("bus_lines", "bus lines", city.bus_lines.len()),
        ("bus_stops", "bus stops", city.bus_lines.iter().map(|b| b.stops.len()).sum()),
    ];
    Numbers { city: city.name.clone(), rows: rows.map(|(name, label, n)| (name, label, n as u64)).to_vec() }
}

impl std::fmt::Display for Numbers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "{}", self.city)?;
        self.rows.iter().try_for_each(|(_, label, count)| writeln!(f, "  {label:<24}{count:>9}"))
    }
}
