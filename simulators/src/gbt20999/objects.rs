//! What stands at which address, and what its values mean.

use serde::{Deserialize, Serialize};

use super::Address;
use super::codes::codes;

/// Addresses that this project reads or writes; element 0 stands for all.
pub mod address {
    use super::Address;

    /// What each lamp group shows: a [`LampState`](super::LampState) a group.
    pub const LAMPS: Address = Address(0x03, 0x03, 0x01, 0);
    /// Numbers of the stages.
    pub const STAGE_NUMBER: Address = Address(0x06, 0x03, 0x01, 0);
    /// For how long a stage has stood, s: two bytes.
    pub const STAGE_ELAPSED: Address = Address(0x06, 0x03, 0x03, 0);
    /// A row of the table of plans; its attributes are 1 to 8.
    pub const PLAN: Address = Address(0x09, 0x02, 0, 0);
    /// Number of a junction of the controller.
    pub const RUN_ROAD: Address = Address(0x0d, 0x02, 0x01, 0);
    /// Who decides there: a [`Mode`](super::Mode).
    pub const RUN_MODE: Address = Address(0x0d, 0x02, 0x02, 0);
    /// The plan in force: one byte, or two.
    pub const RUN_PLAN: Address = Address(0x0d, 0x02, 0x03, 0);
    /// The stage in force: its number.
    pub const RUN_STAGE: Address = Address(0x0d, 0x02, 0x04, 0);
    /// Class of alarms.
    pub const ALARMS: u8 = 0x0f;
    /// Class of faults.
    pub const FAULTS: u8 = 0x10;
}

/// Where the centre's wishes stand: implementations differ.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ControlLayout {
    /// In a table with a row for each road: `11.01.02` stage, `.03` plan, `.04` mode.
    #[default]
    Table,
    /// As objects of their own: `11.02` stage, `11.03` plan, `11.04` mode.
    Objects,
}

/// Addresses of the centre's wishes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Controls {
    /// The stage that is to come: its number.
    pub stage: Address,
    /// The plan that is to come.
    pub plan: Address,
    /// Who is to decide: a [`Mode`].
    pub mode: Address,
}

impl ControlLayout {
    /// The addresses for a junction of a controller.
    pub fn controls(self, road: u8) -> Controls {
        let at = |number: u8| match self {
            ControlLayout::Table => Address(0x11, 0x01, number, road),
            ControlLayout::Objects => Address(0x11, number, 0, 0),
        };
        Controls { stage: at(2), plan: at(3), mode: at(4) }
    }
}

/// Who decides at a controller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Mode(pub u8);

impl Mode {
    /// A plan that the centre has ordered, by its clock.
    pub const CENTRE_COORDINATED: Mode = Mode(0x13);
    /// The centre, adaptively.
    pub const CENTRE_ADAPTIVE: Mode = Mode(0x14);
    /// A fixed plan of its own.
    pub const LOCAL_FIXED: Mode = Mode(0x21);
    /// Flashing yellow.
    pub const FLASH: Mode = Mode(0x31);
    /// All heads red.
    pub const ALL_RED: Mode = Mode(0x32);

    /// Whether the centre decides.
    pub fn is_centre(self) -> bool {
        self.0 >> 4 == 1
    }

    /// Whether it decides itself.
    pub fn is_local(self) -> bool {
        self.0 >> 4 == 2
    }
}

codes! {
    /// What a lamp group shows.
    LampState {
        /// Dark.
        Off = 0x01,
        /// Stop.
        Red = 0x10,
        /// Stop, flashing.
        RedFlash = 0x11,
        /// Go.
        Green = 0x20,
        /// Go, about to end.
        GreenFlash = 0x21,
        /// About to stop.
        Yellow = 0x30,
        /// With care.
        YellowFlash = 0x31,
        /// About to go.
        RedYellow = 0x40,
    }
}

codes! {
    /// Why a value was not read or set.
    Refused {
        /// The value makes no sense.
        Value = 0x10,
        /// It has another length.
        Length = 0x11,
        /// It is out of range.
        Range = 0x12,
        /// It can only be read.
        ReadOnly = 0x20,
        /// There is none.
        Absent = 0x30,
        /// Something else.
        General = 0x40,
        /// It was understood, and cannot be done.
        Control = 0x50,
    }
}

impl Refused {
    /// What a status means, for people.
    pub fn words(status: u8) -> &'static str {
        match Refused::from_byte(status) {
            Some(Refused::Value) => "the value makes no sense there",
            Some(Refused::Length) => "the value has the wrong length",
            Some(Refused::Range) => "the value is out of range",
            Some(Refused::ReadOnly) => "the value can only be read",
            Some(Refused::Absent) => "there is no such value",
            Some(Refused::Control) => "it was understood and cannot be done",
            Some(Refused::General) | None => "an error without a reason",
        }
    }
}
