//! What a process that has no ledger takes: what sensors saw. What the ledger keeps is the leader's.

use nanming_dataflows::decision::Reason;
use nanming_dataflows::event::Event;

use super::Unfit;

/// Whether a sensor saw it; all else is refused.
pub fn sensed(event: &Event) -> Result<(), Unfit> {
    match event {
        Event::Call(_) | Event::Ack(_) | Event::Unit(_) | Event::Case(_) | Event::Site(_) | Event::Hold(_) => {
            let detail = "only sensors' events are taken here; send it to process 0 of the cluster";
            Err(Unfit::new(Reason::NotTheLeader, detail))
        }
        _ => Ok(()),
    }
}
