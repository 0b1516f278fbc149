//! The one operator of keyed state machines. No other file touches timely's operator builders.
//!
//! `keyed` routes events to the worker that owns their key, waits until a tick is complete, sorts the tick's events by
//! key and by event, and steps each key's machine once. A machine may ask to be woken at a later tick. Since ticks are
//! told to every worker as data ([`Tick`]), a timer fires at the first tick not before its time, on any number of workers.
//!
//! It alone knows how to save and restore states: a tick marked `save` makes every machine write what changed since the
//! last such tick into the worker's [`Vault`].

use std::collections::{BTreeMap, BTreeSet};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use timely::ExchangeData;
use timely::dataflow::Stream;
use timely::dataflow::channels::pact::{Exchange, Pipeline};
use timely::dataflow::operators::Capability;
use timely::dataflow::operators::generic::operator::Operator;

use crate::Time;

mod vault;
pub use vault::{Saved, Vault};

/// What a key must be able to do: be ordered, be sent, and name its worker.
pub trait Key: ExchangeData + Ord + Copy + Serialize + DeserializeOwned {
    /// A number whose remainder by the number of workers names the owner; well spread.
    fn route(&self) -> u64;
}

/// Spreads dense IDs over the whole range (the finaliser of splitmix64).
pub(crate) fn spread(id: u64) -> u64 {
    let x = (id ^ (id >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

/// What every worker is told at every tick.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tick {
    /// Whether machines save their states after this tick.
    pub save: bool,
}

/// The stream of ticks of a worker: one [`Tick`] at each time, never exchanged.
pub type Ticks<'s> = Stream<'s, Time, Vec<Tick>>;

/// A state machine, one state a key. Pure: the step depends on its arguments alone.
pub trait Machine: 'static {
    /// Key of a state.
    type Key: Key;
    /// What it is told. Its order must put event time first.
    type Event: ExchangeData + Ord;
    /// What it remembers.
    type State: Default + Serialize + DeserializeOwned + 'static;
    /// What it says.
    type Out: Clone + 'static;

    /// Name in operators, snapshots and metrics; unique among the machines of a graph.
    fn name(&self) -> &'static str;

    /// Keys that live from the first tick on, woken then without an event.
    fn keys(&self) -> Vec<Self::Key> {
        Vec::new()
    }

    /// One step of one key at a tick: the events of the tick (none when it was only woken), sorted.
    fn step(
        &self,
        key: Self::Key,
        state: &mut Self::State,
        tick: Time,
        events: &[(Self::Key, Self::Event)],
        out: &mut Outbox<Self::Out>,
    );
}

/// Where a step puts what it says.
pub struct Outbox<O> {
    said: Vec<O>,
    wake: Option<Time>,
    forget: bool,
}

impl<O> Outbox<O> {
    pub(crate) fn new() -> Self {
        Outbox { said: Vec::new(), wake: None, forget: false }
    }
    /// Says something, at this tick.
    pub fn emit(&mut self, what: O) {
        self.said.push(what);
    }
    /// Wakes the key at the first tick not before `at`. A key has one timer: the last word counts.
    pub fn wake_at(&mut self, at: Time) {
        self.wake = Some(at);
    }
    /// Drops the key's state after this step.
    pub fn forget(&mut self) {
        self.forget = true;
    }
}

/// Runs a machine over a stream of events. See the module.
pub fn keyed<'s, M: Machine>(
    events: Stream<'s, Time, Vec<(M::Key, M::Event)>>,
    ticks: Ticks<'s>,
    machine: M,
    vault: &Vault,
) -> Stream<'s, Time, Vec<M::Out>> {
    let (index, peers) = (events.scope().index(), events.scope().peers());
    let name = machine.name();
    let mut shard = Shard::new(machine, vault.clone(), index as u64, peers as u64);
    let route = Exchange::new(|(key, _): &(M::Key, M::Event)| key.route());
    events.binary_frontier(ticks, route, Pipeline, name, move |_, _| {
        let mut pending: BTreeMap<Time, Vec<(M::Key, M::Event)>> = BTreeMap::new();
        let mut open: BTreeMap<Time, (Capability<Time>, Tick)> = BTreeMap::new();
        move |(events, events_front), (ticks, ticks_front), output| {
            events.for_each(|cap, data| {
                if let Some(&time) = cap.least() {
                    let waiting = pending.entry(time).or_default();
                    if waiting.is_empty() { *waiting = std::mem::take(data) } else { waiting.append(data) }
                }
            });
            ticks.for_each(|cap, data| {
                if let (Some(held), Some(tick)) = (cap.retain_least(0), data.pop()) {
                    open.insert(*held.time(), (held, tick));
                }
            });
            let complete = |time: &Time| !events_front.less_equal(time) && !ticks_front.less_equal(time);
            while let Some(first) = open.first_entry().filter(|e| complete(e.key())) {
                let (time, (cap, tick)) = first.remove_entry();
                let said = shard.run(time, pending.remove(&time).unwrap_or_default(), tick);
                if !said.is_empty() {
                    output.session(&cap).give_iterator(said.into_iter());
                }
            }
        }
    })
}

struct Slot<S> {
    state: S,
    wake: Option<Time>,
    changed: bool,
}

/// The states of one machine on one worker.
struct Shard<M: Machine> {
    machine: M,
    slots: BTreeMap<M::Key, Slot<M::State>>,
    timers: BTreeSet<(Time, M::Key)>,
    forgotten: BTreeSet<M::Key>,
    vault: Vault,
}

impl<M: Machine> Shard<M> {
    fn new(machine: M, vault: Vault, index: u64, peers: u64) -> Self {
        let mine = |key: &M::Key| key.route() % peers == index;
        let name = machine.name();
        let mut shard =
            Shard { machine, slots: BTreeMap::new(), timers: BTreeSet::new(), forgotten: BTreeSet::new(), vault };
        for (key, state, wake) in shard.vault.restored::<M::Key, M::State>(name).filter(|(key, _, _)| mine(key)) {
            shard.timers.extend(wake.map(|at| (at, key)));
            shard.slots.insert(key, Slot { state, wake, changed: false });
        }
        for key in shard.machine.keys().into_iter().filter(mine) {
            if let std::collections::btree_map::Entry::Vacant(empty) = shard.slots.entry(key) {
                empty.insert(Slot { state: M::State::default(), wake: Some(0), changed: true });
                shard.timers.insert((0, key));
            }
        }
        shard
    }

    fn run(&mut self, tick: Time, mut events: Vec<(M::Key, M::Event)>, mark: Tick) -> Vec<M::Out> {
        events.sort_unstable();
        let mut out = Outbox::new();
        let woken = self.due(tick);
        let mut woken = woken.iter().copied().peekable();
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

    /// Keys whose timer is due, in order; their timers are gone.
    fn due(&mut self, tick: Time) -> BTreeSet<M::Key> {
        let mut keys = BTreeSet::new();
        while let Some(&(at, key)) = self.timers.first().filter(|(at, _)| *at <= tick) {
            self.timers.remove(&(at, key));
            if let Some(slot) = self.slots.get_mut(&key) {
                slot.wake = None;
            }
            keys.insert(key);
        }
        keys
    }

    fn step(&mut self, key: M::Key, tick: Time, events: &[(M::Key, M::Event)], out: &mut Outbox<M::Out>) {
        let fresh = || Slot { state: M::State::default(), wake: None, changed: true };
        let slot = self.slots.entry(key).or_insert_with(fresh);
        slot.changed = true;
        self.machine.step(key, &mut slot.state, tick, events, out);
        if let Some(at) = out.wake.take() {
            slot.wake.map(|old| self.timers.remove(&(old, key)));
            slot.wake = Some(at);
            self.timers.insert((at, key));
        }
        if std::mem::take(&mut out.forget) {
            slot.wake.map(|old| self.timers.remove(&(old, key)));
            self.slots.remove(&key);
            self.forgotten.insert(key);
        } else if !self.forgotten.is_empty() {
            self.forgotten.remove(&key);
        }
    }

    fn save(&mut self) {
        let name = self.machine.name();
        for key in std::mem::take(&mut self.forgotten) {
            self.vault.save(Saved::forgotten(name, &key));
        }
        for (key, slot) in self.slots.iter_mut().filter(|(_, slot)| slot.changed) {
            slot.changed = false;
            self.vault.save(Saved::state(name, key, &slot.state, slot.wake));
        }
    }
}

#[cfg(test)]
mod tests;
