//! The command line: what can be asked for, and where it goes.

use std::io::Write;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::builder::RangedU64ValueParser;
use clap::error::ErrorKind;
use clap::{Args, CommandFactory, Parser, Subcommand};

use crate::cluster::ClusterArgs;
use crate::config::{self, ClockConfig, Config};
use crate::diff::DiffArgs;
use crate::import::{ImportArgs, ImportError};
use crate::replay::{ReplayArgs, ReplayError};
use crate::sumo::SumoArgs;

/// As `println!`, with an error in place of a panic when nobody can take it.
macro_rules! say {
    ($($text:tt)*) => { crate::cli::out(format_args!("{}\n", format_args!($($text)*)))? };
}
/// As `print!`, in the same way.
macro_rules! put {
    ($($text:tt)*) => { crate::cli::out(format_args!($($text)*))? };
}

mod audit;
mod books;
mod city;
mod classify;
mod dispatch_eval;
mod explain;
mod forecast_eval;
mod interrupt;
mod ledger;
mod log;
mod lookup;
mod password;
mod report;
mod role_token;
mod roster_token;
mod sumo;
mod terminal_token;

/// Exit code after an interruption (Ctrl-C) of a command that had not finished.
pub const INTERRUPTED: u8 = 130;

const EXAMPLES: &str = "\
Examples:
  nanming                                  run the simulated reference city; the page is at http://127.0.0.1:8080
  nanming run --speed 10 --start 07:30     the morning peak, ten times as fast
  nanming run --city town.net.xml          a city of your own, from SUMO
  nanming run --no-sim                     only outside feeds: POST /api/ingest, POST /calls, terminals
  nanming sumo X.sumocfg --seeds 1-3       a SUMO scenario under the engine's lights: delays per seed
  nanming forecast-eval X.csv.gz --step 15m --start 2015-01-01    the forecaster's errors on a table
  nanming dispatch-eval X.csv.gz --units 16                       response times on recorded calls
  nanming city --json                      the numbers of the reference city
  nanming classify 两车追尾                 what an alarm's words are taken for, and why
  nanming explain 4711                     why a call went as it did, from the ledger
  nanming report --day 2026-01-06          how fast calls were answered
  nanming audit verify                     whether anything in the books was altered
  nanming config > nanming.toml            every setting with its value, to edit

Settings come from nanming.toml, then NANMING_* variables (NANMING_HTTP__LISTEN=127.0.0.1:9000), then options.
Logs go to standard error: --log debug, or NANMING_LOG=nanming::http=debug.
Exit codes: 0 done, 1 failed, 2 wrong usage, 130 interrupted.";

/// Runs a city's streets in real time: signals, forecasts, dispatch.
#[derive(Debug, Parser)]
#[command(name = "nanming", version, after_help = EXAMPLES)]
pub struct Cli {
    /// Read this configuration file instead of ./nanming.toml
    #[arg(long, global = true, value_name = "FILE", env = "NANMING_CONFIG")]
    pub config: Option<PathBuf>,
    /// Log filter, such as debug or nanming::ledger=trace
    #[arg(long, global = true, value_name = "FILTER", env = "NANMING_LOG", default_value = "info", value_parser = log::filter)]
    pub log: String,
    /// What to do; without one: run
    #[command(subcommand)]
    pub command: Option<Command>,
    /// Options of run
    #[command(flatten)]
    pub run: RunArgs,
}

/// What can be done.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the city until Ctrl-C (what plain `nanming` does)
    Run(RunArgs),
    /// Run the city and record what passes the door (as `run --record DIR`)
    Record(RecordArgs),
    /// Play a recorded hour through the engine and write what it decides
    Replay(ReplayArgs),
    /// Make a recording from SUMO's output or from tables
    Import(ImportArgs),
    /// Compare what two runs decided: exit code 0 the same, 1 they differ, 2 they cannot be compared
    Diff(DiffArgs),
    /// Time the lights of a SUMO scenario, and print the delays that SUMO tells
    Sumo(SumoArgs),
    /// Measure the forecaster on a table of sensors, beside two baselines
    ForecastEval(forecast_eval::ForecastEvalArgs),
    /// Replay recorded calls by the dispatch policy, beside four others and a bound
    DispatchEval(dispatch_eval::DispatchEvalArgs),
    /// Generate or import a city, write it, and print its numbers
    City(city::CityArgs),
    /// Say what an alarm's words are taken for, and by which rule
    Classify(classify::ClassifyArgs),
    /// Tell from the ledger why a call went as it did: who could have gone, who went, and why
    Explain(explain::ExplainArgs),
    /// Print from the ledger how fast calls were answered, as the 110 bulletins do
    Report(report::ReportArgs),
    /// Check the audit log, show records of it, or print its roots
    Audit(audit::AuditArgs),
    /// Check, export or prune the ledger
    Ledger(ledger::LedgerArgs),
    /// Look one vehicle up in a recording: for a case, with a second person's approval
    Lookup(lookup::LookupArgs),
    /// Print a token that a unit's terminal logs in with
    TerminalToken(terminal_token::TerminalTokenArgs),
    /// Print a token that a person of a roster, or its desk, asks with
    RosterToken(roster_token::RosterTokenArgs),
    /// Print a token that somebody of a role asks with, such as a dispatcher or a camera platform
    RoleToken(role_token::RoleTokenArgs),
    /// Read a password and print what the configuration keeps of it
    Password,
    /// Print the effective configuration as TOML; what is unset, and the secret, as comments
    Config,
}

/// Options of `nanming run`; each overrides the configuration.
#[derive(Debug, Default, PartialEq, Args)]
pub struct RunArgs {
    /// City: a SUMO .net.xml (or .gz), or a .json from `nanming city --out`; default: the generated reference city
    #[arg(long, visible_alias = "net", value_name = "FILE")]
    city: Option<PathBuf>,
    /// Patrol units to place when the city has none [default: 20 while the simulator runs]
    #[arg(long, value_name = "N", value_parser = units())]
    units: Option<usize>,
    /// Seed of the generated city and of the simulator
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// City time runs so many times as fast as the wall clock, at most 1000
    #[arg(long, value_name = "X", value_parser = speed)]
    speed: Option<f64>,
    /// Local time of day to start at, such as 07:30 (the next one to come), or now
    #[arg(long, value_name = "HH:MM", value_parser = start)]
    start: Option<String>,
    /// Traffic and calls against the usual, such as 1.3
    #[arg(long, value_name = "X", value_parser = demand)]
    demand: Option<f64>,
    /// No simulator: only what comes in from outside
    #[arg(long)]
    no_sim: bool,
    /// Junctions that follow common plans instead of choosing their stages by themselves: names with commas between, or all
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    plan_mode: Option<Vec<String>>,
    /// Address and port of the page and the API
    #[arg(long, value_name = "ADDR:PORT")]
    listen: Option<std::net::SocketAddr>,
    /// The ledger's SQLite file
    #[arg(long, value_name = "FILE")]
    ledger: Option<PathBuf>,
    /// Worker threads of the engine; more than one helps only where one core cannot keep up
    #[arg(long, value_name = "N", value_parser = workers())]
    workers: Option<usize>,
    /// Write decisions as JSON Lines files into this directory
    #[arg(long, value_name = "DIR")]
    jsonl: Option<PathBuf>,
    /// Record what passes the door into this directory
    #[arg(long, value_name = "DIR")]
    record: Option<PathBuf>,
    /// One of several processes
    #[command(flatten)]
    cluster: ClusterArgs,
}

/// Options of `nanming record`.
#[derive(Debug, Args)]
pub struct RecordArgs {
    /// Directory of the recording; one that is there already is gone on with
    #[arg(value_name = "DIR")]
    dir: PathBuf,
    /// Options of run
    #[command(flatten)]
    run: RunArgs,
}

impl RunArgs {
    fn apply(self, config: &mut Config) {
        fn set<T>(to: &mut T, from: Option<T>) {
            if let Some(value) = from {
                *to = value;
            }
        }
        config.city.file = self.city.or(config.city.file.take());
        config.city.units = self.units.or(config.city.units);
        set(&mut config.city.seed, self.seed);
        set(&mut config.simulator.seed, self.seed);
        set(&mut config.clock.speed, self.speed);
        set(&mut config.clock.start, self.start);
        set(&mut config.simulator.demand, self.demand);
        config.simulator.enabled &= !self.no_sim;
        set(&mut config.signals.plan, self.plan_mode);
        set(&mut config.http.listen, self.listen);
        set(&mut config.ledger.path, self.ledger);
        set(&mut config.engine.workers, self.workers);
        config.output.jsonl = self.jsonl.or(config.output.jsonl.take());
        config.record.dir = self.record.or(config.record.dir.take());
    }
}

/// Numbers of worker threads.
pub(crate) fn workers() -> RangedU64ValueParser<usize> {
    within(&config::WORKERS)
}

/// Numbers of patrol units.
pub(crate) fn units() -> RangedU64ValueParser<usize> {
    within(&config::UNITS)
}

fn within(range: &RangeInclusive<usize>) -> RangedU64ValueParser<usize> {
    RangedU64ValueParser::new().range(*range.start() as u64..=*range.end() as u64)
}

fn speed(text: &str) -> Result<f64, String> {
    let speed = text.parse().map_err(|_| "write a number, such as 10")?;
    ClockConfig::check_speed(speed).map(|()| speed)
}

fn demand(text: &str) -> Result<f64, String> {
    let (least, most) = (config::DEMAND.start(), config::DEMAND.end());
    let demand = text.parse().ok().filter(|demand| config::DEMAND.contains(demand));
    demand.ok_or_else(|| format!("write a number from {least} to {most}, such as 1.3"))
}

fn start(text: &str) -> Result<String, String> {
    let clock = ClockConfig { start: text.into(), ..ClockConfig::default() };
    clock.start_minute().map(|_| clock.start).map_err(|_| "write a time of day such as 07:30, or now".into())
}

/// Writes to standard output at once, so that a disk that is full is told.
pub(crate) fn out(text: std::fmt::Arguments<'_>) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    out.write_fmt(text)?;
    out.flush()
}

/// Reads the command line and does what it says. The exit code of the process, or an error to print with code 1.
pub fn main() -> Result<ExitCode, Box<dyn std::error::Error>> {
    let cli = Cli::parse();
    if cli.command.is_some() && cli.run != RunArgs::default() {
        Cli::command()
            .error(ErrorKind::ArgumentConflict, "options of run come after run, those of others after theirs")
            .exit();
    }
    log::start(&cli.log)?;
    let mut config = config::load(cli.config.as_deref())?;
    match cli.command.unwrap_or(Command::Run(cli.run)) {
        Command::Run(args) => {
            let cluster = args.cluster.cluster()?;
            args.apply(&mut config);
            config.check()?;
            let cluster = cluster.map(|cluster| cluster.agreeing_on(config.kafka.shared()));
            crate::run::run(&config, cluster.as_ref())?;
        }
        Command::Record(RecordArgs { dir, run }) => {
            let cluster = run.cluster.cluster()?;
            RunArgs { record: Some(dir), ..run }.apply(&mut config);
            config.check()?;
            let cluster = cluster.map(|cluster| cluster.agreeing_on(config.kafka.shared()));
            crate::run::run(&config, cluster.as_ref())?;
        }
        Command::Replay(args) => return replay(&args, &config),
        Command::Import(args) => return import(&args, &config),
        Command::Diff(args) => return Ok(diff(&args)),
        Command::Sumo(args) => return sumo::sumo(&args),
        Command::ForecastEval(args) => forecast_eval::forecast_eval(&args)?,
        Command::DispatchEval(args) => dispatch_eval::dispatch_eval(&args)?,
        Command::City(args) => city::city(&args)?,
        Command::Classify(args) => classify::classify(&args, &config.classification)?,
        Command::Explain(args) => explain::explain(&args, &config)?,
        Command::Report(args) => report::report(&args, &config)?,
        Command::Audit(args) => audit::audit(&args, &config)?,
        Command::Ledger(args) => ledger::ledger(&args, &config)?,
        Command::Lookup(args) => lookup::lookup(&args, &config)?,
        Command::TerminalToken(args) => terminal_token::terminal_token(args, &config)?,
        Command::RosterToken(args) => roster_token::roster_token(args, &config)?,
        Command::RoleToken(args) => role_token::role_token(&args, &config)?,
        Command::Password => password::password()?,
        Command::Config => put!("{}", config.to_toml()),
    }
    Ok(ExitCode::SUCCESS)
}

fn replay(args: &ReplayArgs, config: &Config) -> Result<ExitCode, Box<dyn std::error::Error>> {
    let interrupted = interrupt::watch()?;
    match crate::replay::replay(args, config, &interrupted) {
        Ok(summary) => summary.map_or(Ok(()), |summary| crate::replay::print(&summary, args.json))?,
        Err(error @ ReplayError::Interrupted { .. }) => {
            eprintln!("nanming: {error}");
            return Ok(ExitCode::from(INTERRUPTED));
        }
        Err(error) => return Err(error.into()),
    }
    Ok(ExitCode::SUCCESS)
}

fn import(args: &ImportArgs, config: &Config) -> Result<ExitCode, Box<dyn std::error::Error>> {
    let interrupted = interrupt::watch()?;
    match crate::import::import(args, config.ingest.plate_key.expose(), &interrupted) {
        Ok(imported) if args.json => say!("{}", serde_json::to_string(&imported)?),
        Ok(imported) => put!("{imported}"),
        Err(error @ ImportError::Interrupted(_)) => {
            eprintln!("nanming: {error}");
            return Ok(ExitCode::from(INTERRUPTED));
        }
        Err(error) => return Err(error.into()),
    }
    Ok(ExitCode::SUCCESS)
}

/// Its exit code tells the result; an error has one of its own.
fn diff(args: &DiffArgs) -> ExitCode {
    let found = match crate::diff::diff(args) {
        Ok(found) => found,
        Err(error) => {
            eprintln!("nanming: {error}");
            return ExitCode::from(2);
        }
    };
    let told =
        if args.json { out(format_args!("{}\n", serde_json::json!(found))) } else { out(format_args!("{found}")) };
    match told {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            eprintln!("nanming: {error}");
            ExitCode::from(2)
        }
        _ => ExitCode::from(u8::from(!found.same)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Cli {
        Cli::try_parse_from(line.split_whitespace()).unwrap()
    }

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn options_of_run_stand_with_and_without_the_word() {
        for line in ["nanming --speed 10 --no-sim", "nanming run --speed 10 --no-sim"] {
            let cli = parse(line);
            let Command::Run(args) = cli.command.unwrap_or(Command::Run(cli.run)) else { panic!("{line}") };
            let mut config = Config::default();
            args.apply(&mut config);
            assert_eq!(config.clock.speed, 10.0);
            assert!(!config.simulator.enabled);
        }
    }

    #[test]
    fn the_help_teaches_with_examples() {
        let help = Cli::command().render_long_help().to_string();
        assert!(help.contains("nanming run --speed 10 --start 07:30") && help.contains("Exit codes"), "{help}");
    }

    #[test]
    fn values_out_of_range_are_wrong_usage_and_both_names_of_a_city_are_known() {
        let wrong = "--speed 0|--speed 1001|--speed abc|--demand -1|--start 25:00|--workers 0|--units x|--log a=b=c";
        for options in wrong.split('|') {
            let refused = Cli::try_parse_from(["nanming", "run"].into_iter().chain(options.split(' '))).unwrap_err();
            assert_eq!(refused.exit_code(), 2, "{options}");
        }
        for line in ["nanming run --net x.json", "nanming run --city x.json", "nanming city --city x.json --json"] {
            parse(line);
        }
    }
}
