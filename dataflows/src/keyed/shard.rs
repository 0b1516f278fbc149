//! The states of one machine on one worker, and the steps of a tick over them.

use super::slots::{Slot, Slots};
use super::timers::Timers;
use super::{Key, Machine, Outbox, Saved, Tick, Vault};
use crate::Time;

/// The keys of a machine that this worker owns.
pub(super) struct Shard<M: Machine> {
    machine: M,
    slots: Slots<M::Key, M::State>,
    timers: Timers<M::Key>,
    /// Keys stepped or forgotten since the last save, with repeats.
    touched: Vec<M::Key>,
    vault: Vault,
}

impl<M: Machine> Shard<M> {
    pub(super) fn new(machine: M, vault: Vault, index: u64, peers: u64) -> Self {
        let mine = |key: &M::Key| key.route() % peers == index;
        let name = machine.name();
        let (slots, timers) = (Slots::default(), Timers::default());
        let mut shard = Shard { machine, slots, timers, touched: Vec::new(), vault };
        for (key, state, wake) in shard.vault.restored::<M::Key, M::State>(name).filter(|(key, _, _)| mine(key)) {
            let slot = shard.slots.get_or_insert(key, || Slot::new(state));
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
        if !std::mem::replace(&mut slot.touched, true) {
            self.touched.push(key);
        }
        self.machine.step(key, &mut slot.state, tick, events, out);
        if let Some(at) = out.wake.take() {
            self.timers.set(key, slot, at);
        }
        if std::mem::take(&mut out.forget) {
            self.slots.remove(key);
        }
    }

    /// Puts what was touched since the last save into the vault, by key.
    fn save(&mut self) {
        let name = self.machine.name();
        self.touched.sort_unstable();
        self.touched.dedup();
        for key in self.touched.drain(..) {
            self.vault.save(match self.slots.get_mut(key) {
                Some(slot) => {
                    slot.touched = false;
                    Saved::state(name, &key, &slot.state, slot.wake)
                }
                None => Saved::forgotten(name, &key),
            });
        }
    }
}
