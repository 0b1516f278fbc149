//! Places at which the engine can be told to die, so that a test can prove what a crash there leaves behind.
//!
//! They are in the product, and not only in a build for tests: what is proved is then true of the very program that a city
//! runs, and whoever doubts a disk or a machine can try it there. They do nothing unless `NANMING_FAIL_AT` is set when the
//! engine is started, `ledger.before_commit:7` for the seventh time that it comes by there; a pass costs one relaxed load
//! of a flag (docs/faults.md).

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// The variable that arms one of them.
const VARIABLE: &str = "NANMING_FAIL_AT";

/// All places, in the order in which a tick comes by them.
pub const POINTS: [&str; 23] = [
    "door.after_street",
    "ledger.before_begin",
    "ledger.after_begin",
    "ledger.after_calls",
    "ledger.after_assignments",
    "ledger.after_assignment_phases",
    "ledger.after_merges",
    "ledger.after_call_phases",
    "ledger.after_escalations",
    "ledger.after_acks",
    "ledger.after_holds",
    "ledger.after_rosters",
    "ledger.after_signals",
    "ledger.after_offsets",
    "ledger.before_commit",
    "ledger.after_commit",
    "keeper.before_sinks",
    "keeper.between_ticks",
    "sinks.before_first",
    "sinks.between",
    "sinks.after_last",
    "checkpoint.before",
    "checkpoint.after",
];

static IS_ARMED: AtomicBool = AtomicBool::new(false);
static ARMED: OnceLock<Armed> = OnceLock::new();

struct Armed {
    point: String,
    /// Passes before the last one, that one included.
    left: AtomicU64,
}

/// The variable makes no sense.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{VARIABLE}={0}: write a place and a pass, such as ledger.before_commit:7; places are {known}", known = POINTS.join(", "))]
pub struct Unknown(String);

/// Arms the place that the environment names, if it names one. Once for a process.
pub fn arm() -> Result<(), Unknown> {
    let Some(text) = std::env::var_os(VARIABLE) else { return Ok(()) };
    let (point, pass) = read(&text.to_string_lossy())?;
    tracing::warn!(point, pass, "the engine will end itself there, as {VARIABLE} says");
    // A second run in this process keeps what the first one was told.
    let _ = ARMED.set(Armed { point, left: AtomicU64::new(pass) });
    IS_ARMED.store(true, Ordering::Relaxed);
    Ok(())
}

fn read(text: &str) -> Result<(String, u64), Unknown> {
    let (point, pass) = text.rsplit_once(':').unwrap_or((text, "1"));
    let pass = pass.parse().ok().filter(|pass| *pass > 0);
    let known = POINTS.contains(&point);
    pass.filter(|_| known).map(|pass| (point.to_owned(), pass)).ok_or_else(|| Unknown(text.to_owned()))
}

/// Comes by a place. Does not return from the one that is armed, at its pass.
#[inline]
pub(crate) fn point(name: &'static str) {
    if IS_ARMED.load(Ordering::Relaxed) {
        pass(name);
    }
}

#[cold]
fn pass(name: &'static str) {
    let Some(armed) = ARMED.get().filter(|armed| armed.point == name) else { return };
    if armed.left.fetch_sub(1, Ordering::Relaxed) == 1 {
        tracing::error!(point = name, "the engine ends itself here, as {VARIABLE} says");
        // As a crash: nothing is flushed, closed or told.
        std::process::abort();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_and_its_pass_are_read_and_nonsense_is_refused_with_all_places() {
        assert_eq!(read("ledger.before_commit:7"), Ok(("ledger.before_commit".into(), 7)));
        assert_eq!(read("checkpoint.after"), Ok(("checkpoint.after".into(), 1)));
        for wrong in ["ledger.nowhere:1", "ledger.before_commit:0", "ledger.before_commit:x", ""] {
            let told = read(wrong).unwrap_err().to_string();
            assert!(told.contains("sinks.between"), "{told}");
        }
    }
}
