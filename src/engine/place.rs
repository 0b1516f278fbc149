//! Where a worker stands in its cluster, and what follows from it.

use crossbeam_channel::Sender;
use nanming_dataflows::input::{Announced, Announcer, announced};
use nanming_dataflows::output::Gathering;
use timely::worker::Worker;

use crate::cluster::Cluster;

/// A worker's process among those of its cluster.
#[derive(Clone, Copy)]
pub(super) enum Place {
    Alone,
    Leader,
    /// The process' workers are those from here on.
    Follower(usize),
}

impl Place {
    pub(super) fn of(cluster: &Cluster, workers: usize) -> Place {
        if cluster.leads() { Place::Leader } else { Place::Follower(cluster.process() * workers) }
    }

    pub(super) fn is_shared(self) -> bool {
        !matches!(self, Place::Alone)
    }

    pub(super) fn gathering(self) -> Gathering {
        if self.is_shared() { Gathering::First } else { Gathering::Each }
    }

    /// The leader's first worker announces ticks; the first one of each other process hears them for all of its own.
    pub(super) fn announcer(self, worker: &mut Worker, announces: Sender<Option<Announced>>) -> Option<Announcer> {
        if !self.is_shared() {
            return None;
        }
        let hears = matches!(self, Place::Follower(first) if first == worker.index());
        let announcer = worker.dataflow_named("ticks", |scope| {
            announced(scope, move |announced| {
                if hears {
                    // Nobody may be left to hear it.
                    let _ = announces.send(announced);
                }
            })
        });
        Some(announcer).filter(|_| worker.index() == 0)
    }
}
