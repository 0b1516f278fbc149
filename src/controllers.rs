//! Signal controllers in the street, by GB/T 20999-2017-style frames over TCP (docs/controllers.md).
//!
//! Each controller of the table has a [`line`] of its own: a connection that is opened, kept and opened again. What is said on
//! it is decided by a session, a machine without sockets or clocks. The engine's commands name a stage; the controller is
//! told that stage and makes its own way there, with its own yellow, all-red and table of conflicts. Nobody here believes that
//! an order was followed because it was answered: what a controller reports of its lamps goes back through the door as an
//! event, and is compared with the stage that it reports.
//!
//! What the standard's text does not settle, as far as we know it, beyond what [`gbt20999`](nanming_simulators::gbt20999) says
//! of frames:
//! - The centre opens the connection.
//! - A controller follows stages in any mode `1x`; `14` (adaptive) is asked for. Modes `15` and `25` are a person's at the
//!   cabinet, who is left alone. Mode `2x` is its own; `21` is asked for to give a junction back.
//! - Mode and stage are set one after the other, each in a frame of its own, because a controller may refuse a stage while it
//!   is not in the centre's hands.
//! - While it changes, a controller may tell either stage: what it shows is held against it only after it has had time.
//! - Green of a lamp group does not tell whether others are protected from it: that is taken from the stage that it reports.
//! - A controller that has nothing to say is asked once a second, and may tell changes by itself (kind `60`).

mod fleet;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) mod fuzzing;
mod lamps;
mod line;
mod rules;
mod session;
mod state;
mod table;
mod tell;

pub use fleet::{Fleet, Lines};
pub use rules::{PlanClock, Rules};
pub use state::{Alarm, Outcome, Reach, State};
pub use table::{Site, Table, TableError};
