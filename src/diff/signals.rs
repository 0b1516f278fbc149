//! Differences of signal commands, junction by junction.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::pairs::{Decision, Pair, compare as pairs};
use super::{Counts, DiffError};

/// Of signal commands.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Signals {
    /// Commands of a junction at a time.
    #[serde(flatten)]
    pub counts: Counts,
    /// Junctions at which they differ.
    pub junctions: BTreeMap<String, AtJunction>,
}

/// Of the commands to a junction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct AtJunction {
    /// At the same time, but others.
    pub differing: u64,
    /// Only in the first.
    pub only_a: u64,
    /// Only in the second.
    pub only_b: u64,
    /// When they differ first, ms since the Unix epoch.
    pub first_t_ms: u64,
}

#[derive(Deserialize, PartialEq)]
struct Command {
    t_ms: u64,
    junction: String,
    stage: u64,
    interval: String,
    state: String,
    reason: String,
}

impl Decision for Command {
    type Key = (u64, String);
    const WINDOW_MS: u64 = 300_000;

    fn t_ms(&self) -> u64 {
        self.t_ms
    }

    fn key(&self) -> Self::Key {
        (self.t_ms, self.junction.clone())
    }
}

pub(super) fn compare(files: (PathBuf, PathBuf)) -> Result<Signals, DiffError> {
    let mut junctions = BTreeMap::<String, AtJunction>::new();
    let counts = pairs(files, |pair: Pair<Command>| {
        let (command, counts) = match pair {
            Pair::Both(a, _) => (a, [1, 0, 0]),
            Pair::OnlyA(a) => (a, [0, 1, 0]),
            Pair::OnlyB(b) => (b, [0, 0, 1]),
        };
        let unseen = AtJunction { first_t_ms: u64::MAX, ..AtJunction::default() };
        let at = junctions.entry(command.junction).or_insert(unseen);
        at.differing += counts[0];
        at.only_a += counts[1];
        at.only_b += counts[2];
        at.first_t_ms = at.first_t_ms.min(command.t_ms);
    })?;
    Ok(Signals { counts, junctions })
}
