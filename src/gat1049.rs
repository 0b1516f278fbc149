//! Command platforms by GA/T 1049.1 and .2: XML messages over TCP (docs/controllers.md).
//!
//! This is a service: platforms connect, log in, subscribe, and are told. The engine has something to tell all the time and
//! several may want to hear it, while nobody would tell the engine where platforms are; a platform that wants to be connected
//! to is not served yet.
//!
//! What the standard's text does not settle, as far as we know it:
//! - Messages follow one another without anything between them: one ends with `</Message>`.
//! - `Subscribe` names objects in `SDO_MsgEntity/ObjName`, one entity each; none or an empty one means all. Some platforms use
//!   `Set` with `CrossReportCtrl{Cmd Start|Stop, Type, CrossIDList}` in its place: both are taken.
//! - `Get` asks by `TSCCmd{ObjName, ID}`.
//! - Kinds of errors are `SDE_` and a word: `UserName`, `Pwd`, `Token`, `MsgType`, `Operation`, `NotAllow`, `Failure`.
//! - `CrossState/Value` is `Online` or `Offline`.
//! - A cycle of an adaptive junction begins when its first stage does. Stages are numbered as the city has them, from 1.
//! - `CrossTrafficData` has a `Data` for each approach in the place of a lane: flow and queue are known by link.
//! - `LockFlowDirection` with a `LockStageNo` holds that stage; with entrance and exit it holds the stage that lets that way go
//!   best. `Duration` 0 means as long as is allowed. It is answered with success when the stage stands, and with an error where
//!   it could not be carried out.

mod client;
mod crosses;
mod directions;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) mod fuzzing;
mod lock;
mod message;
mod numbers;
mod pending;
mod service;

pub use crosses::Crosses;
pub use message::{Fault, Kind, Message, Object, Operation, Split};
pub use service::{Desk, Service};

use std::fmt;

/// What platforms can subscribe to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Topic {
    /// Whether a junction's controller is reached.
    State,
    /// Who decides, by which plan.
    ModePlan,
    /// The stage.
    Stage,
    /// The cycle.
    Cycle,
    /// Traffic of its approaches.
    Traffic,
}

impl Topic {
    const ALL: [Topic; 5] = [Topic::State, Topic::ModePlan, Topic::Stage, Topic::Cycle, Topic::Traffic];

    /// The name of its object.
    fn as_str(self) -> &'static str {
        match self {
            Topic::State => "CrossState",
            Topic::ModePlan => "CrossModePlan",
            Topic::Stage => "CrossStage",
            Topic::Cycle => "CrossCycle",
            Topic::Traffic => "CrossTrafficData",
        }
    }

    fn named(name: &str) -> Option<Topic> {
        Topic::ALL.into_iter().find(|topic| topic.as_str() == name)
    }
}

impl fmt::Display for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
