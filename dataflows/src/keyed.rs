//! stub
pub trait Key { fn route(&self) -> u64; }
pub(crate) fn spread(x: u64) -> u64 { x }
