//! What comes in, and what of it is refused, left out or recorded.

use nanming_dataflows::decision::Reason;
use nanming_dataflows::event::Priority;
use prometheus::IntCounter;

use super::Metrics;
use crate::door::TickRecord;

impl Metrics {
    /// A unit accepted a call for the first time, so long after it was raised.
    pub fn call_acknowledged(&self, took_ms: u64) {
        self.acknowledged.observe(took_ms as f64 / 1000.0);
    }

    /// A unit arrived at a call for the first time, so long after it was raised.
    pub fn call_reached(&self, priority: Priority, took_ms: u64) {
        let of_it = self.reached.iter().filter(|(of, _)| *of == priority);
        of_it.for_each(|(_, reached)| reached.observe(took_ms as f64 / 1000.0));
    }

    /// Calls of a tick whose words decided something; there are as many rules as their file has.
    pub(super) fn calls_classified(&self, record: &TickRecord) {
        for classified in record.notes.iter().filter_map(|(_, note)| note.classified.as_ref()) {
            self.classified.with_label_values(&[&classified.rule]).inc();
        }
    }

    /// An event was refused.
    pub fn dead_letter(&self, stream: &str, reason: Reason) {
        self.dead_letters_handle(stream, reason).inc();
    }

    /// Sensor events were left out, by stream.
    pub fn events_sampled(&self, left_out: &[(&'static str, usize)]) {
        for (stream, events) in left_out {
            self.sampled.with_label_values(&[stream]).inc_by(*events as u64);
        }
    }

    /// Sensor events came too late to count, by stream.
    pub fn events_late(&self, late: &[(&'static str, usize)]) {
        for (stream, events) in late.iter().filter(|(_, events)| *events > 0) {
            self.late.with_label_values(&[stream]).inc_by(*events as u64);
        }
    }

    /// An event was refused whose text could not be kept.
    pub fn dead_letter_unkept(&self) {
        self.dead_letters_unkept.inc();
    }

    /// Ticks were written to the recording.
    pub fn recorded(&self, ticks: u64) {
        self.recorded.inc_by(ticks);
    }

    /// Ticks will be missing in the recording.
    pub fn unrecorded(&self, ticks: u64) {
        self.unrecorded.inc_by(ticks);
    }

    /// A request was not let in; `reason` is one of a fixed few.
    pub fn http_refused(&self, door: &str, reason: &str) {
        self.http_refusals.with_label_values(&[door, reason]).inc();
    }

    /// So many devices of GA/T 1400 live.
    pub fn cameras_online(&self, devices: usize) {
        self.cameras_online.set(devices as i64);
    }

    pub(super) fn dead_letters_handle(&self, stream: &str, reason: Reason) -> IntCounter {
        self.dead_letters.with_label_values(&[stream, reason.as_str()])
    }
}
