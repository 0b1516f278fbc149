//! How good dispatch is, measured: recorded calls are replayed with seeded units under a simple, open model, by the engine's
//! policy and by those that it is compared with. `docs/dispatch-eval.md` has the model and the figures.

use std::path::PathBuf;

use chrono::NaiveDate;
use nanming_dataflows::decide::dispatch::plan::Policy;
use nanming_dataflows::matching::Matching;

mod bound;
mod calls;
mod cover;
mod figures;
mod ours;
mod reference;
mod report;
mod roads;
mod starts;
mod travel;
mod world;
pub use calls::Calls;
pub use figures::{ByPriority, Figures};
pub use report::Report;
pub use starts::starts;
pub use travel::By;
use travel::Travel;

/// What is asked for.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The calls, packed or not.
    pub calls: PathBuf,
    /// Calls received before this day are left out; none: before the first day that has a tenth of the busiest day's calls.
    pub from: Option<NaiveDate>,
    /// Calls of other agencies are left out, where the table tells agencies.
    pub agency: String,
    /// Units in service.
    pub units: usize,
    /// Each is a replay with other starting places.
    pub seeds: Vec<u64>,
    /// Who decides, in the order of the report.
    pub policies: Vec<Name>,
    /// The settings of the engine's policy.
    pub settings: Policy,
    /// How units travel.
    pub travel: By,
}

/// Who decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
pub enum Name {
    /// The engine's policy
    Nanming,
    /// The same, and units at hand wait where they are advised to
    #[value(name = "nanming+cover")]
    NanmingCover,
    /// The oldest call first, the nearest free unit
    Fifo,
    /// The most urgent and oldest call first, the nearest free unit
    Priority,
    /// The most urgent and oldest calls, as many as units are free, matched together at least weighted travel
    Batch,
    /// As priority; a call of priority A that finds no free unit takes the nearest from its way to another call
    Preempt,
}

impl Name {
    /// Those that are replayed unless others are asked for.
    pub const ALL: [Name; 5] = [Name::Nanming, Name::Fifo, Name::Priority, Name::Batch, Name::Preempt];

    /// As it is written.
    pub fn text(self) -> &'static str {
        match self {
            Name::Nanming => "nanming",
            Name::NanmingCover => "nanming+cover",
            Name::Fifo => "fifo",
            Name::Priority => "priority",
            Name::Batch => "batch",
            Name::Preempt => "preempt",
        }
    }
}

/// Why nothing can be measured.
#[derive(Debug, thiserror::Error)]
pub enum DispatchEvalError {
    /// A file cannot be read.
    #[error("{path}: {source}; give a .csv or .csv.gz with a row for each call")]
    File {
        /// Which one.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A row or a column is not as it has to be.
    #[error("{path}, line {line}: {what}")]
    Content {
        /// Which file.
        path: PathBuf,
        /// Which line.
        line: u64,
        /// What is wrong, and what to do.
        what: String,
    },
    /// No call is left to replay.
    #[error("{0}: {1}")]
    NoCalls(PathBuf, String),
    /// Roads are not as they have to be.
    #[error("{0}: {1}")]
    Roads(PathBuf, String),
    /// Settings of the policy are not as they have to be.
    #[error("{0}: {1}")]
    Settings(PathBuf, String),
}

/// Replays the calls by each policy with each seed.
pub fn dispatch_eval(plan: &Plan) -> Result<Report, DispatchEvalError> {
    let calls = Calls::read(&plan.calls, plan.from, &plan.agency)?;
    let travel = Travel::new(&plan.travel, &calls)?;
    let replays = |name: &Name| {
        let runs: Vec<Figures> = plan.seeds.iter().map(|seed| replay(plan, &calls, &travel, *name, *seed)).collect();
        (*name, Figures::mean(&runs))
    };
    let policies = plan.policies.iter().map(replays).collect();
    let bounds: Vec<_> =
        plan.seeds.iter().map(|seed| bound::bound(&calls, &travel, &starts(*seed, plan.units, calls.len()))).collect();
    Ok(Report::new(plan, &calls, policies, &bounds))
}

fn replay(plan: &Plan, calls: &Calls, travel: &Travel, name: Name, seed: u64) -> Figures {
    let world = world::World::new(calls, travel, &starts(seed, plan.units, calls.len()));
    let done = match name {
        Name::Nanming => {
            let mut ours = ours::Ours::new(&plan.settings, calls);
            world.play(|world| ours.decide(world))
        }
        Name::NanmingCover => {
            let mut ours = ours::Ours::new(&plan.settings, calls);
            let mut cover = cover::Cover::new(calls, travel);
            world.play(|world| {
                // Calls are heard of before they are served.
                cover.hear(world);
                ours.decide(world);
                cover.decide(world);
            })
        }
        _ => world.play(|world| reference::decide(name, world)),
    };
    Figures::of(&done)
}

/// For each row of costs, the first the surest to have one, its column: at least cost.
fn least_cost(costs: &[Vec<i64>]) -> Vec<Option<usize>> {
    let mut matching = Matching::new(costs.first().into_iter().flatten().map(|_| 1));
    let rows: Vec<usize> = costs.iter().zip(0..).map(|(row, rank)| matching.insert_row(rank, row)).collect();
    rows.into_iter().map(|row| matching.column_of(row)).collect()
}
