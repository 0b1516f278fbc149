//! Where machines put their states when a tick is saved, and where they find them at a restart. Plain memory: writing it
//! to a disk is another's work.

use std::cell::RefCell;
use std::rc::Rc;

use super::{Kind, Saved, States};

/// A worker's saved states. Cloning gives another handle to the same vault.
#[derive(Clone, Default)]
pub struct Vault(Rc<Inside>);

#[derive(Default)]
struct Inside {
    restored: RefCell<States>,
    is_whole: bool,
    saved: RefCell<Vec<Saved>>,
}

impl Vault {
    /// A vault from which machines start with the states of earlier saves.
    pub fn restoring(restored: States) -> Self {
        let is_whole = restored.has(Kind::Told);
        Vault(Rc::new(Inside { restored: restored.into(), is_whole, ..Inside::default() }))
    }

    /// Whether machines that are told facts after a restart start with saved states all the same: nothing is told to them again.
    pub(crate) fn is_whole(&self) -> bool {
        self.0.is_whole
    }

    /// Lets go of the states that machines started with: the graph is built, and they have them.
    pub fn release(&self) {
        self.0.restored.take();
    }

    /// Takes what was saved since the last call.
    pub fn take(&self) -> Vec<Saved> {
        self.0.saved.take()
    }

    pub(super) fn save(&self, saved: Saved) {
        self.0.saved.borrow_mut().push(saved);
    }

    /// What machines start with.
    pub(super) fn restored(&self) -> States {
        self.0.restored.borrow().clone()
    }
}
