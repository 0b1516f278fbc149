//! Measures of webhooks. They stand at zero where there are none.

use prometheus::IntCounter;

use super::make::Make;

/// Measures of webhooks, of all receivers together.
pub struct WebhookMeasures {
    sent: IntCounter,
    failed: IntCounter,
    dead: IntCounter,
}

impl WebhookMeasures {
    pub(super) fn new(make: &Make) -> WebhookMeasures {
        WebhookMeasures {
            sent: make.counter("webhook_events_total", "Events that a receiver has taken."),
            failed: make.counter("webhook_failures_total", "Tries that failed; the event is tried again."),
            dead: make.counter("webhook_dead_events_total", "Events given up after the last try."),
        }
    }

    /// An event was taken, if there was any to be sent.
    pub(crate) fn sent(&self, is_event: bool) {
        self.sent.inc_by(u64::from(is_event));
    }

    /// A try failed.
    pub(crate) fn failed(&self) {
        self.failed.inc();
    }

    /// An event was given up.
    pub(crate) fn dead(&self) {
        self.dead.inc();
    }
}
