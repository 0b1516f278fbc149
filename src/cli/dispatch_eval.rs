//! `nanming dispatch-eval`: replays recorded calls by the engine's dispatch policy and by others, and prints their figures.

use std::path::{Path, PathBuf};

use chrono::NaiveDate;
use clap::Args;
use nanming_dataflows::decide::dispatch::plan::Policy;

use crate::dispatch_eval::{By, DispatchEvalError, Name, Plan, dispatch_eval as measure};
use crate::sumo::Seeds;

const EXAMPLES: &str = "\
Examples:
  nanming dispatch-eval calls.csv.gz --units 16
  nanming dispatch-eval calls.csv.gz --units 16 --seeds 0-9 --policy nanming,preempt --json
  nanming dispatch-eval calls.csv.gz --units 16 --policy nanming --settings policy.toml

The table needs the columns received_at, entry_at, onscene_at, close_at, priority (A, B, C), lon and lat. Calls without a place,
and those that officers raised themselves (on_view not N), are left out.";

/// Options of `nanming dispatch-eval`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct DispatchEvalArgs {
    /// Recorded calls, .csv or .csv.gz
    #[arg(value_name = "CALLS.csv.gz")]
    calls: PathBuf,
    /// Units in service
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1000))]
    units: u16,
    /// Replays, each with other places where units start
    #[arg(long, value_name = "SEEDS", default_value = "0-2")]
    seeds: Seeds,
    /// Who decides, with commas between; figures at the top of the JSON are those of the first
    #[arg(long, value_name = "NAME,..", value_enum, value_delimiter = ',', default_values_t = Name::ALL)]
    policy: Vec<Name>,
    /// Settings of the engine's policy, TOML; what it does not name stays as it is
    #[arg(long, value_name = "FILE")]
    settings: Option<PathBuf>,
    /// Units travel the distance east plus that north at this speed, m/s
    #[arg(long, value_name = "M/S", default_value = "8", value_parser = speed)]
    straight: f64,
    /// Units travel over a road graph instead: tables of its nodes (index, x, y) and of its arcs (fromNode, toNode, mode_1 in days)
    #[arg(long, value_name = "NODES,ARCS", value_delimiter = ',', num_args = 1, conflicts_with = "straight")]
    roads: Vec<PathBuf>,
    /// Leave out calls received before this day [default: before the first day with a tenth of the busiest day's calls]
    #[arg(long, value_name = "YYYY-MM-DD")]
    from: Option<NaiveDate>,
    /// Leave out calls of other agencies, where the table has a column agency
    #[arg(long, value_name = "NAME", default_value = "Police")]
    agency: String,
    /// Print the figures as one JSON object instead of text
    #[arg(long)]
    json: bool,
}

fn speed(text: &str) -> Result<f64, String> {
    let speed = text.parse().ok().filter(|speed: &f64| (0.1..=100.0).contains(speed));
    speed.ok_or_else(|| "write a speed from 0.1 to 100 m/s, such as 8".into())
}

fn settings(path: &Path) -> Result<Policy, DispatchEvalError> {
    let text = std::fs::read_to_string(path).map_err(|source| DispatchEvalError::File { path: path.into(), source })?;
    toml::from_str(&text).map_err(|error| DispatchEvalError::Settings(path.into(), error.to_string()))
}

impl DispatchEvalArgs {
    fn by(&self) -> Result<By, DispatchEvalError> {
        match self.roads.as_slice() {
            [] => Ok(By::Straight(self.straight)),
            [nodes, arcs] => Ok(By::Roads(nodes.clone(), arcs.clone())),
            [first, ..] => {
                let what = "--roads takes two files with a comma between: nodes.csv.gz,arcs.csv.gz";
                Err(DispatchEvalError::Roads(first.clone(), what.into()))
            }
        }
    }

    fn plan(&self) -> Result<Plan, DispatchEvalError> {
        let mut policies = Vec::new();
        self.policy.iter().for_each(|name| {
            if !policies.contains(name) {
                policies.push(*name);
            }
        });
        Ok(Plan {
            calls: self.calls.clone(),
            from: self.from,
            agency: self.agency.clone(),
            units: usize::from(self.units),
            seeds: self.seeds.0.clone(),
            policies,
            settings: self.settings.as_deref().map(settings).transpose()?.unwrap_or_default(),
            travel: self.by()?,
        })
    }
}

/// Runs the command.
pub(super) fn dispatch_eval(args: &DispatchEvalArgs) -> Result<(), Box<dyn std::error::Error>> {
    let report = measure(&args.plan()?)?;
    if args.json {
        say!("{}", serde_json::to_string(&report)?);
    } else {
        put!("{report}");
    }
    Ok(())
}
