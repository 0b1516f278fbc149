//! Generations of files: each begins with all states and goes on with what changed. The newest and the one before it are kept.

use std::fs::{File, OpenOptions, create_dir_all, read_dir, remove_file, rename};
use std::io::Write;
use std::path::{Path, PathBuf};

use nanming_dataflows::Time;
use nanming_dataflows::bookmark::Bookmark;
use nanming_dataflows::keyed::{Saved, States};
use serde::{Deserialize, Serialize};

use super::file::{End, Records, append, framed};
use super::{Of, Part, Restored};

const ENDING: &str = "snapshot";

/// The first record of a file.
#[derive(Serialize, Deserialize)]
struct Head {
    of: Of,
    tick: Time,
    read: Vec<Bookmark>,
    /// Records after this one that hold all states of the tick.
    base: usize,
}

/// The files of a directory.
pub(super) struct Chain {
    dir: PathBuf,
    of: Of,
    /// Of the newest file that anybody made; 0: none.
    generation: u64,
}

/// A file that is being written.
pub(super) struct Growing {
    file: File,
    path: PathBuf,
    bytes: u64,
    /// Of its beginning.
    base_bytes: u64,
}

impl Chain {
    /// Looks for the newest snapshot.
    pub(super) fn open(dir: &Path, of: Of) -> std::io::Result<(Chain, Restored)> {
        let generations = generations(dir)?;
        let chain = Chain { dir: dir.into(), of, generation: generations.last().copied().unwrap_or_default() };
        for generation in generations.into_iter().rev() {
            match chain.read(generation) {
                Ok((states, part, end)) => {
                    if end == End::Damaged {
                        chain.tell(generation, "the end of it is damaged; what stands before that holds");
                    }
                    let read = part.read.into_iter().collect();
                    return Ok((chain, Restored { tick: part.tick, read, states }));
                }
                Err(why) => chain.tell(generation, &why),
            }
        }
        Ok((chain, Restored::default()))
    }

    /// The same elsewhere.
    #[cfg(test)]
    pub(super) fn at(self, dir: &Path) -> Chain {
        Chain { dir: dir.into(), ..self }
    }

    fn tell(&self, generation: u64, why: &str) {
        tracing::warn!(file = %self.path(generation).display(), "a snapshot cannot be used as it is: {why}");
    }

    fn path(&self, generation: u64) -> PathBuf {
        self.dir.join(format!("{generation:08}.{ENDING}"))
    }

    /// States as of the last whole record of a file, with its tick and offsets, and whether more followed.
    fn read(&self, generation: u64) -> Result<(States, Part, End), String> {
        let mut records = Records::open(&self.path(generation)).map_err(|why| why.to_string())?;
        let head: Head = records.next().map_err(|_| "its beginning is damaged, or of another version")?;
        if head.of.version != self.of.version || head.of.layout != self.of.layout {
            return Err("it is of another version; what it holds is seen and learned anew".into());
        }
        if head.of != self.of {
            return Err("it is of another city, or of this one before it was changed".into());
        }
        let (mut states, mut last) = (States::default(), Part { tick: head.tick, read: head.read, ..Part::default() });
        for _ in 0..head.base {
            let piece: Saved = records.next().map_err(|_| "its beginning is damaged")?;
            states.put(&piece);
        }
        let end = loop {
            match records.next::<Part>() {
                Ok(mut part) => {
                    part.states.drain(..).for_each(|saved| states.put(&saved));
                    last = part;
                }
                Err(end) => break end,
            }
        };
        states.forget_gone();
        Ok((states, last, end))
    }

    /// A new file that begins with all states: those there were, and what changed since.
    pub(super) fn next(&mut self, mut states: States, since: &Part) -> std::io::Result<Growing> {
        since.states.iter().for_each(|saved| states.put(saved));
        states.forget_gone();
        let pieces = states.pieces();
        drop(states);
        create_dir_all(&self.dir)?;
        let generation = self.generation + 1;
        let head = Head { of: self.of.clone(), tick: since.tick, read: since.read.clone(), base: pieces.len() };
        let new = self.dir.join("new");
        let mut file = File::create(&new)?;
        let mut base_bytes = 0;
        for bytes in std::iter::once(framed(&head)).chain(pieces.iter().map(framed)) {
            let bytes = bytes?;
            file.write_all(&bytes)?;
            base_bytes += bytes.len() as u64;
        }
        file.sync_all()?;
        rename(&new, self.path(generation))?;
        File::open(&self.dir)?.sync_all()?;
        self.generation = generation;
        self.forget_all_but_two();
        let path = self.path(generation);
        let file = OpenOptions::new().append(true).open(&path)?;
        Ok(Growing { file, path, bytes: base_bytes, base_bytes })
    }

    /// All states as the newest file has them, which was written up to a tick. An error where it has them no more.
    pub(super) fn newest(&self, written: Time) -> std::io::Result<States> {
        let (states, last, _) = self.read(self.generation).map_err(std::io::Error::other)?;
        if last.tick < written {
            return Err(std::io::Error::other("a part of the newest file is damaged"));
        }
        Ok(states)
    }

    fn forget_all_but_two(&self) {
        let old = generations(&self.dir).unwrap_or_default().into_iter().filter(|g| g + 1 < self.generation);
        // One that stays takes room and is tried again with the next.
        old.for_each(|generation| drop(remove_file(self.path(generation))));
    }
}

impl Growing {
    /// Appends a part; how long it is, bytes. After an error the file must not be written any more: nobody knows what of it is
    /// on the disk.
    pub(super) fn append(&mut self, part: &Part) -> std::io::Result<u64> {
        let bytes = append(&mut self.file, part)?;
        self.bytes += bytes;
        Ok(bytes)
    }

    /// How long the file is, bytes.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Whether a new one should begin: it is so long, or somebody removed it.
    pub(super) fn is_over(&self) -> bool {
        !self.path.exists() || self.bytes > 3 * self.base_bytes.max(16 << 20)
    }
}

/// Of the files in a directory, oldest first; none without one.
fn generations(dir: &Path) -> std::io::Result<Vec<u64>> {
    let entries = match read_dir(dir) {
        Ok(entries) => entries,
        Err(why) if why.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(why) => return Err(why),
    };
    let number = |path: PathBuf| {
        let is_ours = path.extension().is_some_and(|ending| ending == ENDING);
        path.file_stem().filter(|_| is_ours)?.to_str()?.parse().ok()
    };
    let mut found: Vec<u64> = entries.flatten().filter_map(|entry| number(entry.path())).collect();
    found.sort_unstable();
    Ok(found)
}
