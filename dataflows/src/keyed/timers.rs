//! When keys want to be woken. Lazy: a timer that moves later, as one does at every sign of life, costs nothing until its
//! old time comes, and is then queued anew.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::Key;
use super::slots::{NEVER, Slot, Slots};
use crate::Time;

/// The queue of all timers of a machine on a worker.
pub(super) struct Timers<K> {
    queue: BinaryHeap<Reverse<(Time, K)>>,
}

impl<K: Ord> Default for Timers<K> {
    fn default() -> Self {
        Timers { queue: BinaryHeap::new() }
    }
}

impl<K: Key> Timers<K> {
    /// Wakes a key at the first tick not before `at`, instead of any time set earlier.
    pub(super) fn set<S>(&mut self, key: K, slot: &mut Slot<S>, at: Time) {
        slot.wake = at;
        if slot.queued > at {
            slot.queued = at;
            self.queue.push(Reverse((at, key)));
        }
    }

    /// Keys whose timer is due, in order; their timers are gone.
    pub(super) fn due<S: Default>(&mut self, tick: Time, slots: &mut Slots<K, S>) -> Vec<K> {
        let mut due = Vec::new();
        while let Some(Reverse((at, key))) = self.next_until(tick) {
            let Some(slot) = slots.get_mut(key).filter(|slot| slot.queued == at) else { continue };
            slot.queued = NEVER;
            if slot.wake <= tick {
                slot.wake = NEVER;
                due.push(key);
            } else {
                self.set(key, slot, slot.wake);
            }
        }
        due.sort_unstable();
        due
    }

    fn next_until(&mut self, tick: Time) -> Option<Reverse<(Time, K)>> {
        let is_due = self.queue.peek().is_some_and(|Reverse((at, _))| *at <= tick);
        is_due.then(|| self.queue.pop()).flatten()
    }
}
