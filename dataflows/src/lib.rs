//! The pure views of nanming.
#![allow(missing_docs)]
pub mod decision;
pub mod event;
pub mod ids;
pub mod keyed;
pub mod network;

/// Logical time: a strictly increasing count of ms. Live it follows the wall clock, in a replay it is read back.
pub type Time = u64;
