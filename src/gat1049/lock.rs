//! A stage held for somebody: `LockFlowDirection`, a green wave for a police unit, and its end.

use std::time::Duration;

use super::{Desk, Fault, Object, directions};
use crate::controllers::Reach;
use nanming_dataflows::ids::JunctionId;

/// The only traffic that heads are known for.
const MOTOR: u8 = 1;

/// Holds the stage that is asked for; an error says why it cannot be held.
pub(super) fn lock(desk: &Desk, asked: &Object) -> Result<(), Fault> {
    let junction = desk.junction(asked)?;
    let cannot = |why: String| Fault::new(&asked.name, "SDE_NotAllow", why);
    let fleet = desk.fleet.as_ref().ok_or_else(|| cannot("no controller is connected to this engine".into()))?;
    let state = fleet.state(junction).ok_or_else(|| cannot("the junction has no controller here".into()))?;
    if state.reach != Reach::Centre {
        return Err(cannot(format!("the controller is not in the centre's hands: it is {}", words(state.reach))));
    }
    let number = |name: &str| asked.number::<u8>(name).map(Option::unwrap_or_default);
    let seconds: u64 = asked.number("Duration")?.unwrap_or_default();
    if seconds > desk.lock_max_s {
        return Err(cannot(format!("a stage is held for at most {} s (gat1049.lock_max_s)", desk.lock_max_s)));
    }
    let of = &desk.city.junctions[junction.index()];
    let stage = match (asked.number::<u16>("LockStageNo")?.unwrap_or_default(), number("Entrance")?, number("Exit")?) {
        (0, 0, _) => return Err(cannot("it names neither a stage nor an entrance".into())),
        (0, entrance, exit) => {
            if asked.number::<u8>("Type")?.is_some_and(|kind| kind != MOTOR) {
                return Err(cannot("only motor traffic (Type 1) can be held by direction; name a stage".into()));
            }
            directions::stage(&desk.city, of, (entrance, exit), state.stage).map_err(cannot)?
        }
        (number, ..) if usize::from(number) <= of.stages.len() => number - 1,
        (number, ..) => return Err(cannot(format!("the junction has no stage {number}"))),
    };
    if !fleet.has(junction, stage) {
        return Err(cannot(format!("the controller has no number for stage {}", stage + 1)));
    }
    let seconds = if seconds == 0 { desk.lock_max_s } else { seconds };
    tracing::info!(junction = of.name, stage = of.stages[usize::from(stage)].name, seconds, "a stage is held");
    fleet.lock(junction, stage, Duration::from_secs(seconds));
    desk.metrics.controllers.locked();
    Ok(())
}

/// Ends what is held at a junction.
pub(super) fn unlock(desk: &Desk, asked: &Object) -> Result<(), Fault> {
    let junction: JunctionId = desk.junction(asked)?;
    desk.fleet.iter().for_each(|fleet| fleet.unlock(junction));
    Ok(())
}

fn words(reach: Reach) -> &'static str {
    Reach::ALL.iter().find(|(_, known)| *known == reach).map_or("unknown", |(name, _)| name)
}
