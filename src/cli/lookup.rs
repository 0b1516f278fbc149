//! `nanming lookup`: where one vehicle was, for a case, with a second person's approval.

use std::path::PathBuf;
use std::sync::Arc;

use chrono::{DateTime, FixedOffset};
use clap::{Args, Subcommand};
use nanming_dataflows::network::City;

use super::books::BooksArgs;
use super::out;
use crate::clock::wall_ms;
use crate::config::Config;
use crate::ledger::lookups::{Asked, LookupError, Lookups};
use crate::recording::Recording;

/// Options of `nanming lookup`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  nanming lookup request --plate - --case 2026-17 --by 'Li Na' \\
      --from 2026-01-06T07:00:00+08:00 --until 2026-01-06T09:00:00+08:00\n  nanming lookup approve 4711 --by 'Wang Fang'\n  \
      nanming lookup result 4711 --by 'Li Na' --recording rec")]
pub struct LookupArgs {
    #[command(subcommand)]
    command: LookupCommand,
}

#[derive(Debug, Subcommand)]
enum LookupCommand {
    /// Ask where a vehicle was: prints the number of the request
    Request(RequestArgs),
    /// Approve somebody else's request
    Approve(StepArgs),
    /// Print where it was, once the request is approved: city time in ms and camera, one sighting a line
    Result(ResultArgs),
}

#[derive(Debug, Args)]
struct RequestArgs {
    #[command(flatten)]
    books: BooksArgs,
    /// The plate, which is kept nowhere; - reads it from standard input, so that no shell keeps it either
    #[arg(long, value_name = "PLATE", allow_hyphen_values = true)]
    plate: String,
    /// Number of the case that it is for
    #[arg(long, value_name = "NUMBER")]
    case: String,
    /// Who asks
    #[arg(long, value_name = "NAME")]
    by: String,
    /// From when on, such as 2026-01-06T07:00:00+08:00
    #[arg(long, value_name = "TIME")]
    from: DateTime<FixedOffset>,
    /// Until when
    #[arg(long, value_name = "TIME")]
    until: DateTime<FixedOffset>,
}

/// A request, and who does something about it: approves it, or asked and wants to see.
#[derive(Debug, Args)]
struct StepArgs {
    #[command(flatten)]
    books: BooksArgs,
    /// The request
    #[arg(value_name = "NUMBER")]
    request: i64,
    /// Your name
    #[arg(long, value_name = "NAME")]
    by: String,
}

#[derive(Debug, Args)]
struct ResultArgs {
    #[command(flatten)]
    step: StepArgs,
    /// The recording to look at
    #[arg(long, value_name = "DIR")]
    recording: PathBuf,
}

/// Runs the command, also beside a running city.
pub(super) fn lookup(args: &LookupArgs, config: &Config) -> Result<(), Box<dyn std::error::Error>> {
    match &args.command {
        LookupCommand::Request(args) => request(args, config),
        LookupCommand::Approve(args) => {
            Lookups::open(&args.books.path(config)?)?.approve(args.request, &args.by, wall_ms())?;
            say!("request {} is approved for a day", args.request);
            Ok(())
        }
        LookupCommand::Result(args) => result(args, config),
    }
}

fn request(args: &RequestArgs, config: &Config) -> Result<(), Box<dyn std::error::Error>> {
    let plates = config.ingest.plates()?;
    if plates.is_random() {
        return Err("ingest.plate_key is not set: the pseudonyms of an earlier start cannot be found again".into());
    }
    let ms = |time: DateTime<FixedOffset>| u64::try_from(time.timestamp_millis()).unwrap_or_default();
    let asked = Asked {
        case: args.case.trim().into(),
        by: args.by.trim().into(),
        vehicles: plates.all(&plate(&args.plate)?).into_iter().map(|vehicle| vehicle.0).collect(),
        from_ms: ms(args.from),
        until_ms: ms(args.until),
    };
    let number = Lookups::open(&args.books.path(config)?)?.request(asked, wall_ms())?;
    say!("{number}");
    eprintln!("a second person runs: nanming lookup approve {number} --by NAME");
    Ok(())
}

/// The plate itself, or what standard input says.
fn plate(said: &str) -> std::io::Result<String> {
    let mut line = said.to_owned();
    if said == "-" {
        line.clear();
        std::io::stdin().read_line(&mut line)?;
    }
    Ok(line.trim().into())
}

fn result(args: &ResultArgs, config: &Config) -> Result<(), Box<dyn std::error::Error>> {
    let city = Arc::new(args.step.books.city(config)?);
    let recording = Recording::open(&args.recording, &city)?;
    let find = |asked: &Asked| sightings(&recording, &city, asked);
    let lines =
        Lookups::open(&args.step.books.path(config)?)?.tell(args.step.request, &args.step.by, wall_ms(), find)?;
    lines.iter().try_for_each(|line| out(format_args!("{line}\n")))?;
    Ok(())
}

/// Where the vehicle was, by event time within what was asked.
fn sightings(recording: &Recording, city: &City, asked: &Asked) -> Result<Vec<String>, LookupError> {
    let mut found = Vec::new();
    let is_it = |vehicle: u64| vehicle != 0 && asked.vehicles.contains(&vehicle);
    for block in recording.ticks(0, u64::MAX) {
        let block = block.map_err(|_| LookupError::Nothing("the recording cannot be read"))?;
        let seen = block.iter().flat_map(|tick| &tick.batch.passages).filter(|passage| is_it(passage.vehicle.0));
        for passage in seen.filter(|passage| (asked.from_ms..asked.until_ms).contains(&passage.time_ms)) {
            let camera = city.cameras.get(passage.camera.index()).map_or("?", |camera| &camera.name);
            found.push((passage.time_ms, format!("{} {camera}", passage.time_ms)));
        }
    }
    found.sort_unstable();
    Ok(found.into_iter().map(|(_, line)| line).collect())
}
