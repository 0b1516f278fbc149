//! Signal timing beside the rules that it is to beat, with SUMO as the judge: on each map, over the same seeds, the scenario's
//! own programs, SUMO's gap-actuated ones, max-pressure and a greedy rule, all played by a program that shares no code with
//! ours, and the engine: with places known almost exactly, by detectors, with a fifth of them dead, and in the full envelope.
//!
//! `cargo bench --bench signals [-- MAP.. --seeds 1-8 --jobs N]`. Maps are those under `$NANMING_DATA/signal`, by name, any
//! `.sumocfg`, and `town499`: a town of 499 signals with 14,400 vehicles in an hour, made anew, played with the first seed.
//! Without maps: all of them. Needs SUMO (docs/sumo.md) with libsumo beside it (`pip install libsumo==1.28.0`) and the
//! reference program `$NANMING_DATA/../checks/sumo_baseline.py`. Exit code 1 when a goal is missed.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::AtomicBool;

use clap::Parser;
use nanming::sumo::{Report, Seeds, SumoArgs, SumoError, sumo};

#[path = "../measure/mod.rs"]
mod measure;
mod rules;
mod table;
mod town;
use measure::Goals;
use rules::Rules;
use table::{Row, Table};

/// The engine's median against the best rule's.
const AGAINST_RULES: f64 = 0.88;
/// The worst seed against the median: beyond it some seed is in gridlock.
const GRIDLOCK: f64 = 1.5;
/// Seen by detectors against places known.
const BY_DETECTORS: f64 = 1.15;
/// For a second of 499 junctions, ms.
const TOWN_DECIDE_MS: f64 = 5.0;

/// What the engine is asked beside its plain timing: the table's word for it, and the options.
const ENGINE: [(&str, &str); 5] = [
    ("engine", ""),
    ("engine, detectors", "--sensing detectors"),
    ("engine, 20 % of them dead", "--sensing detectors --dead 0.2"),
    ("engine, all-red 2 s", "--all-red 2"),
    ("engine, all-red 2 s, pedestrians", "--all-red 2 --pedestrians"),
];

#[derive(Parser)]
struct Args {
    /// Names of maps, .sumocfg files, town499
    maps: Vec<String>,
    #[arg(long, default_value = "1-8")]
    seeds: Seeds,
    /// Runs at a time
    #[arg(long)]
    jobs: Option<NonZeroUsize>,
    /// Given by cargo
    #[arg(long, hide = true)]
    bench: bool,
}

/// The command line of `nanming sumo`.
#[derive(Parser)]
struct Command {
    #[command(flatten)]
    args: SumoArgs,
}

/// A scenario to play.
struct Map {
    name: String,
    config: PathBuf,
    seeds: Vec<u64>,
    is_town: bool,
}

fn main() -> ExitCode {
    let args = Args::parse();
    let jobs = args.jobs.or_else(|| std::thread::available_parallelism().ok()).unwrap_or(NonZeroUsize::MIN);
    let program = match nanming::sumo::find(None) {
        Ok(program) => program,
        Err(error) => {
            eprintln!("SKIPPED: {error}");
            return ExitCode::SUCCESS;
        }
    };
    let data = std::env::var_os("NANMING_DATA").map_or_else(|| PathBuf::from("../shared/data"), PathBuf::from);
    let rules = Rules::find(&program, &data.join("../checks"), jobs);
    let dir = tempfile::tempdir().expect("a directory");
    let mut goals = Goals::default();
    let names = if args.maps.is_empty() { all(&data) } else { args.maps };
    for name in names {
        let found = if name == "town499" {
            town::build(&program, &data.join("../checks"), dir.path())
        } else {
            find(&data, &name)
        };
        match found {
            Ok(config) => {
                let is_town = name == "town499";
                let seeds = if is_town { args.seeds.0[..1].to_vec() } else { args.seeds.0.clone() };
                play(&Map { name, config, seeds, is_town }, rules.as_ref(), jobs, &mut goals);
            }
            Err(why) => eprintln!("SKIPPED: {name}: {why}"),
        }
    }
    goals.verdict()
}

/// All maps of the data, and the town.
fn all(data: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(data.join("signal")).into_iter().flatten().filter_map(Result::ok);
    let mut names: Vec<String> = entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names.push("town499".into());
    names
}

fn find(data: &Path, name: &str) -> Result<PathBuf, String> {
    let paths = [PathBuf::from(name), data.join(format!("signal/{name}/{name}.sumocfg"))];
    let found = paths.iter().find(|path| path.is_file()).cloned();
    found.ok_or_else(|| format!("there is no {}; set NANMING_DATA, or give a .sumocfg", paths[1].display()))
}

fn play(map: &Map, rules: Option<&Rules>, jobs: NonZeroUsize, goals: &mut Goals) {
    println!("\n{} ({}), seeds {:?}", map.name, map.config.display(), map.seeds);
    let mut table = Table::default();
    let names = if map.is_town { &rules::TOWN[..] } else { &rules::ALL[..] };
    for rule in rules.map_or(&[][..], |_| names) {
        match rules.map(|rules| rules.play(rule, &map.config, &map.seeds)) {
            Some(Ok(row)) => table.add(row),
            Some(Err(why)) => goals.judge(&format!("{}: {rule}", map.name), false, why),
            None => {}
        }
    }
    for (name, options) in ENGINE {
        match engine(map, options, jobs) {
            Ok(report) => {
                let delays_s = report.seeds.iter().map(|run| run.trips.delay_s).collect();
                table.add(Row::new(name, delays_s, report.arrived, report.loaded, Some(report.decide_ms_per_city_s)));
            }
            Err(error) => goals.judge(&format!("{}: {name}", map.name), false, error.to_string()),
        }
    }
    println!("{table}");
    judge(map, &table, goals);
}

fn engine(map: &Map, options: &str, jobs: NonZeroUsize) -> Result<Report, SumoError> {
    let seeds: Vec<String> = map.seeds.iter().map(u64::to_string).collect();
    let (config, seeds, jobs) = (map.config.to_string_lossy(), seeds.join(","), jobs.to_string());
    let line = ["nanming sumo", &config, "--seeds", &seeds, "--jobs", &jobs].map(str::to_string);
    let line: Vec<String> = line.into_iter().chain(options.split_whitespace().map(str::to_string)).collect();
    println!("  $ {}", line.join(" "));
    sumo(&Command::parse_from(line).args, &AtomicBool::new(false))
}

/// What is missing in the table was said already.
fn judge(map: &Map, table: &Table, goals: &mut Goals) {
    let what = |what: &str| format!("{}: {what}", map.name);
    let median_s = |name: &str| table.row(name).map(Row::median_s);
    let [engine, detectors, dead, ..] = ENGINE.map(|(name, _)| name);
    if let (Some(ours_s), Some((best, best_s))) = (median_s(engine), table.best(&rules::ALL)) {
        goals.most(&what(&format!("engine / {best}")), ours_s / best_s, AGAINST_RULES);
    }
    for name in [engine, detectors, dead] {
        if let Some(row) = table.row(name).filter(|row| row.seeds() > 1) {
            goals.most(&what(&format!("{name}: worst / median")), row.worst_s() / row.median_s(), GRIDLOCK);
        }
    }
    if let (Some(seen_s), Some(exact_s)) = (median_s(detectors), median_s(engine)) {
        goals.most(&what("detectors / exact"), seen_s / exact_s, BY_DETECTORS);
    }
    if let (Some(dead_s), Some(fixed_s)) = (median_s(dead), median_s("fixed")) {
        goals.most(&what("20 % dead / fixed"), dead_s / fixed_s, 1.0);
    }
    if let Some(decide_ms) = table.row(engine).and_then(|row| row.decide_ms).filter(|_| map.is_town) {
        goals.most(&what("ms for a second of the city"), decide_ms, TOWN_DECIDE_MS);
    }
}
