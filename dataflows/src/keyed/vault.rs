//! Where machines put their states when a tick is saved, and where they find them at a restart. Plain memory: writing it
//! to a disk is the ledger's work.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::{Kind, Machine};
use crate::Time;

/// One saved state. A later one of the same machine and key replaces an earlier one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Saved {
    /// The machine's name.
    pub machine: String,
    /// What its states are good for after a restart.
    pub kind: Kind,
    /// The key, in postcard.
    pub key: Vec<u8>,
    /// The state and its timer, in postcard; none: the key was forgotten.
    pub state: Option<Vec<u8>>,
}

impl Saved {
    /// Of a key of a machine that has no state any more, as far as is said.
    pub(super) fn of<M: Machine>(machine: &M, key: &M::Key) -> Self {
        Saved { machine: machine.name().to_owned(), kind: machine.kind(), key: bytes(key), state: None }
    }

    /// With a state and its timer.
    pub(super) fn with<S: Serialize>(self, state: &S, wake: Option<Time>) -> Self {
        Saved { state: Some(bytes(&(wake, state))), ..self }
    }
}

fn bytes<T: Serialize>(value: &T) -> Vec<u8> {
    postcard::to_stdvec(value).expect("a state is plain data, which postcard always writes to memory")
}

/// A worker's saved states. Cloning gives another handle to the same vault.
#[derive(Clone, Default)]
pub struct Vault {
    restored: Arc<BTreeMap<(String, Vec<u8>), Vec<u8>>>,
    /// Whether all machines start with saved states, those too that are told facts otherwise.
    is_whole: bool,
    saved: Rc<RefCell<Vec<Saved>>>,
}

impl Vault {
    /// A vault from which machines start with the states of earlier saves, oldest first.
    pub fn restoring(saves: impl IntoIterator<Item = Saved>) -> Self {
        let (mut states, mut is_whole) = (BTreeMap::new(), false);
        for Saved { machine, kind, key, state } in saves {
            is_whole |= kind == Kind::Told;
            match state {
                Some(state) => states.insert((machine, key), state),
                None => states.remove(&(machine, key)),
            };
        }
        Vault { restored: Arc::new(states), is_whole, saved: Rc::default() }
    }

    /// Whether machines that are told facts after a restart start with saved states all the same: nothing is told to them again.
    pub(crate) fn is_whole(&self) -> bool {
        self.is_whole
    }

    /// Takes what was saved since the last call.
    pub fn take(&self) -> Vec<Saved> {
        self.saved.take()
    }

    pub(super) fn save(&self, saved: Saved) {
        self.saved.borrow_mut().push(saved);
    }

    /// Keys, states and timers of a machine. A state that no longer decodes is left out: the machine starts it afresh.
    pub(super) fn restored<K: DeserializeOwned, S: DeserializeOwned>(
        &self,
        machine: &'static str,
    ) -> impl Iterator<Item = (K, S, Option<Time>)> + use<K, S> {
        let restored = Arc::clone(&self.restored);
        let of_machine: Vec<_> = restored
            .iter()
            .filter(|((name, _), _)| name == machine)
            .map(|((_, k), s)| (k.clone(), s.clone()))
            .collect();
        of_machine.into_iter().filter_map(|(key, state)| {
            let key = postcard::from_bytes(&key).ok()?;
            let (wake, state) = postcard::from_bytes(&state).ok()?;
            Some((key, state, wake))
        })
    }
}
