//! What a roster was told, later and of other tasks.

use nanming_dataflows::event::RosterChange;
use nanming_dataflows::ids::TaskId;

/// Moves the times in a change, and its task.
pub(super) fn shift(change: &mut RosterChange, by_ms: u64, task: impl Fn(&mut TaskId)) {
    let late = |time_ms: &mut u64| *time_ms = time_ms.saturating_add(by_ms);
    match change {
        RosterChange::RestoredTask(id, _, standing) => {
            task(id);
            [&mut standing.rung_since_ms, &mut standing.accept_by_ms, &mut standing.done_by_ms]
                .into_iter()
                .for_each(late);
            standing.passed_over.iter_mut().for_each(|(_, at_ms)| late(at_ms));
        }
        RosterChange::Absent(_, from_ms, until_ms) => [from_ms, until_ms].into_iter().for_each(late),
        RosterChange::Raised(id, _) | RosterChange::Answered(id, ..) | RosterChange::Cancelled(id) => task(id),
        RosterChange::RestoredDuty(_) | RosterChange::Here(..) | RosterChange::HandedOver(..) => {}
    }
}
