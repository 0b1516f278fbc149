//! Finds which line of one run stands against which of the other's: those of the same key, near each other in time.

use std::collections::{BTreeMap, VecDeque};
use std::path::PathBuf;

use serde::de::DeserializeOwned;

use super::lines::Lines;
use super::{Counts, DiffError};

/// Lines of a run that may wait for those of the other.
const WAITING: usize = 200_000;

/// A decision as it stands in a file.
pub(super) trait Decision: DeserializeOwned + PartialEq {
    /// What the two runs have in common of it.
    type Key: Ord + Clone;
    /// Decisions of one key farther apart than this are not held against each other, ms.
    const WINDOW_MS: u64;

    fn t_ms(&self) -> u64;
    fn key(&self) -> Self::Key;
}

/// What stands against each other.
pub(super) enum Pair<D> {
    Both(D, D),
    OnlyA(D),
    OnlyB(D),
}

/// Tells of all that is not the same in both files, and counts what is.
pub(super) fn compare<D: Decision>(
    (a, b): (PathBuf, PathBuf),
    mut tell: impl FnMut(Pair<D>),
) -> Result<Counts, DiffError> {
    let mut counts = Counts::default();
    let mut tell = |pair: Pair<D>| {
        match &pair {
            Pair::Both(a, b) if a == b => return counts.same += 1,
            Pair::Both(..) => counts.differing += 1,
            Pair::OnlyA(_) => counts.only_a += 1,
            Pair::OnlyB(_) => counts.only_b += 1,
        }
        tell(pair);
    };
    let (mut a, mut b) = (Side::<D>::open(a)?, Side::<D>::open(b)?);
    let mut alike = 0;
    loop {
        if a.lines.next == b.lines.next {
            if a.lines.next.is_empty() {
                break;
            }
            alike += 1;
            a.advance()?;
            b.advance()?;
            continue;
        }
        let a_first = match (&a.head, &b.head) {
            (Some(x), Some(y)) => x.t_ms() <= y.t_ms(),
            (head, _) => head.is_some(),
        };
        let (mine, other) = if a_first { (&mut a, &mut b) } else { (&mut b, &mut a) };
        if let Some(decision) = mine.take()? {
            match other.waiting.take(&decision.key()) {
                Some(against) if a_first => tell(Pair::Both(decision, against)),
                Some(against) => tell(Pair::Both(against, decision)),
                None => mine.waiting.put(decision),
            }
        }
        let reached = a.reached().min(b.reached());
        a.waiting.expire(reached, |d| tell(Pair::OnlyA(d)));
        b.waiting.expire(reached, |d| tell(Pair::OnlyB(d)));
    }
    a.waiting.expire(u64::MAX, |d| tell(Pair::OnlyA(d)));
    b.waiting.expire(u64::MAX, |d| tell(Pair::OnlyB(d)));
    counts.same += alike;
    Ok(counts)
}

/// A run: what comes next, and what waits for the other's.
struct Side<D: Decision> {
    lines: Lines,
    head: Option<D>,
    waiting: Waiting<D>,
}

impl<D: Decision> Side<D> {
    fn open(path: PathBuf) -> Result<Self, DiffError> {
        let lines = Lines::open(&path)?;
        Ok(Side { head: lines.parse()?, lines, waiting: Waiting { by_key: BTreeMap::new(), order: VecDeque::new() } })
    }

    fn advance(&mut self) -> Result<(), DiffError> {
        self.lines.advance()?;
        self.head = self.lines.parse()?;
        Ok(())
    }

    fn take(&mut self) -> Result<Option<D>, DiffError> {
        let head = self.head.take();
        self.advance()?;
        Ok(head)
    }

    fn reached(&self) -> u64 {
        self.head.as_ref().map_or(u64::MAX, D::t_ms)
    }
}

struct Waiting<D: Decision> {
    by_key: BTreeMap<D::Key, VecDeque<D>>,
    /// Times and keys in the order in which they came; some are taken already.
    order: VecDeque<(u64, D::Key)>,
}

impl<D: Decision> Waiting<D> {
    fn put(&mut self, decision: D) {
        let key = decision.key();
        self.order.push_back((decision.t_ms(), key.clone()));
        self.by_key.entry(key).or_default().push_back(decision);
    }

    fn take(&mut self, key: &D::Key) -> Option<D> {
        let of_key = self.by_key.get_mut(key)?;
        let decision = of_key.pop_front();
        if of_key.is_empty() {
            self.by_key.remove(key);
        }
        decision
    }

    /// Gives away what no line to come can stand against.
    fn expire(&mut self, reached_ms: u64, mut gone: impl FnMut(D)) {
        let is_old = |t_ms: u64| reached_ms == u64::MAX || t_ms.saturating_add(D::WINDOW_MS) < reached_ms;
        while self.order.len() > WAITING || self.order.front().is_some_and(|(t_ms, _)| is_old(*t_ms)) {
            let Some((t_ms, key)) = self.order.pop_front() else { return };
            let is_here = self.by_key.get(&key).and_then(VecDeque::front).is_some_and(|d| d.t_ms() == t_ms);
            if is_here {
                self.take(&key).into_iter().for_each(&mut gone);
            }
        }
    }
}
