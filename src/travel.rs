//! What travellers are told: congestion now and ahead by road, travel times, incidents, alerts for other systems.
//!
//! Fixed once: the [`Streets`]. Taken from the board every few seconds: the [`Traffic`], and the [`Incident`]s that a
//! [`Watch`] sees in it. All the rest is made of these, and of nothing else: what is not in them no traveller can be told.
//! Knows nothing of HTTP.

pub mod atom;
pub mod cap;
mod collisions;
mod congestion;
mod drive;
mod incidents;
pub mod limit;
mod notices;
mod places;
mod roads;
mod streets;
mod traffic;
mod trip;
mod way;

pub use collisions::Collision;
pub use congestion::{city, congestion, levels};
pub use drive::{STEP_MS, leave_ms};
pub use incidents::{Incident, Kind, Watch, incidents};
pub use notices::{Notice, Notices};
pub use places::{Heading, Spot};
pub use roads::{Roads, figures};
pub use streets::{Direction, Road, Streets};
pub use traffic::{KNOTS, Outlook, Traffic};
pub use trip::{Trip, TripError, trip};
pub use way::{Way, quickest};

/// The lead times that roads are told for, min.
pub const AHEAD_MIN: [u16; 3] = [15, 30, 60];

/// Everything that travellers are told at a time.
pub struct Picture {
    /// The streets.
    pub streets: std::sync::Arc<Streets>,
    /// The traffic on them.
    pub traffic: Traffic,
    /// What is in its way.
    pub incidents: Vec<Incident>,
    /// What other systems are told of that.
    pub notices: Vec<Notice>,
}
