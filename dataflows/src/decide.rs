//! What the engine decides, from what `state` knows. The decisions know nothing about each other.

pub mod bus_priority;
pub mod claim;
pub mod coordination;
pub mod corridor;
pub mod cover;
pub mod crowd;
pub mod dispatch;
pub mod envelope;
pub mod forecast;
pub mod onset;
pub mod roster;
pub mod signal;
