//! `nanming diff`: compares what two runs decided, and says what changed and where.
//!
//! Both are read as streams, side by side: lines that lie far apart in time are never held against each other, so memory is
//! bounded however long the runs are.

use std::path::PathBuf;

use serde::Serialize;

mod assignments;
mod crowds;
mod forecasts;
mod lines;
mod pairs;
mod signals;
mod text;

pub use assignments::{Assignments, Reassigned};
pub use crowds::Crowds;
pub use forecasts::{Forecasts, LeadDifference};
pub use signals::{AtJunction, Signals};

/// What to compare.
#[derive(Clone, Debug, clap::Args)]
#[command(
    after_help = "Exit codes: 0 the same, 1 they differ, 2 they cannot be compared.\n\nExample:\n  nanming replay \
                        --recording rec --out before\n  nanming replay --recording rec --city changed.json --out after\n  \
                        nanming diff before after"
)]
pub struct DiffArgs {
    /// Directory of a run's decisions: signals, forecasts, crowds, assignments (.jsonl), from replay --out or run --jsonl
    #[arg(value_name = "A")]
    pub a: PathBuf,
    /// Directory of the other's
    #[arg(value_name = "B")]
    pub b: PathBuf,
    /// Print the differences as one JSON object instead of text
    #[arg(long)]
    pub json: bool,
}

/// Why two runs cannot be compared.
#[derive(Debug, thiserror::Error)]
pub enum DiffError {
    /// A file cannot be read.
    #[error("{path}: {source}; give the directories that `nanming replay --out` or `nanming run --jsonl` wrote")]
    File {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A line is none of a run's decisions.
    #[error("{path}, line {line}: {what}; it is not what nanming writes, or was cut off")]
    Line {
        /// Which file.
        path: PathBuf,
        /// Which line.
        line: u64,
        /// What is wrong.
        what: String,
    },
}

/// Decisions of one kind that are the same in both, and those that only one has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Alike in both.
    pub same: u64,
    /// Of the same thing and time, or of the same number, but not alike.
    pub differing: u64,
    /// Only in the first.
    pub only_a: u64,
    /// Only in the second.
    pub only_b: u64,
}

impl Counts {
    /// Whether nothing differs.
    pub fn is_same(&self) -> bool {
        self.differing + self.only_a + self.only_b == 0
    }
}

/// What changed from one run to the other.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Difference {
    /// Whether nothing did.
    pub same: bool,
    /// Of signal commands.
    pub signals: Signals,
    /// Of forecasts.
    pub forecasts: Forecasts,
    /// Of people at venues.
    pub crowds: Crowds,
    /// Of assignments.
    pub assignments: Assignments,
}

/// Compares two runs.
pub fn diff(args: &DiffArgs) -> Result<Difference, DiffError> {
    let files = |name: &str| (args.a.join(name), args.b.join(name));
    let signals = signals::compare(files("signals.jsonl"))?;
    let forecasts = forecasts::compare(files("forecasts.jsonl"))?;
    let crowds = crowds::compare(files("crowds.jsonl"))?;
    let assignments = assignments::compare(files("assignments.jsonl"))?;
    let same = [&signals.counts, &forecasts.counts, &crowds.counts, &assignments.counts].iter().all(|c| c.is_same());
    Ok(Difference { same, signals, forecasts, crowds, assignments })
}

#[cfg(test)]
mod tests;
