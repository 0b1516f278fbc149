//! When two alarms are the same: the hash of what a sender sent, so that a call sent twice stays one.

use nanming_dataflows::event::{CallFacts, Needs};

use crate::door::CallNote;

/// BLAKE3 of a call's facts and words; 32 bytes.
pub fn content_hash(facts: &CallFacts, note: &CallNote) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new();
    hasher.update(told(facts, note).as_bytes());
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

/// The facts as their sender told them: what was read from the words is left out, for the rules may change between the two
/// times that an alarm is sent. Calls that tell of no needs hash as they did before there were any.
fn told(facts: &CallFacts, note: &CallNote) -> String {
    let CallFacts { priority, category, at, grid, needs } = facts;
    let gave = note.classified.as_ref().map(|classified| classified.gave).unwrap_or_default();
    let or_words = |is_of_words: bool, told: String| if is_of_words { "?".to_owned() } else { told };
    let priority = or_words(gave.priority, format!("{priority:?}"));
    let category = or_words(gave.category, format!("{category:?}"));
    let mut text = format!("CallFacts {{ priority: {priority}, category: {category}, at: {at:?}, grid: {grid:?} }}");
    if *needs != Needs::ONE && !gave.needs {
        text.push_str(&format!("{needs:?}"));
    }
    text
}

#[cfg(test)]
mod tests {
    use nanming_dataflows::event::{Category, Priority};
    use nanming_dataflows::ids::GridId;
    use nanming_dataflows::network::Point;

    use super::*;
    use crate::classify::{Classified, Gave};

    #[test]
    fn an_alarm_is_the_same_whatever_its_words_are_taken_for() {
        let (at, grid) = (Point { x_mm: 1, y_mm: 2 }, GridId(3));
        let facts = CallFacts { priority: Priority::A, category: Category::Crime, at, grid, needs: Needs::ONE };
        let note = |gave| CallNote {
            words: "救命".into(),
            classified: Some(Classified { rule: "r".into(), phrase: "救命".into(), gave }),
            ..CallNote::default()
        };
        let all = Gave { priority: true, category: true, needs: true };
        let other = CallFacts { priority: Priority::C, category: Category::Help, ..facts };
        assert_eq!(content_hash(&facts, &note(all)), content_hash(&other, &note(all)));
        assert_ne!(content_hash(&facts, &note(Gave::default())), content_hash(&other, &note(Gave::default())));
        let two = CallFacts { needs: Needs { units: 2, ..Needs::ONE }, ..facts };
        assert_ne!(content_hash(&facts, &note(Gave::default())), content_hash(&two, &note(Gave::default())));
    }
}
