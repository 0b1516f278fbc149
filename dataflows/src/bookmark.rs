//! How far sources are read. Views know nothing of it: it goes beside the events, so that what the leader of a cluster keeps
//! of a tick also tells which events of other processes were in it.

use serde::{Deserialize, Serialize};

/// How far a part of a source is read.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Bookmark {
    /// The source.
    pub source: String,
    /// Which part of it.
    pub part: i32,
    /// The first place in it that is not read.
    pub next: i64,
}
