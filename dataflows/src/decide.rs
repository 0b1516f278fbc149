//! What the engine decides, from what `state` knows. The decisions know nothing about each other.

pub mod coordination;
pub mod dispatch;
pub mod envelope;
pub mod forecast;
pub mod onset;
pub mod signal;
