//! Frames out of a stream of bytes, whatever the pieces in which it comes.

use super::frame::{ESCAPE, HEAD, TAIL};
use super::{Frame, FrameError, Wire};

/// Longest inside of a frame, bytes: what its length can say, and itself.
pub const MAX_FRAME: usize = u16::MAX as usize + 2;

/// What has come of a frame.
#[derive(Debug, Default)]
pub struct Stream {
    wire: Wire,
    /// Without escapes; none between frames.
    inside: Option<Vec<u8>>,
    escaped: bool,
}

impl Stream {
    /// A stream that begins.
    pub fn new(wire: Wire) -> Stream {
        Stream { wire, ..Stream::default() }
    }

    /// Takes bytes; the frames that end in them, and what was none. Bytes between frames are passed over.
    pub fn take(&mut self, bytes: &[u8]) -> Vec<Result<Frame, FrameError>> {
        bytes.iter().filter_map(|byte| self.byte(*byte)).collect()
    }

    fn byte(&mut self, byte: u8) -> Option<Result<Frame, FrameError>> {
        let Some(inside) = &mut self.inside else {
            self.inside = (byte == HEAD).then(Vec::new);
            self.escaped = false;
            return None;
        };
        match byte {
            _ if self.escaped => {
                self.escaped = false;
                inside.push(byte);
            }
            ESCAPE => self.escaped = true,
            // The one before lost its end.
            HEAD => {
                let was_empty = inside.is_empty();
                inside.clear();
                return (!was_empty).then_some(Err(FrameError::Broken));
            }
            TAIL => {
                let inside = self.inside.take().unwrap_or_default();
                return Some(self.wire.decode(&inside));
            }
            _ => inside.push(byte),
        }
        if inside.len() > MAX_FRAME {
            self.inside = None;
            return Some(Err(FrameError::TooLong));
        }
        None
    }
}
