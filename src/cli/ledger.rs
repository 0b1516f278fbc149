//! `nanming ledger`: the book checked, exported, and rid of what is old.

use std::path::PathBuf;

use chrono::{NaiveDate, TimeDelta, Utc};
use clap::{Args, Subcommand};

use super::audit::reading;
use super::books::BooksArgs;
use super::out;
use super::report::day_ms;
use crate::config::Config;
use crate::ledger::{check, export, prune};

/// Options of `nanming ledger`.
#[derive(Debug, Args)]
pub struct LedgerArgs {
    #[command(subcommand)]
    command: LedgerCommand,
}

#[derive(Debug, Subcommand)]
enum LedgerCommand {
    /// Check the file, what must hold between its tables, and the audit log: exit code 0 all is well, 1 something is not
    Verify(VerifyArgs),
    /// Write every table as JSON Lines, without keys, telephone numbers and plates. Works beside a running city
    Export(ExportArgs),
    /// Remove calls, tasks, stages held and signal commands that were over before a day; what is open stays
    Prune(PruneArgs),
}

#[derive(Debug, Args)]
struct VerifyArgs {
    #[command(flatten)]
    books: BooksArgs,
}

#[derive(Debug, Args)]
struct ExportArgs {
    #[command(flatten)]
    books: BooksArgs,
    /// Directory to write to, which must not hold an export yet
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  nanming ledger prune --before 2025-07-01 --by 'Wang Fang, data protection'")]
struct PruneArgs {
    #[command(flatten)]
    books: BooksArgs,
    /// What was over before this local day goes
    #[arg(long, value_name = "DATE")]
    before: NaiveDate,
    /// Who has it done, for the audit log
    #[arg(long, value_name = "NAME")]
    by: String,
}

/// Runs the command.
pub(super) fn ledger(args: &LedgerArgs, config: &Config) -> Result<(), Box<dyn std::error::Error>> {
    match &args.command {
        LedgerCommand::Verify(args) => verify(args, config),
        LedgerCommand::Export(args) => export(args, config),
        LedgerCommand::Prune(args) => prune(args, config),
    }
}

fn verify(args: &VerifyArgs, config: &Config) -> Result<(), Box<dyn std::error::Error>> {
    let path = args.books.path(config)?;
    let wrong = check::check(&reading(&path)?, &path)?;
    if wrong.is_empty() {
        say!("the file, its tables and its audit log agree");
        return Ok(());
    }
    wrong.iter().try_for_each(|wrong| out(format_args!("{wrong}\n")))?;
    Err(format!("{} has {} things wrong", path.display(), wrong.len()).into())
}

fn export(args: &ExportArgs, config: &Config) -> Result<(), Box<dyn std::error::Error>> {
    let db = reading(&args.books.path(config)?)?;
    for (table, rows) in export::export(&db, &args.out)? {
        say!("{table}.jsonl: {rows} rows");
    }
    Ok(())
}

fn prune(args: &PruneArgs, config: &Config) -> Result<(), Box<dyn std::error::Error>> {
    if args.by.trim().is_empty() {
        return Err("say who has it done: --by NAME".into());
    }
    let path = args.books.path(config)?;
    let offset_min = args.books.city(config)?.utc_offset_min;
    let tomorrow = (Utc::now() + TimeDelta::minutes(offset_min.into()) + TimeDelta::days(1)).date_naive();
    if args.before > tomorrow {
        return Err(format!("{} is still to come: write {tomorrow} at the latest", args.before).into());
    }
    let (before_ms, _) = day_ms(args.before, offset_min);
    let pruned = prune::prune(&path, i64::try_from(before_ms)?, args.by.trim())?;
    let (calls, tasks, holds) = (pruned.calls.len(), pruned.tasks.len(), pruned.holds.len());
    say!("removed {calls} calls, {tasks} tasks, {holds} words on stages, and signal commands before {}", args.before);
    Ok(())
}
