//! What the streets are like: folded from raw sensor events, link by link. Knows nothing about decisions.

pub mod link;
pub mod sightings;
pub mod unit;
