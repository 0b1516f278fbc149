//! Saved states. What a machine saves at a tick lies in one piece of memory, record after record: to save costs no
//! allocation a key, and what was saved is passed on, written, and read again without being taken apart.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::Kind;
use crate::Time;

/// Before each record: how long its key and its state are, each in four bytes, the least first.
const HEAD_BYTES: usize = 8;
/// As the length of a state: the key was forgotten.
const GONE: u32 = u32::MAX;
/// Pieces of [`States::pieces`] are at most about so long, bytes.
const PIECE_BYTES: usize = 4 << 20;

/// What one machine saved. Of a key a later record replaces an earlier one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Saved {
    /// The machine's name.
    pub machine: String,
    /// What its states are good for after a restart.
    pub kind: Kind,
    /// Whether these are all states of the machine on its worker, and not only those that changed.
    pub is_whole: bool,
    records: Bytes,
}

impl Saved {
    /// Of a machine: keys with their states, or with none where they were forgotten, all in postcard.
    pub fn new<'r>(
        machine: &str,
        kind: Kind,
        records: impl IntoIterator<Item = (&'r [u8], Option<&'r [u8]>)>,
    ) -> Saved {
        let mut saving = Saving::default();
        records.into_iter().for_each(|(key, state)| saving.copy(key, state));
        saving.finished(machine, kind)
    }

    /// How long all records are, bytes.
    pub fn bytes(&self) -> usize {
        self.records.len()
    }

    /// Keys and states in the order in which they were saved; none where a key was forgotten. A record that is cut short ends them.
    pub fn records(&self) -> impl Iterator<Item = (Bytes, Option<Bytes>)> + '_ {
        let mut at = 0;
        std::iter::from_fn(move || {
            let (key, state) = lengths(self.records.get(at..)?)?;
            let key_end = at + HEAD_BYTES + key;
            let end = key_end + state.unwrap_or_default();
            if end > self.records.len() {
                return None;
            }
            let read = (self.records.slice(at + HEAD_BYTES..key_end), state.map(|_| self.records.slice(key_end..end)));
            at = end;
            Some(read)
        })
    }
}

fn lengths(record: &[u8]) -> Option<(usize, Option<usize>)> {
    let (key, rest) = record.split_first_chunk()?;
    let state = u32::from_le_bytes(*rest.first_chunk()?);
    Some((u32::from_le_bytes(*key) as usize, (state != GONE).then_some(state as usize)))
}

/// Records that are being written.
#[derive(Default)]
pub(super) struct Saving {
    records: Vec<u8>,
}

impl Saving {
    /// With room for so many bytes.
    pub(super) fn with_room(bytes: usize) -> Saving {
        Saving { records: Vec::with_capacity(bytes) }
    }

    /// A key with its state and its timer; none: it was forgotten.
    pub(super) fn put<K: Serialize, S: Serialize>(&mut self, key: &K, state: Option<(Option<Time>, &S)>) {
        let head = self.records.len();
        self.records.extend([0; HEAD_BYTES]);
        let key_bytes = self.write(key);
        let state_bytes = state.map(|state| self.write(&state));
        self.fill_in(head, key_bytes, state_bytes);
    }

    fn copy(&mut self, key: &[u8], state: Option<&[u8]>) {
        let head = self.records.len();
        self.records.extend([0; HEAD_BYTES]);
        self.records.extend_from_slice(key);
        self.records.extend_from_slice(state.unwrap_or_default());
        self.fill_in(head, key.len(), state.map(<[u8]>::len));
    }

    /// Appends a value in postcard; how long it is, bytes.
    fn write<T: Serialize>(&mut self, value: &T) -> usize {
        let (before, records) = (self.records.len(), std::mem::take(&mut self.records));
        self.records =
            postcard::to_extend(value, records).expect("a state is plain data, which postcard always writes to memory");
        self.records.len() - before
    }

    fn fill_in(&mut self, head: usize, key_bytes: usize, state_bytes: Option<usize>) {
        let length = |bytes: usize| u32::try_from(bytes).ok().filter(|bytes| *bytes != GONE);
        let key = length(key_bytes).expect("a key is short");
        let state = state_bytes.map_or(GONE, |bytes| length(bytes).expect("a state is shorter than 4 GB"));
        self.records[head..head + 4].copy_from_slice(&key.to_le_bytes());
        self.records[head + 4..head + HEAD_BYTES].copy_from_slice(&state.to_le_bytes());
    }

    pub(super) fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    pub(super) fn bytes(&self) -> usize {
        self.records.len()
    }

    pub(super) fn finished(self, machine: &str, kind: Kind) -> Saved {
        Saved { machine: machine.to_owned(), kind, is_whole: false, records: self.records.into() }
    }
}

/// The newest state of each key of all machines. Cloning is cheap: both share them until one changes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct States(Arc<BTreeMap<String, Newest>>);

/// Those of a machine.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Newest {
    kind: Kind,
    /// By key; none: it was forgotten.
    states: BTreeMap<Bytes, Option<Bytes>>,
}

impl States {
    /// Takes what was saved later than all before.
    pub fn put(&mut self, saved: &Saved) {
        let machines = Arc::make_mut(&mut self.0);
        let new = || Newest { kind: saved.kind, states: BTreeMap::new() };
        machines.entry(saved.machine.clone()).or_insert_with(new).states.extend(saved.records());
    }

    /// Drops what is only known to be gone.
    pub fn forget_gone(&mut self) {
        let machines = Arc::make_mut(&mut self.0);
        machines.values_mut().for_each(|newest| newest.states.retain(|_, state| state.is_some()));
        machines.retain(|_, newest| !newest.states.is_empty());
    }

    /// Keeps the states of some machines, by name and kind.
    pub fn retain(&mut self, keep: impl Fn(&str, Kind) -> bool) {
        Arc::make_mut(&mut self.0).retain(|machine, newest| keep(machine, newest.kind));
    }

    /// Number of states, those counted that are gone.
    pub fn len(&self) -> usize {
        self.0.values().map(|newest| newest.states.len()).sum()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All of them as machines save them, in pieces that are not too long each.
    pub fn pieces(&self) -> Vec<Saved> {
        let mut pieces = Vec::new();
        for (machine, newest) in self.0.iter() {
            let mut saving = Saving::default();
            for (key, state) in &newest.states {
                saving.copy(key, state.as_deref());
                if saving.bytes() >= PIECE_BYTES {
                    pieces.push(std::mem::take(&mut saving).finished(machine, newest.kind));
                }
            }
            if !saving.is_empty() {
                pieces.push(saving.finished(machine, newest.kind));
            }
        }
        pieces
    }

    /// Whether there are states of a kind.
    pub(super) fn has(&self, kind: Kind) -> bool {
        self.0.values().any(|newest| newest.kind == kind)
    }

    /// Keys of a machine that are wanted, with states and timers. A state that no longer decodes is left out: the machine starts
    /// it afresh.
    pub(super) fn of<K: DeserializeOwned, S: DeserializeOwned>(
        &self,
        machine: &str,
        is_wanted: impl Fn(&K) -> bool,
    ) -> Vec<(K, S, Option<Time>)> {
        let states = self.0.get(machine).into_iter().flat_map(|newest| &newest.states);
        let read = |(key, state): (&Bytes, &Option<Bytes>)| {
            let key = postcard::from_bytes(key).ok().filter(&is_wanted)?;
            let (wake, state) = postcard::from_bytes(state.as_ref()?).ok()?;
            Some((key, state, wake))
        };
        states.filter_map(read).collect()
    }
}

impl<'s> FromIterator<&'s Saved> for States {
    /// Of saves, oldest first.
    fn from_iter<I: IntoIterator<Item = &'s Saved>>(saves: I) -> Self {
        let mut states = States::default();
        saves.into_iter().for_each(|saved| states.put(saved));
        states
    }
}
