//! What machines have learned (what is usual, how traffic and crowds behave), kept over restarts in a file beside the ledger.
//!
//! It promises nothing to anybody: what was learned in the last minute may be lost, and without the file the city learns
//! anew. So it has no part in the ledger's transactions, which people wait for. The file is replaced whole and never
//! changed: after a crash it is the old one or the new one. A hash tells a damaged one, and it is put aside.

use std::collections::BTreeMap;
use std::fs::{File, rename};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, TrySendError, bounded};
use nanming_dataflows::decide::forecast::LAYOUT;
use nanming_dataflows::keyed::{Kind, Saved, Tick};
use nanming_dataflows::network::City;
use serde::{Deserialize, Serialize};

/// States are asked for so often: regions are forecast two seconds apart, so that no tick saves more than one of them.
const ASK: Duration = Duration::from_secs(2);
/// The file is written at most so often.
const WRITE: Duration = Duration::from_secs(30);
const HASH_BYTES: usize = blake3::OUT_LEN;

/// What a file holds, behind the hash of it.
#[derive(Serialize, Deserialize)]
struct Kept {
    layout: [usize; LAYOUT.len()],
    city: String,
    states: Vec<Saved>,
}

/// The door's end: asks for states, and hands them on.
pub struct Learned {
    to: Sender<Vec<Saved>>,
    /// What the keeper had no room for yet.
    waiting: Vec<Saved>,
    asked: Instant,
}

/// The thread that keeps them; it ends after the door's end is dropped.
pub type Keeping = JoinHandle<()>;

impl Learned {
    /// What was kept in a file, and both ends of keeping it from now on. A file that cannot be used is put aside with a word
    /// in the log.
    pub fn open(path: &Path, city: &City) -> std::io::Result<(Vec<Saved>, Learned, Keeping)> {
        let city = whose(city);
        let states = match read(path, &city) {
            Ok(states) => states,
            Err(why) => {
                let aside = path.with_extension("unusable");
                tracing::warn!(
                    file = %path.display(),
                    "what was learned cannot be used, and is learned anew: {why}; the file is now {}",
                    aside.display()
                );
                rename(path, aside)?;
                Vec::new()
            }
        };
        let (to, from) = bounded(8);
        let mut keeper = Keeper { path: path.to_owned(), city, kept: BTreeMap::new(), failed: false };
        keeper.take(states.iter().cloned());
        let thread = std::thread::Builder::new().name("learned".into()).spawn(move || keeper.run(&from))?;
        Ok((states, Learned { to, waiting: Vec::new(), asked: Instant::now() }, thread))
    }

    /// The mark of the next tick: from time to time it asks machines for what they have learned.
    pub fn mark(&mut self) -> Tick {
        let asks = self.asked.elapsed() >= ASK;
        if asks {
            self.asked = Instant::now();
        }
        Tick { save: asks.then_some(Kind::Learned) }
    }

    /// Takes states that a tick saved. Never waits.
    pub fn take(&mut self, mut saved: Vec<Saved>) {
        self.waiting.append(&mut saved);
        if !self.waiting.is_empty() {
            match self.to.try_send(std::mem::take(&mut self.waiting)) {
                Err(TrySendError::Full(back)) => self.waiting = back,
                // Without its keeper nothing is kept; why it ended stands in the log.
                Ok(()) | Err(TrySendError::Disconnected(_)) => {}
            }
        }
    }
}

struct Keeper {
    path: PathBuf,
    city: String,
    kept: BTreeMap<(String, Vec<u8>), Saved>,
    failed: bool,
}

impl Keeper {
    fn run(mut self, from: &Receiver<Vec<Saved>>) {
        let (mut written, mut news) = (None::<Instant>, false);
        for saved in from {
            self.take(saved);
            news = true;
            if written.is_none_or(|at| at.elapsed() >= WRITE) {
                self.write();
                (written, news) = (Some(Instant::now()), false);
            }
        }
        if news {
            self.write();
        }
    }

    fn take(&mut self, saved: impl IntoIterator<Item = Saved>) {
        for state in saved {
            let place = (state.machine.clone(), state.key.clone());
            if state.state.is_some() {
                self.kept.insert(place, state);
            } else {
                self.kept.remove(&place);
            }
        }
    }

    fn write(&mut self) {
        let states = self.kept.values().cloned().collect();
        let kept = Kept { layout: LAYOUT, city: self.city.clone(), states };
        match write(&self.path, &kept) {
            Ok(()) => self.failed = false,
            Err(why) if !self.failed => {
                self.failed = true;
                tracing::error!(
                    file = %self.path.display(),
                    "what was learned cannot be kept, and would be lost at a restart: {why}; make room or give the right to write"
                );
            }
            Err(_) => {}
        }
    }
}

/// What of a city the states stand for: its links and venues by row, and the districts in which links learn together.
fn whose(city: &City) -> String {
    let mut hasher = blake3::Hasher::new();
    let links = city.links.iter().map(|link| (link.name.as_str(), link.district.index()));
    for (name, place) in links.chain(city.venues.iter().map(|venue| (venue.name.as_str(), usize::MAX))) {
        hasher.update(&name.len().to_le_bytes()).update(name.as_bytes()).update(&place.to_le_bytes());
    }
    hasher.finalize().to_hex().to_string()
}

fn write(path: &Path, kept: &Kept) -> std::io::Result<()> {
    let bytes = postcard::to_stdvec(kept).map_err(std::io::Error::other)?;
    let new = path.with_extension("new");
    let mut file = File::create(&new)?;
    file.write_all(blake3::hash(&bytes).as_bytes())?;
    file.write_all(&bytes)?;
    file.sync_all()?;
    rename(&new, path)
}

/// The states in a file; none where there is no file.
fn read(path: &Path, city: &str) -> Result<Vec<Saved>, String> {
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(why) if why.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(why) => return Err(why.to_string()),
    };
    let (hash, bytes) = bytes.split_at_checked(HASH_BYTES).ok_or("it is cut short")?;
    if blake3::hash(bytes).as_bytes() != hash {
        return Err("it is damaged".into());
    }
    let kept: Kept = postcard::from_bytes(bytes).map_err(|why| format!("it is of another version: {why}"))?;
    match kept {
        Kept { layout, .. } if layout != LAYOUT => Err("it is of another version".into()),
        Kept { city: of, .. } if of != city => Err("it is of another city".into()),
        Kept { states, .. } => Ok(states),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(key: u8, bytes: Option<&[u8]>) -> Saved {
        Saved { machine: "forecasts".into(), key: vec![key], state: bytes.map(<[u8]>::to_vec) }
    }

    fn kept(path: &Path, news: Vec<Vec<Saved>>) -> Vec<Saved> {
        let (before, mut learned, thread) = Learned::open(path, &City::default()).unwrap();
        news.into_iter().for_each(|saved| learned.take(saved));
        drop(learned);
        thread.join().unwrap();
        before
    }

    #[test]
    fn what_was_learned_is_there_again_with_the_newest_of_each() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("ledger.learned");
        let news = vec![vec![state(1, Some(b"old")), state(2, Some(b"two"))], vec![state(1, Some(b"new"))]];
        assert_eq!(kept(&path, news), []);
        let there = vec![state(1, Some(b"new")), state(2, Some(b"two"))];
        assert_eq!(kept(&path, vec![vec![state(2, None)]]), there);
        assert_eq!(kept(&path, vec![]), there[..1]);
    }

    #[test]
    fn a_file_that_is_damaged_or_of_another_city_is_put_aside() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("ledger.learned");
        kept(&path, vec![vec![state(1, Some(b"one"))]]);
        let whole = std::fs::read(&path).unwrap();
        for cut in [0, 10, whole.len() - 1] {
            std::fs::write(&path, &whole[..cut]).unwrap();
            assert_eq!(kept(&path, vec![]), []);
            assert!(path.with_extension("unusable").is_file() && !path.exists());
        }
        let mut turned = whole.clone();
        *turned.last_mut().unwrap() ^= 1;
        std::fs::write(&path, &turned).unwrap();
        assert_eq!(kept(&path, vec![]), []);
        std::fs::write(&path, &whole).unwrap();
        assert!(read(&path, "another").unwrap_err().contains("another city"));
        assert_eq!(kept(&path, vec![]).len(), 1);
    }
}
