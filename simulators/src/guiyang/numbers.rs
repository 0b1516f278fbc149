//! A city in numbers, for people.

use nanming_dataflows::network::{CameraKind, City};

/// What there is in a city, row by row; shows itself as a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Numbers {
    /// Name of the city.
    pub city: String,
    /// Label and count.
    pub rows: Vec<(&'static str, u64)>,
}

/// Counts a city.
pub fn numbers(city: &City) -> Numbers {
    let cameras = |kind| city.cameras.iter().filter(|c| c.kind == kind).count();
    let on_shift = |minute| city.units.iter().filter(|u| u.on_shift(minute)).count();
    let street_m: u64 = city.links.iter().map(|l| u64::from(l.length_mm)).sum::<u64>() / 1000;
    let rows = [
        ("signalised junctions", city.junctions.len()),
        ("nodes", city.nodes.len()),
        ("links", city.links.len()),
        ("link length, km", (street_m / 1000) as usize),
        ("lanes", city.lanes.len()),
        ("movements", city.movements.len()),
        ("signal heads", city.junctions.iter().map(|j| j.heads.len()).sum()),
        ("stages", city.junctions.iter().map(|j| j.stages.len()).sum()),
        ("plans", city.junctions.iter().map(|j| j.plans.len()).sum()),
        ("cameras", city.cameras.len()),
        ("  at stop lines", cameras(CameraKind::StopLine)),
        ("  along links", cameras(CameraKind::MidLink)),
        ("  counting crowds", cameras(CameraKind::Crowd)),
        ("  at building sites", cameras(CameraKind::Site)),
        ("districts", city.districts.len()),
        ("patrol grids", city.grids.len()),
        ("patrol units", city.units.len()),
        ("  on shift at least", (0..24 * 60).map(on_shift).min().unwrap_or(0)),
        ("venues", city.venues.len()),
        ("building sites", city.sites.len()),
        ("site supervisors", city.supervisors.len()),
        ("bus lines", city.bus_lines.len()),
        ("bus stops", city.bus_lines.iter().map(|b| b.stops.len()).sum()),
    ];
    Numbers { city: city.name.clone(), rows: rows.map(|(label, count)| (label, count as u64)).to_vec() }
}

impl std::fmt::Display for Numbers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "{}", self.city)?;
        self.rows.iter().try_for_each(|(label, count)| writeln!(f, "  {label:<24}{count:>9}"))
    }
}
