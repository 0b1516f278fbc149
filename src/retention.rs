//! How long what is written stays, and the thread that removes it: once an hour, beside the engine, in small transactions, so
//! that no commit waits for it. Recordings and signal commands have bounds of their own, kept by those who write them.

use std::path::{Path, PathBuf};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime};

use crossbeam_channel::{RecvTimeoutError, Sender, bounded};

use crate::config::Config;
use crate::ledger::prune::Pruning;
use crate::ledger::{LedgerError, Trust};

/// Between two rounds.
const EVERY: Duration = Duration::from_secs(3_600);
/// Between two transactions of a round: commits go first.
const PAUSE: Duration = Duration::from_millis(100);
const DAY_MS: u64 = 86_400_000;
/// A clock that is so far ahead of what the ledger was last told is not believed, days: what is removed is gone for good.
const LEAP_DAYS: u64 = 90;

/// The thread; it ends when this is dropped.
pub struct Retention {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Retention {
    /// Starts it for what a configuration says, beside an engine whose ledger was last written at `last_ms` of city time;
    /// `now_ms` tells city time.
    pub fn start(
        config: &Config,
        trust: Trust,
        last_ms: u64,
        now_ms: impl Fn() -> u64 + Send + 'static,
    ) -> std::io::Result<Retention> {
        let (stop, stopped) = bounded::<()>(0);
        let (ledger, calls_days) = (config.ledger.path.clone(), config.retention.calls_days);
        let age = config.retention.file_age();
        let dirs: Vec<PathBuf> =
            [Some(config.dead_letters().to_owned()), config.output.jsonl.clone()].into_iter().flatten().collect();
        let pause = move |time| stopped.recv_timeout(time) != Err(RecvTimeoutError::Timeout);
        let (began, speed) = (Instant::now(), config.clock.speed);
        let is_plausible = move |now_ms: u64| {
            let passed_ms = began.elapsed().as_secs_f64() * 1_000.0 * speed;
            last_ms == 0 || now_ms <= last_ms + LEAP_DAYS * DAY_MS + passed_ms as u64
        };
        let rounds = move || {
            loop {
                let now_ms = now_ms();
                let is_plausible = is_plausible(now_ms);
                if !is_plausible {
                    tracing::error!(
                        "the clock is more than {LEAP_DAYS} days ahead of the ledger: nothing is removed for its age. If the clock is \
                         right, remove it once with nanming ledger prune"
                    );
                }
                if calls_days > 0 && is_plausible && trust.holds() {
                    let before_ms = now_ms.saturating_sub(u64::from(calls_days) * DAY_MS);
                    match forget(&ledger, before_ms, || pause(PAUSE) || !trust.holds()) {
                        Ok(0) => {}
                        Ok(calls) => tracing::info!(calls, "calls and tasks beyond their retention are removed"),
                        Err(error) => {
                            trust.hear(&error);
                            tracing::error!(%error, "what is beyond its retention cannot be removed; trying again")
                        }
                    }
                }
                if let Some(age) = age.filter(|_| is_plausible) {
                    dirs.iter().for_each(|dir| clear(dir, age, SystemTime::now()));
                }
                if pause(EVERY) {
                    return;
                }
            }
        };
        let thread = std::thread::Builder::new().name("retention".into()).spawn(rounds)?;
        Ok(Retention { stop: Some(stop), thread: Some(thread) })
    }
}

impl Drop for Retention {
    fn drop(&mut self) {
        drop(self.stop.take());
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

/// Removes what was over before a time, part by part, until `ends` or there is no more. How many calls and tasks.
fn forget(ledger: &Path, before_ms: u64, ends: impl Fn() -> bool) -> Result<usize, LedgerError> {
    let mut pruning = Pruning::beside(ledger)?;
    let mut count = 0;
    loop {
        let removed = pruning.part(i64::try_from(before_ms).unwrap_or(i64::MAX), "retention")?;
        count += removed;
        if removed == 0 || ends() {
            return Ok(count);
        }
    }
}

/// Of the JSON Lines files in a directory: one put aside goes when nothing was written to it for so long, one in use is
/// emptied. Those in use are put aside by their writers at the same age, so that no line stays for longer than twice that.
fn clear(dir: &Path, age: Duration, now: SystemTime) {
    let Ok(entries) = std::fs::read_dir(dir) else { return };
    for path in entries.filter_map(|entry| Some(entry.ok()?.path())) {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let Some((is_aside, true)) = kind(&name) else { continue };
        let written = std::fs::metadata(&path).and_then(|file| file.modified());
        if !written.is_ok_and(|written| now.duration_since(written).is_ok_and(|since| since > age)) {
            continue;
        }
        let done = if is_aside {
            std::fs::remove_file(&path)
        } else {
            std::fs::OpenOptions::new().write(true).open(&path).and_then(|file| file.set_len(0))
        };
        if let Err(error) = done {
            tracing::error!(%error, file = %path.display(), "a file beyond its retention cannot be removed");
        }
    }
}

/// Whether a file was put aside, and whether it is one that the engine writes.
fn kind(name: &str) -> Option<(bool, bool)> {
    const OURS: [&str; 7] =
        ["dead_letters", "signals", "plans", "forecasts", "crowds", "venue_forecasts", "assignments"];
    let aside = name.strip_suffix(".1");
    let stem = aside.unwrap_or(name).strip_suffix(".jsonl")?;
    Some((aside.is_some(), OURS.contains(&stem)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: Duration = Duration::from_secs(86_400);

    #[test]
    fn old_files_of_the_engine_go_and_others_stay() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["dead_letters.jsonl", "dead_letters.jsonl.1", "signals.jsonl.1", "mine.jsonl.1", "notes.txt"] {
            std::fs::write(dir.path().join(name), "x\n").unwrap();
        }
        let sizes = || {
            let mut files: Vec<(String, u64)> = std::fs::read_dir(dir.path())
                .unwrap()
                .map(|entry| entry.unwrap())
                .map(|entry| (entry.file_name().into_string().unwrap(), entry.metadata().unwrap().len()))
                .collect();
            files.sort_unstable();
            files
        };
        let before = sizes();
        clear(dir.path(), DAY, SystemTime::now() + DAY / 2);
        assert_eq!(sizes(), before, "they are young");
        clear(dir.path(), DAY, SystemTime::now() + DAY * 2);
        let left = [("dead_letters.jsonl", 0), ("mine.jsonl.1", 2), ("notes.txt", 2)];
        assert_eq!(sizes(), left.map(|(name, size)| (name.to_owned(), size)));
    }

    #[test]
    fn a_ledger_that_was_removed_is_not_made_anew() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("ledger.sqlite");
        assert!(forget(&path, 1, || false).is_err());
        assert!(!path.exists());
    }

    #[test]
    fn calls_go_beside_a_running_engine_part_by_part_and_nothing_of_them_is_left() {
        use nanming_dataflows::decision::{CallPhase, Decisions};

        use crate::ledger::tests::{in_new_file, note, opened, record, status};

        let (_dir, path, mut ledger) = in_new_file();
        let closed = (1..=450).map(|call| status(call, CallPhase::Cancelled, None)).collect();
        let decisions = Decisions { calls: closed, ..Decisions::default() };
        let mut raised = record(9, (1..=450).map(opened).collect(), Decisions::default());
        raised.notes.iter_mut().for_each(|(call, note)| note.words = format!("to be forgotten {call}"));
        ledger.commit(&[raised]).unwrap();
        ledger.commit(&[record(10, vec![], decisions)]).unwrap();
        ledger.commit(&[record(11, vec![opened(500)], Decisions::default())]).unwrap();
        assert_eq!(forget(&path, 1_000, || false).unwrap(), 0, "they were raised later");
        assert_eq!(forget(&path, 100_000, || true).unwrap(), 200, "it ends when it is told to");
        assert_eq!(forget(&path, 100_000, || false).unwrap(), 250);
        ledger.commit(&[record(12, vec![opened(501)], Decisions::default())]).unwrap();
        let left: Vec<u64> = ledger.open_calls().unwrap().iter().map(|(event, _)| event.call.0).collect();
        assert_eq!(left, [500, 501]);
        ledger.flush().unwrap();
        drop(ledger);
        let db = crate::ledger::open_read_only(&path).unwrap();
        let checked = crate::ledger::audit::verify::verify(&db, &[]).unwrap().unwrap();
        assert_eq!(checked.rows, 4, "{checked}");
        let bytes = std::fs::read(&path).unwrap();
        let forgotten = memchr::memmem::find_iter(&bytes, "to be forgotten").count();
        assert_eq!(forgotten, 0, "also not in what is free");
        assert!(memchr::memmem::find(&bytes, note().words.as_bytes()).is_some(), "what is left is there");
    }
}
