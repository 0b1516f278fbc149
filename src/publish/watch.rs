//! Measures decisions on their way out, and watches the promise that matters most: a second envelope per junction sees
//! every command that leaves, apart from the one that let it pass inside the engine.

use std::sync::Arc;

use nanming_dataflows::decide::envelope::{Shown, admit};
use nanming_dataflows::decision::SignalCommand;
use nanming_dataflows::network::City;

use super::bus::Sink;
use crate::door::TickRecord;
use crate::metrics::Metrics;

/// The watch.
pub struct Watch {
    city: Arc<City>,
    metrics: Arc<Metrics>,
    shown: Vec<Shown>,
}

impl Watch {
    /// Nothing seen yet.
    pub fn new(city: Arc<City>, metrics: Arc<Metrics>) -> Watch {
        let shown = city.junctions.iter().map(|j| Shown::dark(j.heads.len())).collect();
        Watch { city, metrics, shown }
    }

    fn check(&mut self, command: &SignalCommand) {
        let row = command.junction.index();
        let junction = &self.city.junctions[row];
        if let Err((rule, head)) = admit(junction, &mut self.shown[row], command.at_ms, &command.lamps) {
            self.metrics.envelope_violated();
            tracing::error!(junction = %junction.name, ?rule, head, "a signal command outside its envelope went out");
        }
    }
}

impl Sink for Watch {
    fn take(&mut self, record: &Arc<TickRecord>) {
        self.metrics.decided(&record.decisions);
        record.decisions.commands.iter().for_each(|command| self.check(command));
    }
}
