//! The states of one machine on one worker, and the steps of a tick over them.

use std::collections::BTreeSet;

use super::saved::Saving;
use super::slots::{NEVER, Place, Slots};
use super::timers::Timers;
use super::{Key, Machine, Outbox, Tick, Vault};
use crate::Time;

/// Keys that are looked at ahead of their steps: enough for waits to overlap, few enough that the nearest cache holds them.
const TOGETHER: usize = 16;

/// The keys of a machine that this worker owns.
pub(super) struct Shard<M: Machine> {
    machine: M,
    slots: Slots<M::Key, M::State>,
    timers: Timers<M::Key>,
    /// Keys that a save holds and that are gone since.
    forgotten: BTreeSet<M::Key>,
    /// Keys that start with a saved state, until the first tick.
    restored: Vec<M::Key>,
    vault: Vault,
    /// Of the last save of what changed: the next one will be about as long.
    saved_bytes: usize,
}

impl<M: Machine> Shard<M> {
    pub(super) fn new(machine: M, vault: Vault, index: u64, peers: u64) -> Self {
        let mine = |key: &M::Key| key.route() % peers == index;
        let name = machine.name();
        let (slots, timers) = (Slots::default(), Timers::default());
        let forgotten = BTreeSet::new();
        let mut shard = Shard { machine, slots, timers, forgotten, restored: Vec::new(), vault, saved_bytes: 0 };
        for (key, state, wake) in shard.vault.restored().of::<M::Key, M::State>(name, mine) {
            let place = shard.slots.place(key);
            let slot = shard.slots.at(place);
            (slot.state, slot.saved) = (state, true);
            wake.into_iter().for_each(|at| shard.timers.set(key, slot, at));
            shard.restored.push(key);
        }
        shard.restored.sort_unstable();
        for key in shard.machine.keys().into_iter().filter(mine) {
            let place = shard.slots.place(key);
            let slot = shard.slots.at(place);
            if !slot.saved {
                shard.timers.set(key, slot, 0);
            }
        }
        shard
    }

    /// Steps every key that has events or whose timer is due, in the order of keys.
    pub(super) fn run(&mut self, tick: Time, mut events: Vec<(M::Key, M::Event)>, mark: Tick) -> Vec<M::Out> {
        sort(&mut events);
        let mut out = Outbox::new();
        for key in std::mem::take(&mut self.restored) {
            let place = self.slots.place(key);
            self.machine.restored(key, &self.slots.at(place).state, tick, &mut out);
        }
        let mut woken = self.timers.due(tick, &mut self.slots).into_iter().peekable();
        let groups: Vec<_> = events.chunk_by(|a, b| a.0 == b.0).map(|group| (self.touch(group[0].0), group)).collect();
        for together in groups.chunks(TOGETHER) {
            self.look_ahead(together);
            for &(place, group) in together {
                let key = group[0].0;
                while let Some(earlier) = woken.next_if(|w| *w < key) {
                    self.wake(earlier, tick, &mut out);
                }
                woken.next_if_eq(&key);
                self.step(key, place, tick, group, &mut out);
            }
        }
        for key in woken {
            self.wake(key, tick, &mut out);
        }
        if mark.save.is_some_and(|kind| self.machine.kind() <= kind) {
            self.save(mark.is_whole);
        }
        out.said
    }

    fn look_ahead(&mut self, groups: &[(Place, &[(M::Key, M::Event)])]) {
        for look in 0..M::LOOKS {
            for &(place, events) in groups {
                self.machine.look_ahead(look, &self.slots.at(place).state, events);
            }
        }
    }

    /// The place of a key that will be stepped.
    fn touch(&mut self, key: M::Key) -> Place {
        let place = self.slots.place(key);
        self.slots.at(place).touched = true;
        place
    }

    fn wake(&mut self, key: M::Key, tick: Time, out: &mut Outbox<M::Out>) {
        let place = self.touch(key);
        self.step(key, place, tick, &[], out);
    }

    fn step(&mut self, key: M::Key, place: Place, tick: Time, events: &[(M::Key, M::Event)], out: &mut Outbox<M::Out>) {
        let slot = self.slots.at(place);
        self.machine.step(key, &mut slot.state, tick, events, out);
        if let Some(at) = out.wake.take() {
            self.timers.set(key, slot, at);
        }
        if std::mem::take(&mut out.forget) {
            let held = self.slots.remove(key).is_some_and(|slot| slot.saved);
            self.forgotten.extend(held.then_some(key));
        }
    }

    /// Puts what changed since the last save, or the whole, into the vault: what is gone, then the rest as it lies in memory.
    fn save(&mut self, is_whole: bool) {
        let mut saving = Saving::with_room(self.saved_bytes + self.saved_bytes / 8);
        for key in std::mem::take(&mut self.forgotten) {
            saving.put(&key, None::<(_, &M::State)>);
        }
        for (key, slot) in self.slots.unsaved(is_whole) {
            (slot.touched, slot.saved) = (false, true);
            let wake = (slot.wake != NEVER).then_some(slot.wake);
            saving.put(key, Some((wake, &slot.state)));
        }
        if !is_whole {
            self.saved_bytes = saving.bytes();
        }
        if !saving.is_empty() {
            let mut saved = saving.finished(self.machine.name(), self.machine.kind());
            saved.is_whole = is_whole;
            self.vault.save(saved);
        }
    }
}

/// Sorts events by key, and those of a key among themselves. Events are large and keys are small: the order of the keys is
/// found first, and each event is moved once.
pub(super) fn sort<K: Copy + Ord, E: Ord>(events: &mut [(K, E)]) {
    let mut order: Vec<(K, usize)> = (0..).zip(events.iter()).map(|(at, (key, _))| (*key, at)).collect();
    order.sort_unstable();
    for start in 0..events.len() {
        // Along a cycle: each place takes the event that belongs there, until it is the start's.
        let mut at = start;
        loop {
            let from = std::mem::replace(&mut order[at].1, at);
            if from == start {
                break;
            }
            events.swap(at, from);
            at = from;
        }
    }
    events.chunk_by_mut(|a, b| a.0 == b.0).for_each(|group| group.sort_unstable());
}
