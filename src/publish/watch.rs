//! Measures decisions on their way out, and watches the promise that matters most: a second envelope per junction sees
//! every command that leaves, apart from the one that let it pass inside the engine.

use std::sync::Arc;

use nanming_dataflows::decide::envelope::Witness;
use nanming_dataflows::decision::SignalCommand;
use nanming_dataflows::network::City;

use super::bus::Sink;
use crate::door::TickRecord;
use crate::metrics::Metrics;

/// The watch.
pub struct Watch {
    city: Arc<City>,
    metrics: Arc<Metrics>,
    witness: Witness,
}

impl Watch {
    /// Nothing seen yet.
    pub fn new(city: Arc<City>, metrics: Arc<Metrics>) -> Watch {
        Watch { witness: Witness::new(&city), city, metrics }
    }

    fn check(&mut self, command: &SignalCommand) {
        if let Err((rule, head)) = self.witness.see(&self.city, command) {
            let junction = &self.city.junctions[command.junction.index()].name;
            self.metrics.envelope_violated();
            tracing::error!(%junction, ?rule, head, "a signal command outside its envelope went out");
        }
    }
}

impl Sink for Watch {
    fn take(&mut self, record: &Arc<TickRecord>) {
        self.metrics.decided(&record.decisions);
        record.decisions.commands.iter().for_each(|command| self.check(command));
    }
}
