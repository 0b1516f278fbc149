//! `nanming explain`: why a call went as it did.

use clap::Args;
use nanming_dataflows::ids::CallId;

use super::books::BooksArgs;
use crate::config::Config;
use crate::explain;

/// Options of `nanming explain`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  nanming explain 4711\n  nanming explain 4711 --ledger ledger.sqlite --json")]
pub struct ExplainArgs {
    /// The call
    #[arg(value_name = "ID")]
    call: u64,
    #[command(flatten)]
    books: BooksArgs,
    /// Print one JSON object, that of GET /calls/{id}/explain
    #[arg(long)]
    json: bool,
}

/// Runs the command. It only reads, and works beside a running city.
pub(super) fn explain(args: &ExplainArgs, config: &Config) -> Result<(), Box<dyn std::error::Error>> {
    let (book, city, offset_min) = args.books.open(config)?;
    let story = explain::explain(&book, CallId(args.call), city.as_ref())?;
    let story = story.ok_or_else(|| format!("the ledger has no call {}", args.call))?;
    if args.json {
        say!("{}", serde_json::to_string(&story)?);
    } else {
        put!("{}", explain::text(&story, offset_min));
    }
    Ok(())
}
