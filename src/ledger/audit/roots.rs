//! One line a day that stands for all records of the day: the root over their hashes, in a file beside the ledger. Kept
//! elsewhere too, the lines show a chain that was rewritten or cut by somebody who can write the ledger.

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::thread::JoinHandle;
use std::time::Duration;

use chrono::{Days, NaiveDate};
use crossbeam_channel::{RecvTimeoutError, Sender, bounded};
use rusqlite::{Connection, OptionalExtension};

use super::{Digest, LedgerError, digest_of, digest_of_text, merkle, text};
use crate::ledger::open_read_only;

/// Between two looks for a day that has ended.
const EVERY: Duration = Duration::from_secs(5);
const MINUTE_MS: i64 = 60_000;
const DAY_MS: i64 = 86_400_000;

/// The records of a day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Local day of its last record.
    pub day: NaiveDate,
    /// Its first record.
    pub first: i64,
    /// Its last one.
    pub last: i64,
    /// Root over the hashes of the records from first to last.
    pub root: Digest,
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Line { day, first, last, root } = self;
        write!(f, "{day} {} {first} {last} {}", last - first + 1, text(root))
    }
}

/// A line that is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is no line of roots: day, count, first record, last record, root")]
pub struct NoLine(String);

impl FromStr for Line {
    type Err = NoLine;

    fn from_str(line: &str) -> Result<Line, NoLine> {
        let parse = || {
            let mut words = line.split_whitespace();
            let day = words.next()?.parse().ok()?;
            let mut number = || words.next()?.parse::<i64>().ok();
            let (count, first, last) = (number()?, number()?, number()?);
            let root = digest_of_text(words.next()?)?;
            let fits = first >= 1 && last >= first && count == last - first + 1 && words.next().is_none();
            fits.then_some(Line { day, first, last, root })
        };
        parse().ok_or_else(|| NoLine(line.into()))
    }
}

/// The file of roots of the ledger at `path`.
pub fn beside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push("-audit-roots");
    name.into()
}

/// The lines of a file of roots; none where there is no file.
pub fn read(file: &Path) -> Result<Vec<Line>, LedgerError> {
    let failed = |source| LedgerError::File { path: file.into(), source };
    let reader = match File::open(file) {
        Ok(open) => BufReader::new(open),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(failed(error)),
    };
    let mut lines = Vec::new();
    for line in reader.lines() {
        let line = line.map_err(failed)?;
        if !line.trim().is_empty() {
            lines.push(line.parse().map_err(|error: NoLine| LedgerError::Corrupt(error.to_string()))?);
        }
    }
    Ok(lines)
}

/// The days of the records from `first` on; the last of them may not have ended. Days follow each other: what a record
/// tells of earlier days counts to that of the records around it.
pub fn days(db: &Connection, first: i64, utc_offset_min: i32) -> Result<Vec<Line>, LedgerError> {
    let mut statement = db.prepare("SELECT seq, tick, hash FROM audit WHERE seq >= ? ORDER BY seq")?;
    let mut rows = statement.query([first])?;
    let (mut lines, mut hashes, mut day, mut last) = (Vec::new(), Vec::new(), i64::MIN, first);
    while let Some(row) = rows.next()? {
        // What is told before the first tick has no time, and counts to the first day.
        let its = Some(row.get(1)?).filter(|tick| *tick > 0).map_or(day, |tick| local_day(tick, utc_offset_min));
        if its > day {
            if day > i64::MIN {
                lines.extend(line(day, last, &hashes));
                hashes.clear();
            }
            day = its;
        }
        last = row.get(0)?;
        hashes.push(digest_of(&row.get::<_, Vec<u8>>(2)?).unwrap_or_default());
    }
    lines.extend(line(day, last, &hashes));
    Ok(lines)
}

fn line(day: i64, last: i64, hashes: &[Digest]) -> Option<Line> {
    let day = NaiveDate::default().checked_add_days(Days::new(u64::try_from(day).ok()?))?;
    let first = last + 1 - i64::try_from(hashes.len()).ok()?;
    (!hashes.is_empty()).then(|| Line { day, first, last, root: merkle::root(hashes) })
}

/// Days since the epoch.
fn local_day(time_ms: i64, utc_offset_min: i32) -> i64 {
    (time_ms + i64::from(utc_offset_min) * MINUTE_MS).max(0) / DAY_MS
}

/// Writes a line for each day that has ended since the last one, and sees it to the disk. How many.
pub(super) fn export(db: &Connection, file: &Path, utc_offset_min: i32) -> Result<usize, LedgerError> {
    let next = read(file)?.last().map_or(1, |line| line.last + 1);
    let day_of = |sql: &str, seq: i64| -> Result<Option<i64>, LedgerError> {
        let tick: Option<i64> = db.query_row(sql, [seq], |row| row.get(0)).optional()?;
        Ok(tick.map(|tick| local_day(tick, utc_offset_min)))
    };
    let first = day_of("SELECT tick FROM audit WHERE seq >= ? AND tick > 0 ORDER BY seq LIMIT 1", next)?;
    let last = day_of("SELECT tick FROM audit WHERE seq >= ? ORDER BY seq DESC LIMIT 1", next)?;
    if first.zip(last).is_none_or(|(first, last)| last <= first) {
        return Ok(0);
    }
    let mut ended = days(db, next, utc_offset_min)?;
    ended.pop();
    append(file, &ended).map_err(|source| LedgerError::File { path: file.into(), source })?;
    Ok(ended.len())
}

fn append(file: &Path, lines: &[Line]) -> std::io::Result<()> {
    let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
    let mut open = OpenOptions::new().create(true).append(true).open(file)?;
    open.write_all(text.as_bytes())?;
    open.sync_all()
}

/// The thread that writes them, beside the thread that commits; it ends when this is dropped.
pub(in crate::ledger) struct Roots {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Roots {
    /// Starts it for the ledger at `path`.
    pub(in crate::ledger) fn beside(path: &Path, utc_offset_min: i32) -> Result<Roots, LedgerError> {
        let (db, file, (stop, stopped)) = (open_read_only(path)?, beside(path), bounded::<()>(0));
        let rounds = move || {
            loop {
                match export(&db, &file, utc_offset_min) {
                    Ok(0) => {}
                    Ok(days) => tracing::info!(days, file = %file.display(), "roots of the audit log written"),
                    Err(error) => {
                        tracing::error!(%error, "the daily root of the audit log is not written; trying again")
                    }
                }
                if stopped.recv_timeout(EVERY) != Err(RecvTimeoutError::Timeout) {
                    return;
                }
            }
        };
        let failed = |source| LedgerError::File { path: path.into(), source };
        let thread = std::thread::Builder::new().name("audit roots".into()).spawn(rounds).map_err(failed)?;
        Ok(Roots { stop: Some(stop), thread: Some(thread) })
    }
}

impl Drop for Roots {
    fn drop(&mut self) {
        drop(self.stop.take());
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_read_as_it_was_written_and_others_are_refused() {
        let line = Line { day: NaiveDate::from_ymd_opt(2026, 1, 6).unwrap(), first: 3, last: 9, root: [7; 32] };
        let text = line.to_string();
        assert_eq!(text.parse(), Ok(line));
        for wrong in ["", "2026-01-06 6 3 9 x", &text.replace(" 7 ", " 8 "), &format!("{text} x"), &text[..30]] {
            assert!(wrong.parse::<Line>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_record_just_before_local_midnight_is_of_the_day_before() {
        let midnight = 1_767_628_800_000;
        assert_eq!(local_day(midnight, 480) - local_day(midnight - 1, 480), 1);
        assert_eq!(local_day(-5, 0), 0);
    }
}
