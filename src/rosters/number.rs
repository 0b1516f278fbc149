//! Numbers of tasks, as people see them: `t` and a number for one that was raised here, `s` for one with a number of its
//! sender's, `c` for one that was a call, `f` for one that a camera found.

use std::ops::Range;

use nanming_dataflows::event::{TASKS_FOUND, TASKS_FROM, TASKS_OF_CALLS};
use nanming_dataflows::ids::TaskId;

/// Numbers of senders begin here; they are below [`MOST_SENT`].
const SENT_FROM: u64 = TASKS_FROM | 1 << 52;
/// Numbers that senders give are smaller than this.
pub const MOST_SENT: u64 = 1 << 52;
/// Numbers that the engine gives.
pub const OWN_TASKS: Range<u64> = TASKS_FROM + 1..SENT_FROM;

/// The ranges with their letters, the highest first.
const RANGES: [(char, u64); 4] = [('f', TASKS_FOUND), ('c', TASKS_OF_CALLS), ('s', SENT_FROM), ('t', TASKS_FROM)];

/// The name of a task.
pub fn task_name(task: TaskId) -> String {
    let range = RANGES.iter().find(|(_, from)| task.0 >= *from);
    range.map_or_else(|| task.to_string(), |(letter, from)| format!("{letter}{}", task.0 - from))
}

/// The task of a name.
pub fn task_of(name: &str) -> Option<TaskId> {
    let (letter, number) = name.split_at_checked(1)?;
    let (_, from) = RANGES.iter().find(|(known, _)| letter.starts_with(*known))?;
    number.parse::<u64>().ok()?.checked_add(*from).map(TaskId)
}

/// The task to which its sender gave a number.
pub fn task_sent(number: u64) -> Option<TaskId> {
    (number < MOST_SENT).then_some(TaskId(SENT_FROM + number))
}
