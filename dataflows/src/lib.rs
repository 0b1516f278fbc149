//! The pure views of nanming: ground state to derived state.
//!
//! [`install`] wires every view into one timely graph, the same on every worker. The crate knows nothing about files,
//! sockets, clocks or randomness; its state lives in [`keyed`] machines and in relations whose records all expire.

pub mod bookmark;
pub mod decide;
pub mod decision;
pub mod event;
pub mod ids;
pub mod input;
pub mod keyed;
pub mod matching;
pub mod network;
#[cfg(test)]
mod observe;
pub mod output;
pub mod relation;
pub mod roads;
pub mod state;
mod wiring;

pub use wiring::{UNIT_SILENT_MS, install};

/// Logical time: a strictly increasing count of ms. Live it follows the wall clock, in a replay it is read back.
pub type Time = u64;
/// Multiplicity of a record in a relation.
pub type Diff = isize;
/// A relation.
pub type Collection<'s, D> = differential_dataflow::VecCollection<'s, Time, D, Diff>;
