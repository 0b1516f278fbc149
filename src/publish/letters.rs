//! Events that the engine refused go to the dead letters.

use std::sync::Arc;

use super::bus::Sink;
use crate::door::TickRecord;
use crate::ingest::DeadLetters;

/// Hands refused events to the dead-letter office.
pub struct Letters(pub Arc<DeadLetters>);

impl Sink for Letters {
    fn take(&mut self, record: &Arc<TickRecord>) {
        record.decisions.rejected.iter().for_each(|rejected| self.0.bury_rejected(rejected));
    }
}
