//! From streams of facts to relations: upserts and expiry. Every input of a relation passes through one of these, so that
//! no arrangement grows with the length of the run: a relation holds one value a key until it is withdrawn or, where an
//! expiry is set, no longer renewed. Who sets none must see to it that every key is withdrawn in the end.

use std::marker::PhantomData;

use differential_dataflow::AsCollection;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use timely::ExchangeData;
use timely::dataflow::Stream;
use timely::dataflow::operators::Concat;
use timely::dataflow::operators::vec::Map;

use crate::keyed::{Key, Kind, Machine, Outbox, Ticks, Vault, keyed};
use crate::{Collection, Diff, Time};

/// What became of a key at an event time: a new value, or none. Ordered by time, then as it was said.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Upsert<V> {
    /// Event time, ms.
    pub time_ms: u64,
    /// Order of what is said of a key at one time.
    pub seq: u32,
    /// The value from then on.
    pub value: Option<V>,
}

impl<V> Upsert<V> {
    /// Of a key of which one thing is said at a time. Should there be two all the same, none is less than any value, and
    /// the greater value holds.
    pub fn new(time_ms: u64, value: Option<V>) -> Self {
        Upsert { time_ms, seq: 0, value }
    }
}

/// A relation: its changes, and after a restart what it held already.
#[derive(Clone)]
pub struct Relation<'s, D: 'static> {
    changes: Stream<'s, Time, Vec<(D, Time, Diff)>>,
    held: Stream<'s, Time, Vec<(D, Time, Diff)>>,
}

impl<'s, D: Clone + 'static> Relation<'s, D> {
    /// All of it, as differential dataflow wants it: arrangements are empty after a restart.
    pub fn collection(self) -> Collection<'s, D> {
        self.changes.concat(self.held).as_collection()
    }

    /// Its changes, for a machine that is saved with it: that one knows what the relation held.
    pub fn changes(self) -> Stream<'s, Time, Vec<(D, Time, Diff)>> {
        self.changes
    }

    /// What a machine is to be told that starts without its states after a restart ([`Kind::Told`]). What was held comes with the
    /// time before: what ends in the same tick ends after it.
    pub fn told(self, vault: &Vault) -> Stream<'s, Time, Vec<(D, Time, Diff)>> {
        if vault.is_whole() {
            return self.changes;
        }
        self.changes.concat(self.held.map(|(record, tick, diff)| (record, tick.saturating_sub(1), diff)))
    }
}

/// The newest value of each key: what was said last at the latest time. What comes late, of a time before that of the
/// value held, is passed over; of a key without a value no time is remembered. With `expiry_ms`, a value that is not renewed within so
/// many ms is dropped. `name` is the machine's: unique in the graph; `kind` is [`Kind::Told`] where all is said anew after a restart.
pub fn latest<'s, K, V>(
    (name, kind): (&'static str, Kind),
    upserts: Stream<'s, Time, Vec<(K, Upsert<V>)>>,
    ticks: Ticks<'s>,
    expiry_ms: Option<u64>,
    vault: &Vault,
) -> Relation<'s, (K, V)>
where
    K: Key,
    V: ExchangeData + Ord + Clone + DeserializeOwned,
{
    let said = keyed(upserts, ticks, Latest { name, expiry_ms, kind, of: PhantomData }, vault);
    let of = |held: bool| move |word: Word<(K, V)>| (word.held == held).then_some((word.record, word.tick, word.diff));
    Relation { changes: said.clone().flat_map(of(false)), held: said.flat_map(of(true)) }
}

struct Latest<K, V> {
    name: &'static str,
    expiry_ms: Option<u64>,
    kind: Kind,
    of: PhantomData<(K, V)>,
}

/// A record comes or goes, or was held before the restart.
#[derive(Clone)]
struct Word<D> {
    record: D,
    tick: Time,
    diff: Diff,
    held: bool,
}

#[derive(Serialize, Deserialize)]
struct Held<V> {
    value: Option<V>,
    said: (u64, u32),
    until: Time,
}

impl<V> Default for Held<V> {
    fn default() -> Self {
        Held { value: None, said: (0, 0), until: 0 }
    }
}

impl<K: Key, V: ExchangeData + Ord + Clone + DeserializeOwned> Machine for Latest<K, V> {
    type Key = K;
    type Event = Upsert<V>;
    type State = Held<V>;
    type Out = Word<(K, V)>;

    fn name(&self) -> &'static str {
        self.name
    }

    fn kind(&self) -> Kind {
        self.kind
    }

    fn restored(&self, key: K, held: &Held<V>, tick: Time, out: &mut Outbox<Self::Out>) {
        let again = |value: &V| Word { record: (key, value.clone()), tick, diff: 1, held: true };
        held.value.iter().for_each(|value| out.emit(again(value)));
    }

    fn step(&self, key: K, held: &mut Held<V>, tick: Time, events: &[(K, Upsert<V>)], out: &mut Outbox<Self::Out>) {
        let newest = events.last().map(|(_, upsert)| upsert).filter(|u| (u.time_ms, u.seq) >= held.said);
        let expired = self.expiry_ms.is_some() && tick >= held.until;
        let value = match newest {
            Some(upsert) => {
                held.said = (upsert.time_ms, upsert.seq);
                held.until = tick + self.expiry_ms.unwrap_or(0);
                upsert.value.clone()
            }
            None if expired => None,
            None => held.value.clone(),
        };
        if value != held.value {
            let old = std::mem::replace(&mut held.value, value);
            let word = |value, diff| Word { record: (key, value), tick, diff, held: false };
            old.into_iter().for_each(|value| out.emit(word(value, -1)));
            held.value.iter().for_each(|value| out.emit(word(value.clone(), 1)));
        }
        match (&held.value, self.expiry_ms) {
            (None, _) => out.forget(),
            (Some(_), Some(_)) => out.wake_at(held.until),
            (Some(_), None) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::UnitId;
    use crate::observe::observe;

    fn said(unit: u32, time_ms: u64, value: Option<u32>) -> (UnitId, Upsert<u32>) {
        (UnitId(unit), Upsert::new(time_ms, value))
    }

    #[test]
    fn latest_replaces_withdraws_and_expires() {
        let told = vec![
            (10, said(1, 10, Some(5))),
            (20, said(1, 20, Some(6))),
            (30, said(2, 30, Some(9))),
            (40, said(2, 35, None)),
        ];
        let seen = observe(1..=130, move |scope, ticks| {
            latest(("test", Kind::Seen), scope.given(told), ticks, Some(100), &Vault::default()).collection().inner
        });
        let one = UnitId(1);
        let two = UnitId(2);
        assert_eq!(
            seen,
            vec![
                ((one, 5), 10, 1),
                ((one, 5), 20, -1),
                ((one, 6), 20, 1),
                ((two, 9), 30, 1),
                ((two, 9), 40, -1),
                ((one, 6), 120, -1),
            ]
        );
    }

    #[test]
    fn latest_ignores_what_is_older_than_what_it_holds() {
        let told = vec![(10, said(1, 10, Some(5))), (20, said(1, 7, Some(4)))];
        let seen = observe(1..=30, move |scope, ticks| {
            latest(("test", Kind::Seen), scope.given(told), ticks, None, &Vault::default()).collection().inner
        });
        assert_eq!(seen, vec![((UnitId(1), 5), 10, 1)]);
    }

    #[test]
    fn of_what_is_said_at_one_time_the_last_word_holds() {
        let word = |seq, value| (UnitId(1), Upsert { time_ms: 10, seq, value });
        let told = vec![(10, word(1, None)), (10, word(0, Some(5))), (20, word(2, Some(4))), (20, word(1, Some(9)))];
        let seen = observe(1..=30, move |scope, ticks| {
            latest(("test", Kind::Seen), scope.given(told), ticks, None, &Vault::default()).collection().inner
        });
        assert_eq!(seen, vec![((UnitId(1), 4), 20, 1)]);
    }
}
