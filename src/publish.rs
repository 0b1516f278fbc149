//! Where committed ticks go: one file a sink. Only signal commands do not wait for the commit: they go by the [`street`].
//!
//! The [`bus`] gives every tick to every sink in order, on one thread. A sink works in memory and hands on through bounded
//! queues that it never waits for: who is slow is disconnected or given a fresh snapshot, so nobody slows the engine.

pub mod acceptances;
pub mod board;
pub mod bus;
mod cover;
mod duty;
mod files;
mod frames;
pub mod jsonl;
mod letters;
mod responses;
pub mod rosters;
pub mod street;
pub mod terminals;

pub use acceptances::{Acceptances, Outcome};
pub use board::Board;
pub use bus::{Bus, Sink};
pub use duty::Duty;
pub use files::Files;
pub use letters::Letters;
pub use responses::Responses;
pub use rosters::RosterBoard;
pub use street::Street;
pub use terminals::Terminals;

/// km/h with one digit after the point, from mm/s.
pub(crate) fn kmh(speed_mm_s: u32) -> f64 {
    (f64::from(speed_mm_s) * 0.036).round() / 10.0
}
