//! `nanming city`: writes a city and prints its numbers.

use std::path::PathBuf;

use clap::Args;
use nanming_simulators::guiyang::numbers;

use crate::city_file;

/// Options of `nanming city`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  nanming city --seed 7 --out city.json\n  nanming city --net town.net.xml --json")]
pub struct CityArgs {
    /// Import this SUMO .net.xml (or read a .json city) instead of generating the reference city
    #[arg(long, visible_alias = "city", value_name = "FILE")]
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
        let counts: serde_json::Map<_, _> =
            numbers.rows.iter().map(|(name, _, n)| ((*name).to_owned(), (*n).into())).collect();
        say!("{}", serde_json::json!({ "name": numbers.city, "counts": counts }));
    } else {
        put!("{numbers}");
    }
    Ok(())
}
