//! Frames between a signal controller and its centre, in the manner of GB/T 20999-2017: both ends of the wire speak by this.
//! It knows bytes, and nothing about junctions or connections.
//!
//! A frame: `7E`, length, version, centre, controller, road, sequence, kind, items, CRC, `7D`; big-endian; on TCP every `7E`,
//! `7D` and `5C` inside is preceded by `5C`. An item: its row in the frame, its length, an [`Address`], data.
//!
//! What follows was gathered from open implementations of the standard, which differ. Assumptions, and what can be set:
//! - What the length counts differs ([`Length`]): everything after itself, as most write it, is the default. A reader takes
//!   each of them, because the ends of a frame and its CRC say where it stops.
//! - The CRC runs from the length to the last item, before escaping, highest bit first, without a final inversion. Its
//!   polynomial is x16+x12+x2+1 (`1005`), beginning at 0; others begin at `FFFF` or use `1021` ([`Wire`]).
//! - An item's length counts its address and data, not itself and not its row. Rows begin at 1.
//! - Element 0 of a query asks for all elements of an attribute: they come as one item, one after another.
//! - An item of an error reply holds one byte, its [`Refused`] status.
//! - A reply bears the sequence number of what it answers.

mod codes;
mod crc;
mod frame;
mod objects;
mod plan;
mod stream;
#[cfg(test)]
mod tests;

pub use frame::{Address, Frame, FrameError, Item, Kind, VERSION};
pub use objects::{ControlLayout, Controls, LampState, Mode, Refused, address};
pub use plan::{MAX_CHAIN, PlanRow, PlanStep};
pub use stream::{MAX_FRAME, Stream};

use serde::{Deserialize, Serialize};

/// What the length of a frame counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Length {
    /// Everything after itself up to and with the CRC.
    #[default]
    AfterItself,
    /// Everything between head and tail, itself too.
    Inside,
    /// Everything after itself without the CRC.
    WithoutCrc,
}

/// How frames are written where implementations differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wire {
    /// What the length counts.
    pub length: Length,
    /// The CRC's polynomial, without its highest bit.
    pub crc_polynomial: u16,
    /// What the CRC begins at.
    pub crc_initial: u16,
}

impl Default for Wire {
    fn default() -> Self {
        Wire { length: Length::default(), crc_polynomial: 0x1005, crc_initial: 0 }
    }
}

impl Wire {
    /// The CRC of bytes.
    pub fn crc(&self, bytes: &[u8]) -> u16 {
        crc::crc16(bytes, self.crc_polynomial, self.crc_initial)
    }
}
