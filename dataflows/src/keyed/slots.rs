//! States by key. A hash table, so that a step costs the same however many keys there are; its order is never seen.

use hashbrown::HashTable;
use hashbrown::hash_table::Entry;

use super::Key;
use crate::Time;

/// The state of a key, and when it wants to be woken.
pub(super) struct Slot<S> {
    pub(super) state: S,
    pub(super) wake: Option<Time>,
    /// The earliest entry of this key in the timers' queue.
    pub(super) queued: Option<Time>,
    /// Whether it was stepped since the last save.
    pub(super) touched: bool,
    /// Whether a save holds it.
    pub(super) saved: bool,
}

impl<S> Slot<S> {
    pub(super) fn new(state: S) -> Self {
        Slot { state, wake: None, queued: None, touched: false, saved: false }
    }
}

/// Slots by key.
pub(super) struct Slots<K, S> {
    table: HashTable<(K, Slot<S>)>,
}

impl<K, S> Default for Slots<K, S> {
    fn default() -> Self {
        Slots { table: HashTable::new() }
    }
}

impl<K: Key, S> Slots<K, S> {
    pub(super) fn get_mut(&mut self, key: K) -> Option<&mut Slot<S>> {
        self.table.find_mut(hash(&key), |(k, _)| *k == key).map(|(_, slot)| slot)
    }

    pub(super) fn get_or_insert(&mut self, key: K, fresh: impl FnOnce() -> Slot<S>) -> &mut Slot<S> {
        let entry = self.table.entry(hash(&key), |(k, _)| *k == key, |(k, _)| hash(k));
        let (_, slot) = match entry {
            Entry::Occupied(found) => found.into_mut(),
            Entry::Vacant(empty) => empty.insert((key, fresh())).into_mut(),
        };
        slot
    }

    pub(super) fn remove(&mut self, key: K) -> Option<Slot<S>> {
        let found = self.table.find_entry(hash(&key), |(k, _)| *k == key).ok()?;
        Some(found.remove().0.1)
    }

    /// Keys stepped since the last save, in order.
    pub(super) fn touched(&self) -> Vec<K> {
        let mut keys: Vec<K> = self.table.iter().filter(|(_, slot)| slot.touched).map(|(key, _)| *key).collect();
        keys.sort_unstable();
        keys
    }
}

/// All keys of a worker leave the same remainder by the number of workers: bits from elsewhere tell them apart.
fn hash<K: Key>(key: &K) -> u64 {
    key.route().rotate_right(24)
}
