//! From the ledger to the sinks.

use std::sync::Arc;

use crossbeam_channel::Receiver;

use crate::door::TickRecord;
use crate::fail;

/// Somewhere that committed ticks go.
pub trait Sink: Send {
    /// Takes a tick. Must not wait for anybody.
    fn take(&mut self, record: &Arc<TickRecord>);
}

impl<F: FnMut(&Arc<TickRecord>) + Send> Sink for F {
    fn take(&mut self, record: &Arc<TickRecord>) {
        self(record);
    }
}

/// The sinks, in the order in which they are served: who waits for milliseconds comes first.
#[derive(Default)]
pub struct Bus {
    sinks: Vec<Box<dyn Sink>>,
}

impl Bus {
    /// Adds a sink behind those there are.
    pub fn with(mut self, sink: impl Sink + 'static) -> Bus {
        self.sinks.push(Box::new(sink));
        self
    }

    /// Gives every committed tick to every sink until the ledger has ended.
    pub fn run(mut self, committed: &Receiver<Arc<TickRecord>>) {
        for record in committed {
            fail::point("sinks.before_first");
            for (row, sink) in self.sinks.iter_mut().enumerate() {
                if row > 0 {
                    fail::point("sinks.between");
                }
                sink.take(&record);
            }
            fail::point("sinks.after_last");
        }
    }
}
