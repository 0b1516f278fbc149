//! What senders have said and not yet placed. By pseudonym; each for ten minutes, and never more than so many.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::ingest::alarm::{MAX_PICTURES, MAX_WORDS};

/// Words wait so long for a place, ms.
const WAIT_MS: u64 = 600_000;
/// Senders whose words wait.
const MOST: usize = 10_000;

/// What a sender has said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::http) struct Heard {
    pub(super) words: String,
    pub(super) pictures: Vec<String>,
    message: String,
    last_ms: u64,
}

/// The conversations.
#[derive(Default)]
pub(in crate::http) struct Conversations {
    waiting: Mutex<HashMap<String, Heard>>,
}

impl Conversations {
    /// Keeps words or a picture. A message that is passed on again is kept once. An error is the reason why something of
    /// what was said is lost.
    pub(in crate::http) fn say(
        &self,
        who: &str,
        message: &str,
        words: &str,
        picture: &str,
        now_ms: u64,
    ) -> Result<(), &'static str> {
        let mut waiting = self.lock();
        waiting.retain(|_, heard| now_ms.saturating_sub(heard.last_ms) <= WAIT_MS);
        if waiting.len() >= MOST && !waiting.contains_key(who) {
            return Err("too_many_conversations");
        }
        let heard = waiting.entry(who.to_owned()).or_default();
        heard.last_ms = now_ms;
        if heard.message == message {
            return Ok(());
        }
        heard.message = message.to_owned();
        if heard.words.chars().count() + 1 + words.chars().count() > MAX_WORDS {
            return Err("too_many_words");
        }
        if !picture.is_empty() {
            if heard.pictures.len() >= MAX_PICTURES {
                return Err("too_many_pictures");
            }
            heard.pictures.push(picture.to_owned());
        }
        if !(words.is_empty() || heard.words.is_empty()) {
            heard.words.push('\n');
        }
        heard.words.push_str(words);
        Ok(())
    }

    /// What a sender has said within the time.
    pub(in crate::http) fn heard(&self, who: &str, now_ms: u64) -> Heard {
        let heard = self.lock().get(who).cloned().unwrap_or_default();
        if now_ms.saturating_sub(heard.last_ms) <= WAIT_MS { heard } else { Heard::default() }
    }

    /// It became a call.
    pub(super) fn forget(&self, who: &str) {
        self.lock().remove(who);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Heard>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_waits_ten_minutes_and_is_kept_once() {
        let all = Conversations::default();
        for (message, words, picture) in
            [("1", "有人", ""), ("1", "有人", ""), ("2", "", "http://x/1"), ("3", "打架", "")]
        {
            assert_eq!(all.say("a", message, words, picture, 0), Ok(()));
        }
        let heard = all.heard("a", WAIT_MS);
        assert_eq!((heard.words.as_str(), heard.pictures), ("有人\n打架", vec!["http://x/1".to_owned()]));
        assert_eq!(all.heard("a", WAIT_MS + 1), Heard::default());
        assert_eq!(all.heard("b", 0), Heard::default());
        all.forget("a");
        assert_eq!(all.heard("a", 0), Heard::default());
    }

    #[test]
    fn nobody_says_more_than_a_call_holds_and_there_are_never_too_many() {
        let all = Conversations::default();
        assert_eq!(all.say("a", "1", &"字".repeat(MAX_WORDS - 1), "", 0), Ok(()));
        assert_eq!(all.say("a", "2", "字", "", 0), Err("too_many_words"));
        for n in 0..=MAX_PICTURES {
            let said = all.say("b", &n.to_string(), "", "x", 0);
            assert_eq!(said.is_ok(), n < MAX_PICTURES);
        }
        for n in 2..MOST {
            assert_eq!(all.say(&n.to_string(), "1", "x", "", 0), Ok(()));
        }
        assert_eq!(all.say("c", "1", "x", "", 0), Err("too_many_conversations"));
        assert_eq!(all.say("a", "3", "", "", 0), Ok(()), "who speaks already may go on");
        assert_eq!(all.say("c", "1", "x", "", WAIT_MS + 1), Ok(()));
    }
}
