//! Decodes ahead of the player on a thread of its own. Bounded: some blocks wait, and no more are read.

use std::thread::JoinHandle;

use crossbeam_channel::{Receiver, bounded};

use super::{Recorded, Recording, RecordingError, Ticks, shift};
use nanming_dataflows::Time;

/// Blocks that may wait for the player: some ten MB at their usual size.
const BLOCKS: usize = 4;

/// Ticks of a recording, as they come.
pub struct Ahead {
    blocks: Option<Receiver<Result<Vec<Recorded>, RecordingError>>>,
    block: std::vec::IntoIter<Recorded>,
    decoder: Option<JoinHandle<()>>,
}

impl Ahead {
    /// Decodes the ticks from one to another, so many times after each other; each round goes on where the last one ended.
    pub fn start(recording: &Recording, (from, to): (Time, Time), rounds: u64) -> std::io::Result<Ahead> {
        let (sender, blocks) = bounded(BLOCKS);
        let recording = recording.clone();
        let (first, last) = recording.span();
        let round_ms = to.min(last).saturating_sub(from.max(first)) + 1;
        let decoder = std::thread::Builder::new().name("decoder".into()).spawn(move || {
            for round in 0..rounds {
                for block in recording.ticks(from, to).map(|block| shifted(block, round, round_ms)) {
                    if sender.send(block).is_err() {
                        return;
                    }
                }
            }
        })?;
        Ok(Ahead { blocks: Some(blocks), block: Vec::new().into_iter(), decoder: Some(decoder) })
    }
}

fn shifted(block: <Ticks as Iterator>::Item, round: u64, round_ms: u64) -> Result<Vec<Recorded>, RecordingError> {
    let mut block = block?;
    for recorded in &mut block {
        let by_ms = round.saturating_mul(round_ms);
        recorded.tick = recorded.tick.saturating_add(by_ms);
        // The engine goes on from round to round.
        recorded.starts &= round == 0;
        shift(&mut recorded.batch, by_ms, round);
    }
    Ok(block)
}

impl Iterator for Ahead {
    type Item = Result<Recorded, RecordingError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(recorded) = self.block.next() {
                return Some(Ok(recorded));
            }
            match self.blocks.as_ref()?.recv() {
                Ok(Ok(block)) => self.block = block.into_iter(),
                Ok(Err(error)) => return Some(Err(error)),
                Err(_) => {
                    let ended = self.decoder.take().map_or(Ok(()), JoinHandle::join);
                    return ended.is_err().then_some(Err(RecordingError::Panicked));
                }
            }
        }
    }
}

impl Drop for Ahead {
    fn drop(&mut self) {
        self.blocks = None;
        // A panic of the decoder is in the log already.
        let _ = self.decoder.take().map(JoinHandle::join);
    }
}
