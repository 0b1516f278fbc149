//! From streams of facts to relations: upserts and expiry. Every input of a relation passes through one of these, so that
//! no arrangement grows with the length of the run: a relation holds one value a key until it is withdrawn or, where an
//! expiry is set, no longer renewed. Who sets none must see to it that every key is withdrawn in the end.

use std::marker::PhantomData;

use differential_dataflow::AsCollection;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use timely::ExchangeData;
use timely::dataflow::Stream;
use timely::dataflow::operators::vec::Map;

use crate::keyed::{Key, Machine, Outbox, Ticks, Vault, keyed};
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

/// The newest value of each key: what was said last at the latest time. What comes late, of a time before that of the
/// value held, is passed over; of a key without a value no time is remembered. With `expiry_ms`, a value that is not renewed within so many ms is dropped. `name` is
/// the machine's: unique in the graph.
pub fn latest<'s, K, V>(
    name: &'static str,
    upserts: Stream<'s, Time, Vec<(K, Upsert<V>)>>,
    ticks: Ticks<'s>,
    expiry_ms: Option<u64>,
    vault: &Vault,
) -> Collection<'s, (K, V)>
where
    K: Key,
    V: ExchangeData + Ord + Clone + DeserializeOwned,
{
    keyed(upserts, ticks, Latest { name, expiry_ms, of: PhantomData }, vault).as_collection()
}

/// The records, each withdrawn `width_ms` after it came.
pub fn within<'s, D: ExchangeData + Clone>(records: Collection<'s, D>, width_ms: u64) -> Collection<'s, D> {
    records
        .inner
        .flat_map(move |(record, at, diff)| [(record.clone(), at, diff), (record, at + width_ms, -diff)])
        .as_collection()
}

struct Latest<K, V> {
    name: &'static str,
    expiry_ms: Option<u64>,
    of: PhantomData<(K, V)>,
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
    type Out = ((K, V), Time, Diff);

    fn name(&self) -> &'static str {
        self.name
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
            old.into_iter().for_each(|v| out.emit(((key, v), tick, -1)));
            held.value.iter().for_each(|v| out.emit(((key, v.clone()), tick, 1)));
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
            latest("test", scope.given(told), ticks, Some(100), &Vault::default()).inner
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
            latest("test", scope.given(told), ticks, None, &Vault::default()).inner
        });
        assert_eq!(seen, vec![((UnitId(1), 5), 10, 1)]);
    }

    #[test]
    fn of_what_is_said_at_one_time_the_last_word_holds() {
        let word = |seq, value| (UnitId(1), Upsert { time_ms: 10, seq, value });
        let told = vec![(10, word(1, None)), (10, word(0, Some(5))), (20, word(2, Some(4))), (20, word(1, Some(9)))];
        let seen = observe(1..=30, move |scope, ticks| {
            latest("test", scope.given(told), ticks, None, &Vault::default()).inner
        });
        assert_eq!(seen, vec![((UnitId(1), 4), 20, 1)]);
    }

    #[test]
    fn within_withdraws_each_record_after_its_width() {
        let told = vec![(10, said(1, 10, Some(5)))];
        let seen = observe(1..=80, move |scope, ticks| {
            within(latest("test", scope.given(told), ticks, None, &Vault::default()), 50).consolidate().inner
        });
        assert_eq!(seen, vec![((UnitId(1), 5), 10, 1), ((UnitId(1), 5), 60, -1)]);
    }
}
