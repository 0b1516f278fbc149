//! A stage held for somebody: `LockFlowDirection`, a green wave for a police unit, and its end. Here it becomes an event like
//! any other: the engine makes its way to the stage, inside its envelope.

use nanming_dataflows::event::StageHold;
use nanming_dataflows::ids::JunctionId;

use super::{Desk, Fault, Object, directions};
use crate::controllers::Reach;

/// The only traffic that heads are known for.
const MOTOR: u8 = 1;

/// What is asked for, by a user, as the engine is to hear it; an error says why it cannot be held.
pub(super) fn lock(desk: &Desk, asked: &Object, by: &str) -> Result<StageHold, Fault> {
    let junction = desk.junction(asked)?;
    let cannot = |why: String| Fault::new(&asked.name, "SDE_NotAllow", why);
    let number = |name: &str| asked.number::<u8>(name).map(Option::unwrap_or_default);
    let seconds: u64 = asked.number("Duration")?.unwrap_or_default();
    if seconds > desk.lock_max_s {
        return Err(cannot(format!("a stage is held for at most {} s (gat1049.lock_max_s)", desk.lock_max_s)));
    }
    let in_force = in_force(desk, junction).map_err(cannot)?;
    let of = &desk.city.junctions[junction.index()];
    let stage = match (asked.number::<u16>("LockStageNo")?.unwrap_or_default(), number("Entrance")?, number("Exit")?) {
        (0, 0, _) => return Err(cannot("it names neither a stage nor an entrance".into())),
        (0, entrance, exit) => {
            if asked.number::<u8>("Type")?.is_some_and(|kind| kind != MOTOR) {
                return Err(cannot("only motor traffic (Type 1) can be held by direction; name a stage".into()));
            }
            directions::stage(&desk.city, of, (entrance, exit), in_force).map_err(cannot)?
        }
        (number, ..) if usize::from(number) <= of.stages.len() => number - 1,
        (number, ..) => return Err(cannot(format!("the junction has no stage {number}"))),
    };
    if desk.fleet.as_ref().is_some_and(|fleet| !fleet.has(junction, stage)) {
        return Err(cannot(format!("the controller has no number for stage {}", stage + 1)));
    }
    let seconds = if seconds == 0 { desk.lock_max_s } else { seconds };
    tracing::info!(junction = of.name, stage = of.stages[usize::from(stage)].name, seconds, by, "a stage is held");
    let time_ms = desk.now_ms();
    Ok(StageHold { time_ms, junction, stage: Some(stage), until_ms: time_ms + seconds * 1_000, by: by.into() })
}

/// The end of what is held at a junction.
pub(super) fn unlock(desk: &Desk, asked: &Object, by: &str) -> Result<StageHold, Fault> {
    let junction = desk.junction(asked)?;
    Ok(StageHold { time_ms: desk.now_ms(), junction, stage: None, until_ms: 0, by: by.into() })
}

/// The stage that the controller of a junction tells; an error if the engine does not lead it. Where the engine speaks to no
/// controllers itself, others carry its orders.
fn in_force(desk: &Desk, junction: JunctionId) -> Result<Option<u16>, String> {
    let Some(fleet) = &desk.fleet else { return Ok(None) };
    let state = fleet.state(junction).ok_or("the junction has no controller here")?;
    match state.reach {
        Reach::Centre => Ok(state.stage),
        reach => Err(format!("the controller is not in the centre's hands: it is {}", words(reach))),
    }
}

fn words(reach: Reach) -> &'static str {
    Reach::ALL.iter().find(|(_, known)| *known == reach).map_or("unknown", |(name, _)| name)
}
