//! A file of lines that does not grow without end: at its bound it is put aside as `<name>.1`, in place of the one that was
//! put aside before. Lines go out whole: who follows the file, or finds it after a crash, sees no half of one.

use std::fs::{File, OpenOptions};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// The file, and how far it is.
pub struct BoundedFile {
    path: PathBuf,
    out: BufWriter<File>,
    bytes: u64,
    bound: u64,
    since: SystemTime,
    age: Option<Duration>,
}

impl BoundedFile {
    /// Goes on with a file, or makes it; it is put aside when it has grown beyond so many bytes.
    pub fn append(path: PathBuf, bound: u64) -> std::io::Result<BoundedFile> {
        let file = OpenOptions::new().create(true).append(true).open(&path)?;
        let about = file.metadata()?;
        // Where the file system does not know when it was made, it is as old as what was written last.
        let since = about.created().or_else(|_| about.modified())?;
        Ok(BoundedFile { path, out: BufWriter::new(file), bytes: about.len(), bound, since, age: None })
    }

    /// It is put aside at this age too.
    pub fn aged(self, age: Option<Duration>) -> BoundedFile {
        BoundedFile { age, ..self }
    }

    /// Makes a file anew, without a bound.
    pub fn create(path: PathBuf) -> std::io::Result<BoundedFile> {
        let file = File::create(&path)?;
        let (out, since) = (BufWriter::new(file), SystemTime::now());
        Ok(BoundedFile { path, out, bytes: 0, bound: u64::MAX, since, age: None })
    }

    /// Writes a line, given without its end.
    pub fn line(&mut self, mut line: Vec<u8>) -> std::io::Result<()> {
        if self.bytes > self.bound || self.bytes > 0 && self.is_old(SystemTime::now()) {
            self.out.flush()?;
            std::fs::rename(&self.path, put_aside(&self.path))?;
            *self = BoundedFile::append(std::mem::take(&mut self.path), self.bound)?.aged(self.age);
        }
        line.push(b'\n');
        self.bytes += line.len() as u64;
        // In one piece: what does not fit into the buffer any more goes out after what stands there, not in two halves.
        self.out.write_all(&line)
    }

    fn is_old(&self, now: SystemTime) -> bool {
        self.age.is_some_and(|age| now.duration_since(self.since).is_ok_and(|since| since > age))
    }

    /// Hands what is buffered to the system.
    pub fn flush(&mut self) -> std::io::Result<()> {
        self.out.flush()
    }
}

fn put_aside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".1");
    name.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn at_its_bound_it_is_put_aside_and_one_older_is_kept() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.jsonl");
        let mut file = BoundedFile::append(path.clone(), 10).unwrap();
        for n in 0..10 {
            file.line(format!("line {n}").into_bytes()).unwrap();
        }
        file.flush().unwrap();
        let kept = |path: &Path| std::fs::read_to_string(path).unwrap();
        assert_eq!((kept(&put_aside(&path)), kept(&path)), ("line 6\nline 7\n".into(), "line 8\nline 9\n".into()));
        let mut again = BoundedFile::append(path.clone(), 10).unwrap();
        again.line(b"line 10".to_vec()).unwrap();
        drop(again);
        assert_eq!((kept(&put_aside(&path)), kept(&path)), ("line 8\nline 9\n".into(), "line 10\n".into()));
    }

    #[test]
    fn at_its_age_it_is_put_aside_too() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.jsonl");
        let age = Duration::from_secs(60);
        let mut file = BoundedFile::append(path.clone(), u64::MAX).unwrap().aged(Some(age));
        file.line(b"young".to_vec()).unwrap();
        file.line(b"young".to_vec()).unwrap();
        file.since -= 2 * age;
        file.line(b"new".to_vec()).unwrap();
        file.line(b"new".to_vec()).unwrap();
        file.flush().unwrap();
        let kept = |path: &Path| std::fs::read_to_string(path).unwrap();
        assert_eq!((kept(&put_aside(&path)), kept(&path)), ("young\nyoung\n".into(), "new\nnew\n".into()));
    }

    #[test]
    fn lines_are_never_seen_in_halves() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.jsonl");
        let mut file = BoundedFile::create(path.clone()).unwrap();
        for n in 0..2_000 {
            file.line(vec![b'x'; n % 700]).unwrap();
            let seen = std::fs::read(&path).unwrap();
            assert!(seen.is_empty() || seen.ends_with(b"\n"));
        }
    }
}
