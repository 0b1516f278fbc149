//! The states of one machine on one worker, and the steps of a tick over them.

use std::collections::BTreeSet;

use super::slots::{Slot, Slots};
use super::timers::Timers;
use super::{Key, Machine, Outbox, Saved, Tick, Vault};
use crate::Time;

/// The keys of a machine that this worker owns.
pub(super) struct Shard<M: Machine> {
    machine: M,
    slots: Slots<M::Key, M::State>,
    timers: Timers<M::Key>,
    /// Keys that a save holds and that are gone since.
    forgotten: BTreeSet<M::Key>,
    vault: Vault,
}

impl<M: Machine> Shard<M> {
    pub(super) fn new(machine: M, vault: Vault, index: u64, peers: u64) -> Self {
        let mine = |key: &M::Key| key.route() % peers == index;
        let name = machine.name();
        let (slots, timers) = (Slots::default(), Timers::default());
        let mut shard = Shard { machine, slots, timers, forgotten: BTreeSet::new(), vault };
        for (key, state, wake) in shard.vault.restored::<M::Key, M::State>(name).filter(|(key, _, _)| mine(key)) {
            let slot = shard.slots.get_or_insert(key, || Slot { saved: true, ..Slot::new(state) });
            wake.into_iter().for_each(|at| shard.timers.set(key, slot, at));
        }
        for key in shard.machine.keys().into_iter().filter(mine) {
            let timers = &mut shard.timers;
            shard.slots.get_or_insert(key, || {
                let mut slot = Slot::new(M::State::default());
                timers.set(key, &mut slot, 0);
                slot
            });
        }
        shard
    }

    /// Steps every key that has events or whose timer is due, in the order of keys.
    pub(super) fn run(&mut self, tick: Time, mut events: Vec<(M::Key, M::Event)>, mark: Tick) -> Vec<M::Out> {
        events.sort_unstable();
        let mut out = Outbox::new();
        let mut woken = self.timers.due(tick, &mut self.slots).into_iter().peekable();
        for group in events.chunk_by(|a, b| a.0 == b.0) {
            let key = group[0].0;
            while let Some(earlier) = woken.next_if(|w| *w < key) {
                self.step(earlier, tick, &[], &mut out);
            }
            woken.next_if_eq(&key);
            self.step(key, tick, group, &mut out);
        }
        for key in woken {
            self.step(key, tick, &[], &mut out);
        }
        if mark.save {
            self.save();
        }
        out.said
    }

    fn step(&mut self, key: M::Key, tick: Time, events: &[(M::Key, M::Event)], out: &mut Outbox<M::Out>) {
        let slot = self.slots.get_or_insert(key, || Slot::new(M::State::default()));
        slot.touched = true;
        self.machine.step(key, &mut slot.state, tick, events, out);
        if let Some(at) = out.wake.take() {
            self.timers.set(key, slot, at);
        }
        if std::mem::take(&mut out.forget) {
            let held = self.slots.remove(key).is_some_and(|slot| slot.saved);
            self.forgotten.extend(held.then_some(key));
        }
    }

    /// Puts what changed since the last save into the vault: what is gone, then what was stepped, by key.
    fn save(&mut self) {
        let name = self.machine.name();
        for key in std::mem::take(&mut self.forgotten) {
            self.vault.save(Saved::forgotten(name, &key));
        }
        for key in self.slots.touched() {
            let Some(slot) = self.slots.get_mut(key) else { continue };
            (slot.touched, slot.saved) = (false, true);
            self.vault.save(Saved::state(name, &key, &slot.state, slot.wake));
        }
    }
}
