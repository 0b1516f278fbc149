//! States by key. A hash table tells the place of a key, so that a step costs the same however many keys there are; its order
//! is never seen. States lie apart from it: the places of a tick's keys are looked up one right after the other, and the waits
//! for memory overlap.

use hashbrown::HashTable;
use hashbrown::hash_table::Entry;

use super::Key;
use crate::Time;

/// Where the state of a key is, until the key is removed.
#[derive(Clone, Copy)]
pub(super) struct Place(u32);

/// The time of what never comes.
pub(super) const NEVER: Time = Time::MAX;

/// The state of a key, and when it wants to be woken.
pub(super) struct Slot<S> {
    pub(super) state: S,
    pub(super) wake: Time,
    /// The earliest entry of this key in the timers' queue.
    pub(super) queued: Time,
    /// Whether it was stepped since the last save.
    pub(super) touched: bool,
    /// Whether a save holds it.
    pub(super) saved: bool,
}

impl<S> Slot<S> {
    pub(super) fn new(state: S) -> Self {
        Slot { state, wake: NEVER, queued: NEVER, touched: false, saved: false }
    }
}

/// Slots by key.
pub(super) struct Slots<K, S> {
    places: HashTable<(K, Place)>,
    slots: Vec<Slot<S>>,
    /// Whose each slot is, or was.
    keys: Vec<K>,
    free: Vec<Place>,
}

impl<K, S> Default for Slots<K, S> {
    fn default() -> Self {
        Slots { places: HashTable::new(), slots: Vec::new(), keys: Vec::new(), free: Vec::new() }
    }
}

impl<K: Key, S: Default> Slots<K, S> {
    pub(super) fn at(&mut self, place: Place) -> &mut Slot<S> {
        &mut self.slots[place.0 as usize]
    }

    pub(super) fn get_mut(&mut self, key: K) -> Option<&mut Slot<S>> {
        let place = self.places.find(hash(&key), |(k, _)| *k == key).map(|(_, place)| *place)?;
        Some(self.at(place))
    }

    /// The place of a key; one that is not there yet gets a fresh state.
    pub(super) fn place(&mut self, key: K) -> Place {
        match self.places.entry(hash(&key), |(k, _)| *k == key, |(k, _)| hash(k)) {
            Entry::Occupied(found) => found.get().1,
            Entry::Vacant(empty) => {
                let place = self.free.pop().unwrap_or(Place(self.slots.len() as u32));
                if place.0 as usize == self.slots.len() {
                    self.slots.push(Slot::new(S::default()));
                    self.keys.push(key);
                }
                self.keys[place.0 as usize] = key;
                empty.insert((key, place));
                place
            }
        }
    }

    /// Forgets a key, and returns its slot.
    pub(super) fn remove(&mut self, key: K) -> Option<Slot<S>> {
        let found = self.places.find_entry(hash(&key), |(k, _)| *k == key).ok()?;
        let ((_, place), _) = found.remove();
        self.free.push(place);
        Some(std::mem::replace(self.at(place), Slot::new(S::default())))
    }

    /// Slots stepped since the last save, or all that are not free, as they lie in memory.
    pub(super) fn unsaved(&mut self, is_whole: bool) -> impl Iterator<Item = (&K, &mut Slot<S>)> {
        self.keys.iter().zip(&mut self.slots).filter(move |(_, slot)| slot.touched || is_whole && slot.saved)
    }
}

/// All keys of a worker leave the same remainder by the number of workers: bits from elsewhere tell them apart.
fn hash<K: Key>(key: &K) -> u64 {
    key.route().rotate_right(24)
}
