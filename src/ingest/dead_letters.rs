//! Where events go that were not taken: counted by stream and reason, and kept in `dead_letters.jsonl`, without plates.
//! Bounded: a full queue, a disk that fails or an old file drop the text, never the count; how many texts were dropped for
//! the first two is counted too, and said once.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread::JoinHandle;
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, bounded};
use nanming_dataflows::decision::{Reason, Rejected};
use serde::Serialize;

use super::redact::redacted;
use crate::bounded_file::BoundedFile;
use crate::kafka::LettersOut;
use crate::metrics::Metrics;

/// Letters that may wait for the file.
const QUEUE: usize = 1024;
/// Size at which a file is put aside (one older is kept), bytes.
const FILE_BYTES: u64 = 64 << 20;

/// The dead-letter office.
pub struct DeadLetters {
    metrics: Arc<Metrics>,
    total: AtomicU64,
    unkept: AtomicU64,
    kept: Option<Kept>,
    kafka: OnceLock<LettersOut>,
}

/// The way to the file. Dropped, it waits until all that was sent is written.
struct Kept {
    letters: Option<Sender<String>>,
    writer: Option<JoinHandle<()>>,
}

impl Drop for Kept {
    fn drop(&mut self) {
        drop(self.letters.take());
        // A panic of the writer is in the log already.
        let _ = self.writer.take().map(JoinHandle::join);
    }
}

/// One line of `dead_letters.jsonl`.
#[derive(Serialize)]
struct Letter<'a> {
    t_ms: u64,
    stream: &'a str,
    reason: &'static str,
    detail: String,
    raw: String,
}

impl DeadLetters {
    /// Counts; with a directory also keeps, on a thread of its own, in a file that is put aside at this age.
    pub fn open(
        directory: Option<&Path>,
        age: Option<Duration>,
        metrics: Arc<Metrics>,
    ) -> std::io::Result<DeadLetters> {
        let kept = directory.map(|directory| Kept::start(directory, age)).transpose()?;
        Ok(DeadLetters { metrics, total: AtomicU64::new(0), unkept: AtomicU64::new(0), kept, kafka: OnceLock::new() })
    }

    /// Sends them to Kafka too, from now on.
    pub fn also_to(&self, kafka: LettersOut) {
        // Whoever was first stays.
        let _ = self.kafka.set(kafka);
    }

    /// Takes what came in at `t_ms` and was refused.
    pub fn bury(&self, t_ms: u64, stream: &str, reason: Reason, detail: &str, raw: &[u8]) {
        self.metrics.dead_letter(stream, reason);
        self.total.fetch_add(1, Ordering::Relaxed);
        if let Some(kafka) = self.kafka.get() {
            kafka.take(line(t_ms, stream, reason, detail, raw));
        }
        let letters = self.kept.as_ref().and_then(|kept| kept.letters.as_ref());
        if letters.is_some_and(|letters| letters.try_send(line(t_ms, stream, reason, detail, raw)).is_err()) {
            self.metrics.dead_letter_unkept();
            if self.unkept.fetch_add(1, Ordering::Relaxed) == 0 {
                tracing::warn!(
                    "dead letters come faster than the disk takes them, or it fails: what is not kept is counted in \
                     nanming_dead_letters_unkept_total"
                );
            }
        }
    }

    /// Takes an event that the engine refused.
    pub fn bury_rejected(&self, rejected: &Rejected) {
        let raw = serde_json::to_vec(&rejected.event).unwrap_or_default();
        self.bury(rejected.time_ms, rejected.event.stream(), rejected.reason, "", &raw);
    }

    /// Letters taken since the start.
    pub fn total(&self) -> u64 {
        self.total.load(Ordering::Relaxed)
    }
}

/// One line of `dead_letters.jsonl`, without its end.
pub fn line(t_ms: u64, stream: &str, reason: Reason, detail: &str, raw: &[u8]) -> String {
    let letter =
        Letter { t_ms, stream, reason: reason.as_str(), detail: redacted(detail.as_bytes()), raw: redacted(raw) };
    serde_json::to_string(&letter).unwrap_or_default()
}

impl Kept {
    fn start(directory: &Path, age: Option<Duration>) -> std::io::Result<Kept> {
        std::fs::create_dir_all(directory)?;
        let out = BoundedFile::append(directory.join("dead_letters.jsonl"), FILE_BYTES)?.aged(age);
        let (letters, queue) = bounded(QUEUE);
        let writer = std::thread::Builder::new().name("dead-letters".into()).spawn(move || {
            if let Err(error) = write_all(out, &queue) {
                tracing::warn!(%error, "dead letters are no longer kept, only counted");
            }
        })?;
        Ok(Kept { letters: Some(letters), writer: Some(writer) })
    }
}

fn write_all(mut out: BoundedFile, queue: &Receiver<String>) -> std::io::Result<()> {
    while let Ok(letter) = queue.recv() {
        out.line(letter.into_bytes())?;
        if queue.is_empty() {
            out.flush()?;
        }
    }
    out.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_letter_is_counted_and_kept_without_its_plate() {
        let metrics = Arc::new(Metrics::new(&nanming_simulators::town::small(2, 2, 1)));
        let dir = tempfile::tempdir().unwrap();
        let letters = DeadLetters::open(Some(dir.path()), None, metrics.clone()).unwrap();
        letters.bury(5, "passages", Reason::UnknownCamera, "no camera 'x'", br#"{"plate":"secret"}"#);
        assert_eq!(letters.total(), 1);
        let counted = "nanming_dead_letters_total{reason=\"unknown_camera\",stream=\"passages\"} 1";
        assert!(metrics.render().contains(counted), "{}", metrics.render());

        drop(letters);
        let text = std::fs::read_to_string(dir.path().join("dead_letters.jsonl")).unwrap();
        assert!(!text.contains("secret") && text.contains("\"reason\":\"unknown_camera\""), "{text}");
    }

    #[test]
    fn a_text_that_cannot_be_kept_is_counted() {
        let metrics = Arc::new(Metrics::new(&nanming_simulators::town::small(2, 2, 1)));
        let (sender, queue) = bounded(1);
        let kept = Some(Kept { letters: Some(sender), writer: None });
        let letters =
            DeadLetters { metrics: metrics.clone(), total: 0.into(), unkept: 0.into(), kept, kafka: OnceLock::new() };
        let bury = || letters.bury(5, "passages", Reason::UnknownCamera, "no camera 'x'", b"x");
        (0..3).for_each(|_| bury());
        drop(queue);
        bury();
        assert_eq!(letters.total(), 4);
        assert!(metrics.render().lines().any(|l| l == "nanming_dead_letters_unkept_total 3"), "{}", metrics.render());
    }
}
