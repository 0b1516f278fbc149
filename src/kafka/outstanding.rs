//! What was handed to the door and has not passed the ledger yet: it bounds the memory that a consumer fills, and how much
//! stands before a call.

use std::collections::VecDeque;

use crate::offsets::{Offsets, Partition};

/// Events of a consumer that are on their way at most, a message more or less.
const EVENTS: usize = 300_000;

/// Messages on their way, oldest first.
#[derive(Default)]
pub(super) struct Outstanding {
    messages: VecDeque<(Partition, i64, usize)>,
    events: usize,
}

impl Outstanding {
    /// A message was handed over: the offset after it, and how many events it holds. An empty one counts too.
    pub(super) fn add(&mut self, partition: Partition, next: i64, events: usize) {
        self.events += events.max(1);
        self.messages.push_back((partition, next, events.max(1)));
    }

    /// Forgets what the ledger has kept. They went through the door in order, so they come out so.
    pub(super) fn settle(&mut self, kept: &Offsets) {
        let is_kept = |of: &Partition, next: i64| kept.next(&of.0, of.1).is_some_and(|kept| kept >= next);
        while let Some((_, _, events)) = self.messages.pop_front_if(|(of, next, _)| is_kept(of, *next)) {
            self.events -= events;
        }
    }

    /// Whether no more should be handed over.
    pub(super) fn is_full(&self) -> bool {
        self.events >= EVENTS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_full_until_the_ledger_has_kept_the_oldest() {
        let (first, second): (Partition, Partition) = (("passages".into(), 0), ("passages".into(), 1));
        let mut out = Outstanding::default();
        out.add(first.clone(), 8, EVENTS - 1);
        out.add(second.clone(), 3, 0);
        assert!(out.is_full());
        out.settle(&Offsets::of(second, 3));
        assert!(out.is_full(), "the oldest is not kept yet");
        out.settle(&Offsets::of(first, 9));
        assert!(!out.is_full() && out.events == 1);
    }
}
