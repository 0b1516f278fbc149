//! A frame, to bytes and back.

use super::codes::codes;
use super::{Length, Wire};

/// Version 1.02 of the protocol, which this module writes; others are read alike.
pub const VERSION: u16 = 0x0102;

pub(super) const HEAD: u8 = 0x7e;
pub(super) const TAIL: u8 = 0x7d;
pub(super) const ESCAPE: u8 = 0x5c;
/// Length, version, centre, controller, road, sequence, kind, number of items.
const HEADER: usize = 13;
const CRC: usize = 2;
/// Bytes of an address: an item's length is that of its data and these.
const ADDRESS: usize = 4;

/// Why bytes are no frame, or a frame cannot be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// It ends before it should.
    #[error("the frame is cut short")]
    Short,
    /// A frame began before another ended.
    #[error("a frame began inside another")]
    Broken,
    /// It is longer than any frame.
    #[error("the frame is longer than a frame can be")]
    TooLong,
    /// Its length is none of those that implementations write.
    #[error("the frame says that it has {said} bytes, and has {is}")]
    Length {
        /// What it says.
        said: u16,
        /// What it has after its length.
        is: usize,
    },
    /// Its CRC is another: damaged, or of another polynomial.
    #[error(
        "the CRC is {said:04x}, and should be {is:04x}; if no frame passes, see the crc settings of the controllers"
    )]
    Crc {
        /// What it says.
        said: u16,
        /// What it should be.
        is: u16,
    },
    /// It is of a kind that the standard does not know.
    #[error("frames of kind {0:02x} are unknown")]
    Kind(u8),
    /// An item is shorter than its address, or longer than its frame.
    #[error("an item has the impossible length {0}")]
    Item(u8),
    /// Bytes are left behind the last item.
    #[error("{0} bytes are left behind the last item")]
    Left(usize),
}

codes! {
    /// What a frame is for.
    Kind {
        /// Asks for values.
        Query = 0x10,
        /// Brings them.
        QueryReply = 0x20,
        /// Some cannot be had.
        QueryError = 0x21,
        /// Sets values.
        Set = 0x30,
        /// They are set.
        SetReply = 0x40,
        /// Some cannot be set.
        SetError = 0x41,
        /// To all controllers, without an answer.
        Broadcast = 0x50,
        /// A controller says something by itself.
        Trap = 0x60,
        /// Are you there?
        Heartbeat = 0x70,
        /// I am.
        HeartbeatReply = 0x80,
    }
}

/// Where a value is: class, object, attribute, element.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address(pub u8, pub u8, pub u8, pub u8);

impl Address {
    /// The same attribute of another element.
    pub fn element(self, element: u8) -> Address {
        Address(self.0, self.1, self.2, element)
    }

    /// Whether it is the same attribute, whatever the element.
    pub fn is_of(self, other: Address) -> bool {
        self.element(0) == other.element(0)
    }
}

impl std::fmt::Display for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:02x}.{:02x}.{:02x}.{:02x}", self.0, self.1, self.2, self.3)
    }
}

/// A value and where it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// Its row in the frame, from 1.
    pub row: u8,
    /// Where.
    pub at: Address,
    /// The value; empty in a query.
    pub data: Vec<u8>,
}

/// A frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// Of the protocol.
    pub version: u16,
    /// Which centre.
    pub centre: u8,
    /// Which controller.
    pub controller: u32,
    /// Which of the junctions of a controller.
    pub road: u8,
    /// Which frame it is of its sender, or answers.
    pub seq: u8,
    /// What it is for.
    pub kind: Kind,
    /// What it holds.
    pub items: Vec<Item>,
}

impl Frame {
    /// A reply with some items.
    pub fn reply(&self, kind: Kind, items: Vec<Item>) -> Frame {
        Frame { kind, items, ..self.clone() }
    }

    /// The value at an attribute, whatever the element.
    pub fn value(&self, at: Address) -> Option<&[u8]> {
        self.items.iter().find(|item| item.at.is_of(at)).map(|item| item.data.as_slice())
    }

    /// Items in rows from 1.
    pub fn rows(values: impl IntoIterator<Item = (Address, Vec<u8>)>) -> Vec<Item> {
        let numbered = values.into_iter().zip(1..=u8::MAX);
        numbered.map(|((at, data), row)| Item { row, at, data }).collect()
    }
}

impl Wire {
    /// A frame as it goes over TCP.
    pub fn encode(&self, frame: &Frame) -> Result<Vec<u8>, FrameError> {
        let mut inside = vec![0, 0];
        inside.extend_from_slice(&frame.version.to_be_bytes());
        inside.push(frame.centre);
        inside.extend_from_slice(&frame.controller.to_be_bytes());
        let items = u8::try_from(frame.items.len()).map_err(|_| FrameError::TooLong)?;
        inside.extend_from_slice(&[frame.road, frame.seq, frame.kind as u8, items]);
        for item in &frame.items {
            let length = u8::try_from(ADDRESS + item.data.len()).map_err(|_| FrameError::TooLong)?;
            let Address(class, object, attribute, element) = item.at;
            inside.extend_from_slice(&[item.row, length, class, object, attribute, element]);
            inside.extend_from_slice(&item.data);
        }
        let length = match self.length {
            Length::AfterItself => inside.len() - 2 + CRC,
            Length::Inside => inside.len() + CRC,
            Length::WithoutCrc => inside.len() - 2,
        };
        let length = u16::try_from(length).map_err(|_| FrameError::TooLong)?;
        inside[..2].copy_from_slice(&length.to_be_bytes());
        let crc = self.crc(&inside);
        inside.extend_from_slice(&crc.to_be_bytes());
        let mut bytes = vec![HEAD];
        for byte in inside {
            if matches!(byte, HEAD | TAIL | ESCAPE) {
                bytes.push(ESCAPE);
            }
            bytes.push(byte);
        }
        bytes.push(TAIL);
        Ok(bytes)
    }

    /// Reads what stands between head and tail, without escapes.
    pub fn decode(&self, inside: &[u8]) -> Result<Frame, FrameError> {
        let after = inside.len().saturating_sub(2);
        let (body, crc) = inside.split_last_chunk::<CRC>().ok_or(FrameError::Short)?;
        let (header, mut rest) = body.split_first_chunk::<HEADER>().ok_or(FrameError::Short)?;
        let said = u16::from_be_bytes([header[0], header[1]]);
        if ![after, after + 2, after - CRC].contains(&usize::from(said)) {
            return Err(FrameError::Length { said, is: after });
        }
        let (said, is) = (u16::from_be_bytes(*crc), self.crc(body));
        if said != is {
            return Err(FrameError::Crc { said, is });
        }
        let [_, _, v1, v0, centre, c3, c2, c1, c0, road, seq, kind, number] = *header;
        let kind = Kind::from_byte(kind).ok_or(FrameError::Kind(kind))?;
        let items = (0..number).map(|_| item(&mut rest)).collect::<Result<Vec<_>, _>>()?;
        if !rest.is_empty() {
            return Err(FrameError::Left(rest.len()));
        }
        let (version, controller) = (u16::from_be_bytes([v1, v0]), u32::from_be_bytes([c3, c2, c1, c0]));
        Ok(Frame { version, centre, controller, road, seq, kind, items })
    }
}

fn item(rest: &mut &[u8]) -> Result<Item, FrameError> {
    let (&[row, length], tail) = rest.split_first_chunk().ok_or(FrameError::Short)?;
    let (value, tail) = tail.split_at_checked(usize::from(length)).ok_or(FrameError::Item(length))?;
    let (&[class, object, attribute, element], data) = value.split_first_chunk().ok_or(FrameError::Item(length))?;
    *rest = tail;
    Ok(Item { row, at: Address(class, object, attribute, element), data: data.to_vec() })
}
