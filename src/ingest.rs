//! What comes in from outside: read, checked and named in the city's own IDs, or refused with a reason.
//!
//! Everything here but [`dead_letters`] is a pure function of its input. Clear plates end here.

pub mod alarm;
mod callers;
mod class;
pub mod dead_letters;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) mod fuzzing;
pub mod gcj02;
mod json_lines;
mod line;
mod names;
mod place;
mod plates;
pub mod protobuf;
mod redact;
pub(crate) use redact::{is_private, without_private};
mod scan;
mod sensed;
pub mod validate;
pub mod viid;
pub mod wechat;

pub use alarm::{Alarm, AlarmJson};
pub use callers::Callers;
pub(crate) use class::vehicle_class;
pub use dead_letters::DeadLetters;
pub use line::{NameOrId, object, stream_of};
pub use names::Names;
pub use plates::Plates;
pub(crate) use plates::random_key;
pub use sensed::sensed;
pub use validate::Validator;

use nanming_dataflows::decision::Reason;
use nanming_dataflows::event::Event;
use nanming_dataflows::ids::CallId;

use crate::door::CallNote;
use validate::Valid;

/// What a batch of bytes holds, as far as it is valid.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Taken {
    /// The events, in order.
    pub events: Vec<Event>,
    /// Words and channel of calls among them.
    pub notes: Vec<(CallId, CallNote)>,
}

impl Taken {
    fn take(&mut self, (event, note): Valid) {
        self.events.push(event);
        self.notes.extend(note);
    }
}

/// Who is told of what was not taken: its stream, why, and how it reads.
pub type Refuse<'a> = dyn FnMut(&str, Unfit, &[u8]) + 'a;

/// Why something from outside was not taken, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}: {detail}", reason.as_str())]
pub struct Unfit {
    /// Why.
    pub reason: Reason,
    /// What is wrong, for the sender.
    pub detail: String,
}

impl Unfit {
    /// A reason with its detail.
    pub fn new(reason: Reason, detail: impl Into<String>) -> Self {
        Unfit { reason, detail: detail.into() }
    }
}
