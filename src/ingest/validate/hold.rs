//! A stage that somebody holds, or lets go.

use super::*;
use crate::ingest::is_private;

/// Longest time that a stage is held by one word, s.
const MAX_HOLD_S: u64 = 3_600;
/// Longest name of who holds it, characters.
const MAX_BY: usize = 64;

/// A line with a stage and a time holds it; one with neither lets go what is held.
pub(super) fn hold(validator: &Validator, line: HoldLine, now_ms: u64) -> Result<StageHold, Unfit> {
    let HoldLine { time_ms, junction, stage, for_s, by } = line;
    let junction = validator.names.junction(&junction)?;
    let time_ms = validator.fresh(time_ms, now_ms)?;
    if by.chars().count() > MAX_BY {
        return Err(Unfit::new(Reason::OutOfRange, format!("by is longer than {MAX_BY} characters")));
    }
    // It stays in the audit log for good.
    if is_private(&by) {
        return Err(Unfit::new(Reason::Malformed, "by is who holds it: no plate, no telephone number"));
    }
    let (stage, for_s) = match (stage, for_s) {
        (Some(stage), Some(for_s)) => (Some(row(validator, junction, &stage)?), for_s),
        (None, None) => (None, 0),
        _ => return Err(Unfit::new(Reason::Malformed, "stage and for_s go together; neither: what is held ends")),
    };
    if stage.is_some() && !(1..=MAX_HOLD_S).contains(&for_s) {
        return Err(Unfit::new(Reason::OutOfRange, format!("for_s {for_s} is not from 1 to {MAX_HOLD_S}")));
    }
    Ok(StageHold { time_ms, junction, stage, until_ms: time_ms + for_s * 1_000, by })
}

/// The row of a stage, by its name or number.
fn row(validator: &Validator, junction: JunctionId, stage: &NameOrId) -> Result<u16, Unfit> {
    let junction = &validator.city.junctions[junction.index()];
    let found = match stage {
        NameOrId::Id(id) => usize::try_from(*id).ok().filter(|row| *row < junction.stages.len()),
        NameOrId::Name(name) => junction.stages.iter().position(|stage| stage.name == *name),
    };
    let none = || Unfit::new(Reason::OutOfRange, format!("junction '{}' has no stage {stage}", junction.name));
    found.map(|row| row as u16).ok_or_else(none)
}
