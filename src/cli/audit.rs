//! `nanming audit`: the audit log checked, shown, and its roots printed. Works beside a running city.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::NaiveDate;
use clap::{Args, Subcommand};
use rusqlite::Connection;

use super::books::BooksArgs;
use super::out;
use crate::config::Config;
use crate::door::Taken;
use crate::ledger::audit::taken::{self, Played, Replayed};
use crate::ledger::audit::verify::Finding;
use crate::ledger::audit::{self, Record, roots, verify};
use crate::ledger::{VERSION, open_read_only};
use crate::recording::{Recorded, Recording};

/// Options of `nanming audit`.
#[derive(Debug, Args)]
pub struct AuditArgs {
    #[command(subcommand)]
    command: AuditCommand,
}

#[derive(Debug, Subcommand)]
enum AuditCommand {
    /// Walk the chain and hold the tables against it: exit code 0 all agrees, 1 the first record that does not
    Verify(VerifyArgs),
    /// Print records, one a line: number, city time, kind, JSON
    Show(ShowArgs),
    /// Print the root over a day's records, or of all days, as lines that `verify --anchor` takes
    Root(RootArgs),
}

#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  nanming audit verify\n  nanming audit verify --anchor /mnt/elsewhere/audit-roots\n  nanming audit verify --recording /var/lib/nanming/recording"
)]
struct VerifyArgs {
    #[command(flatten)]
    books: BooksArgs,
    /// Lines of roots kept elsewhere [default: those beside the ledger, where there are some]
    #[arg(long, value_name = "FILE")]
    anchor: Vec<PathBuf>,
    /// A recording of the city: is it what the engine had seen when it decided?
    #[arg(long, value_name = "DIR")]
    recording: Option<PathBuf>,
}

#[derive(Debug, Args)]
struct ShowArgs {
    #[command(flatten)]
    books: BooksArgs,
    /// Those of this call
    #[arg(long, value_name = "ID", required_unless_present = "kind", conflicts_with = "kind")]
    call: Option<u64>,
    /// Those of this kind: start, adopted, tick, signals, taken, prune, lookup
    #[arg(long, value_name = "WORD")]
    kind: Option<String>,
}

#[derive(Debug, Args)]
struct RootArgs {
    #[command(flatten)]
    books: BooksArgs,
    /// Only this local day, such as 2026-01-06
    #[arg(long, value_name = "DATE")]
    day: Option<NaiveDate>,
}

/// Runs the command.
pub(super) fn audit(args: &AuditArgs, config: &Config) -> Result<(), Box<dyn std::error::Error>> {
    match &args.command {
        AuditCommand::Verify(args) => verify(args, config),
        AuditCommand::Show(args) => show(args, config),
        AuditCommand::Root(args) => root(args, config),
    }
}

fn verify(args: &VerifyArgs, config: &Config) -> Result<(), Box<dyn std::error::Error>> {
    let path = args.books.path(config)?;
    let mut anchors = Vec::new();
    if args.anchor.is_empty() {
        anchors = roots::read(&roots::beside(&path))?;
    }
    for file in &args.anchor {
        if !file.exists() {
            return Err(format!("there is no file {}; name one that `nanming audit root` wrote", file.display()).into());
        }
        let lines = roots::read(file)?;
        if lines.is_empty() {
            return Err(
                format!("{} holds no roots; name a file that `nanming audit root` wrote", file.display()).into()
            );
        }
        anchors.extend(lines);
    }
    let db = reading(&path)?;
    let disagrees = |finding: Finding| format!("the audit log of {} does not agree: {finding}", path.display());
    say!("{}", verify::verify(&db, &anchors)?.map_err(disagrees)?);
    if let Some(dir) = &args.recording {
        let differs = |finding: Finding| format!("the recording {} is not what was audited: {finding}", dir.display());
        say!("{}", replay(&db, args, config, dir)?.map_err(differs)?);
    }
    Ok(())
}

/// The chain against a recording.
fn replay(
    db: &Connection,
    args: &VerifyArgs,
    config: &Config,
    dir: &Path,
) -> Result<Result<Replayed, Finding>, Box<dyn std::error::Error>> {
    let recording = Recording::open(dir, &Arc::new(args.books.city(config)?))?;
    let blocks = recording.ticks(0, u64::MAX);
    let ticks = blocks.flat_map(|block| match block {
        Ok(ticks) => ticks.iter().map(played).collect(),
        Err(error) => vec![Err(error.into())],
    });
    let replayed = taken::replay(db, ticks, recording.span())?;
    match &replayed {
        Ok(none @ Replayed { records: 0, .. }) => {
            let (first, last) = recording.span();
            let dir = dir.display();
            Err(format!("{dir} is of the ticks {first} to {last}, and nothing of it could be checked: {none}").into())
        }
        _ => Ok(replayed),
    }
}

fn played(recorded: &Recorded) -> Result<Played, Box<dyn std::error::Error>> {
    let Recorded { tick, left_out, starts, ref batch } = *recorded;
    let taken = Taken::of(tick, batch).ok_or_else(|| format!("tick {tick} cannot be written down"))?;
    Ok(Played { tick, left_out, starts, taken })
}

fn show(args: &ShowArgs, config: &Config) -> Result<(), Box<dyn std::error::Error>> {
    let db = reading(&args.books.path(config)?)?;
    let records = match (args.call, &args.kind) {
        (Some(call), _) => audit::of_call(&db, call)?,
        (None, kind) => audit::of_kind(&db, kind.as_deref().unwrap_or_default())?,
    };
    if records.is_empty() {
        return Err("the audit log has no such record".into());
    }
    records.iter().map(Record::line).try_for_each(|line| out(format_args!("{line}\n")))?;
    Ok(())
}

fn root(args: &RootArgs, config: &Config) -> Result<(), Box<dyn std::error::Error>> {
    let db = reading(&args.books.path(config)?)?;
    let days = roots::days(&db, 1, args.books.city(config)?.utc_offset_min)?;
    let mut wanted = days.iter().filter(|line| args.day.is_none_or(|day| day == line.day)).peekable();
    if wanted.peek().is_none() {
        return Err("the audit log has no record of that day".into());
    }
    wanted.try_for_each(|line| out(format_args!("{line}\n")))?;
    Ok(())
}

/// Reads what has this version's tables.
pub(super) fn reading(path: &std::path::Path) -> Result<Connection, Box<dyn std::error::Error>> {
    let failed = |error: String| {
        let path = path.display();
        format!("{path} cannot be read: {error}; of a copy keep its -wal beside it, in a directory that can be written")
    };
    let db = open_read_only(path).map_err(|error| failed(error.to_string()))?;
    let is_there = "SELECT count(*) FROM sqlite_master WHERE name = 'audit'";
    let known: bool = db.query_row(is_there, [], |row| row.get(0)).map_err(|error| failed(error.to_string()))?;
    if known {
        return Ok(db);
    }
    let version: i64 = db.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    let path = path.display();
    if version >= VERSION {
        return Err(
            format!("the audit log of {path} was removed: keep a copy of the file for whoever looks into it").into()
        );
    }
    Err(format!("{path} has no audit log: it is of an older version; start this one on it once").into())
}
