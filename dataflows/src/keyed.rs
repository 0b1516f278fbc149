//! The one operator of keyed state machines. No other file touches timely's operator builders.
//!
//! `keyed` routes events to the worker that owns their key, waits until a tick is complete, sorts the tick's events by
//! key and by event, and steps each key's machine once. A machine may ask to be woken at a later tick. Since ticks are
//! told to every worker as data ([`Tick`]), a timer fires at the first tick not before its time, on any number of workers.
//!
//! It alone knows how to save and restore states: a tick marked `save` makes machines write what changed since the last such
//! tick into the worker's [`Vault`]. Where all of them did, an engine that starts with what they wrote goes on as if nothing
//! had happened.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use timely::ExchangeData;
use timely::dataflow::Stream;
use timely::dataflow::channels::pact::{Exchange, Pipeline};
use timely::dataflow::operators::Capability;
use timely::dataflow::operators::generic::operator::Operator;

use crate::Time;

mod saved;
mod shard;
mod slots;
mod timers;
mod vault;
pub use saved::{Saved, States};
use shard::Shard;
pub use vault::Vault;

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
    /// Whether machines save their states after this tick: those of this kind, and of the kinds before it.
    pub save: Option<Kind>,
    /// Whether they save those too that did not change since the last save.
    pub is_whole: bool,
}

/// What the states of a machine are good for after a restart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Kind {
    /// What was learned: good at any later tick, whatever else is lost.
    Learned,
    /// What was seen of the city: good a little later, as after a pause in what comes in.
    Seen,
    /// What is known better from elsewhere (the ledger, the controllers themselves) and told as facts after a restart. Good
    /// only for an engine that is given every tick since.
    Told,
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

    /// What its states are good for after a restart.
    fn kind(&self) -> Kind {
        Kind::Seen
    }

    /// Of a key that starts with a saved state, at the first tick and before all steps: says again what somebody has to hear who
    /// remembers nothing.
    fn restored(&self, _key: Self::Key, _state: &Self::State, _tick: Time, _out: &mut Outbox<Self::Out>) {}

    /// How many times [`look_ahead`](Self::look_ahead) is called before steps: as deep as the chain of pointers that they
    /// follow.
    const LOOKS: usize = 0;

    /// Reads what a step will read, so that the waits for memory of some keys overlap; nothing but speed depends on it. Called
    /// for all keys of a group with `look` 0, then 1, ..: each look finds in the cache what the one before has read.
    fn look_ahead(&self, _look: usize, _state: &Self::State, _events: &[(Self::Key, Self::Event)]) {}

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
    /// When the key is to be woken, for tests of machines.
    #[cfg(test)]
    pub(crate) fn due(&self) -> Option<Time> {
        self.wake
    }
    /// What was said, for tests of machines.
    #[cfg(test)]
    pub(crate) fn said(self) -> Vec<O> {
        self.said
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

#[cfg(test)]
mod tests;
