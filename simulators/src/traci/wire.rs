//! Bytes of the protocol, out and in.

use super::{TraciError, number};

const INT: u8 = 0x09;
const DOUBLE: u8 = 0x0b;
const TEXT: u8 = 0x0c;
const TEXTS: u8 = 0x0e;
const COMPOUND: u8 = 0x0f;

/// What a command holds, or a whole message.
pub(super) trait Content {
    fn byte(&mut self, value: u8);
    fn int(&mut self, value: i32);
    fn double(&mut self, value: f64);
    fn text(&mut self, value: &str);
    fn typed_text(&mut self, value: &str) {
        self.byte(TEXT);
        self.text(value);
    }
}

impl Content for Vec<u8> {
    fn byte(&mut self, value: u8) {
        self.push(value);
    }
    fn int(&mut self, value: i32) {
        self.extend_from_slice(&value.to_be_bytes());
    }
    fn double(&mut self, value: f64) {
        self.extend_from_slice(&value.to_be_bytes());
    }
    fn text(&mut self, value: &str) {
        self.int(value.len() as i32);
        self.extend_from_slice(value.as_bytes());
    }
}

/// Commands that wait to be sent as one message.
#[derive(Default)]
pub(super) struct Orders {
    /// Without its length.
    pub(super) message: Vec<u8>,
    /// Their numbers: each is answered by a status, in this order.
    pub(super) commands: Vec<u8>,
}

impl Orders {
    /// Adds a command.
    pub(super) fn push(&mut self, command: u8, fill: impl FnOnce(&mut Vec<u8>)) {
        let mut content = Vec::new();
        fill(&mut content);
        match u8::try_from(content.len() + 2) {
            Ok(length) => self.message.byte(length),
            Err(_) => {
                self.message.byte(0);
                self.message.int(content.len() as i32 + 6);
            }
        }
        self.message.byte(command);
        self.message.append(&mut content);
        self.commands.push(command);
    }

    /// Adds a subscription to some variables.
    pub(super) fn subscribe(&mut self, command: u8, to: &str, variables: &[u8]) {
        self.push(command, |content| {
            content.double(number::ALWAYS);
            content.double(number::ALWAYS);
            content.text(to);
            content.byte(variables.len() as u8);
            content.extend_from_slice(variables);
        });
    }

    pub(super) fn is_empty(&self) -> bool {
        self.commands.is_empty()
    }

    pub(super) fn take(&mut self) -> Orders {
        std::mem::take(self)
    }
}

/// Reads an answer from its beginning to its end.
pub(super) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Reader(bytes)
    }

    fn bytes(&mut self, n: usize) -> Result<&'a [u8], TraciError> {
        let (head, rest) = self.0.split_at_checked(n).ok_or(TraciError::Answer("it ends too early"))?;
        self.0 = rest;
        Ok(head)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], TraciError> {
        let mut array = [0; N];
        array.copy_from_slice(self.bytes(N)?);
        Ok(array)
    }

    pub(super) fn byte(&mut self) -> Result<u8, TraciError> {
        Ok(self.array::<1>()?[0])
    }

    pub(super) fn int(&mut self) -> Result<i32, TraciError> {
        Ok(i32::from_be_bytes(self.array()?))
    }

    pub(super) fn text(&mut self) -> Result<&'a str, TraciError> {
        let length = usize::try_from(self.int()?).map_err(|_| TraciError::Answer("a text of negative length"))?;
        std::str::from_utf8(self.bytes(length)?).map_err(|_| TraciError::Answer("a text that is not UTF-8"))
    }

    fn of_type(&mut self, expected: u8) -> Result<(), TraciError> {
        if self.byte()? == expected { Ok(()) } else { Err(TraciError::Answer("a value of another type")) }
    }

    pub(super) fn typed_int(&mut self) -> Result<i32, TraciError> {
        self.of_type(INT)?;
        self.int()
    }

    pub(super) fn typed_double(&mut self) -> Result<f64, TraciError> {
        self.of_type(DOUBLE)?;
        Ok(f64::from_be_bytes(self.array()?))
    }

    pub(super) fn typed_text(&mut self) -> Result<&'a str, TraciError> {
        self.of_type(TEXT)?;
        self.text()
    }

    pub(super) fn typed_texts(&mut self) -> Result<Vec<&'a str>, TraciError> {
        self.of_type(TEXTS)?;
        (0..self.int()?).map(|_| self.text()).collect()
    }

    /// Number of values in a compound, which follow.
    pub(super) fn compound(&mut self) -> Result<i32, TraciError> {
        self.of_type(COMPOUND)?;
        self.int()
    }

    /// The next command: its number, and what it holds.
    pub(super) fn command(&mut self) -> Result<(u8, Reader<'a>), TraciError> {
        let (length, head) = match self.byte()? {
            0 => (self.int()?, 6),
            short => (i32::from(short), 2),
        };
        let id = self.byte()?;
        let rest = length.checked_sub(head).and_then(|rest| usize::try_from(rest).ok());
        let rest = rest.ok_or(TraciError::Answer("a command of no length"))?;
        Ok((id, Reader(self.bytes(rest)?)))
    }

    /// The status that answers a command.
    pub(super) fn status(&mut self, of: u8) -> Result<(), TraciError> {
        let (command, mut status) = self.command()?;
        let (result, why) = (status.byte()?, status.text()?);
        if command != of {
            return Err(TraciError::Answer("a status of another command"));
        }
        if result == 0 { Ok(()) } else { Err(TraciError::Refused { command, why: why.to_string() }) }
    }
}
