//! `nanming city`: writes a city and prints its numbers.

use std::path::PathBuf;

use clap::Args;
use nanming_dataflows::network::{CameraKind, City};

use crate::city_file;

/// Options of `nanming city`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  nanming city --seed 7 --out city.json\n  nanming city --net town.net.xml --json")]
pub struct CityArgs {
    /// Import this SUMO .net.xml (or read a .json city) instead of generating the reference city
    #[arg(long, value_name = "FILE")]
    net: Option<PathBuf>,
    /// Seed of the generated city
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Write the city as JSON to this file
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Print the numbers as one JSON object
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub(super) fn city(args: &CityArgs) -> Result<(), Box<dyn std::error::Error>> {
    let city = city_file::load(args.net.as_deref(), args.seed)?;
    if let Some(path) = &args.out {
        city_file::write(&city, path)?;
    }
    let numbers = numbers(&city);
    if args.json {
        let object: serde_json::Map<_, _> = numbers.into_iter().map(|(name, n)| (name.to_owned(), n.into())).collect();
        println!("{}", serde_json::json!({ "name": city.name, "counts": object }));
    } else {
        println!("{}", city.name);
        numbers.iter().for_each(|(name, n)| println!("{:>22}  {n}", name.replace('_', " ")));
    }
    Ok(())
}

/// How many there are of each kind of thing.
fn numbers(city: &City) -> Vec<(&'static str, usize)> {
    let cameras = |kind| city.cameras.iter().filter(|c| c.kind == kind).count();
    let length_mm: u64 = city.links.iter().map(|l| u64::from(l.length_mm)).sum();
    vec![
        ("nodes", city.nodes.len()),
        ("links", city.links.len()),
        ("link_km", (length_mm / 1_000_000) as usize),
        ("lanes", city.lanes.len()),
        ("movements", city.movements.len()),
        ("junctions", city.junctions.len()),
        ("stages", city.junctions.iter().map(|j| j.stages.len()).sum()),
        ("cameras", city.cameras.len()),
        ("stop_line_cameras", cameras(CameraKind::StopLine)),
        ("mid_link_cameras", cameras(CameraKind::MidLink)),
        ("crowd_cameras", cameras(CameraKind::Crowd)),
        ("site_cameras", cameras(CameraKind::Site)),
        ("districts", city.districts.len()),
        ("grids", city.grids.len()),
        ("units", city.units.len()),
        ("venues", city.venues.len()),
        ("sites", city.sites.len()),
        ("supervisors", city.supervisors.len()),
        ("bus_lines", city.bus_lines.len()),
    ]
}
