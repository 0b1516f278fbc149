//! When two alarms are the same: the hash of what a sender sent, so that a call sent twice stays one.

use nanming_dataflows::event::CallFacts;

use crate::door::CallNote;

/// BLAKE3 of a call's facts and words; 32 bytes.
pub fn content_hash(facts: &CallFacts, note: &CallNote) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new();
    hasher.update(format!("{facts:?}").as_bytes());
    for text in [&note.words, &note.channel] {
        hasher.update(&(text.len() as u64).to_le_bytes());
        hasher.update(text.as_bytes());
    }
    // Calls without these hash as they did before there were any.
    if !(note.caller.is_empty() && note.pictures.is_empty()) {
        hasher.update(format!("{:?}", (&note.caller, &note.pictures)).as_bytes());
    }
    hasher.finalize().into()
}
