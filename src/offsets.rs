//! How far each partition of each topic is taken: the engine's own offsets. They go through the door with the events that
//! they end, and into the ledger in the same transaction, so that a message is taken once however a run ends.

use std::collections::BTreeMap;
use std::sync::Arc;

use nanming_dataflows::bookmark::Bookmark;

/// A partition of a topic.
pub type Partition = (Arc<str>, i32);

/// The next offset to be read, by partition.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Offsets(BTreeMap<Partition, i64>);

impl Offsets {
    /// Of one partition alone.
    pub fn of(partition: Partition, next: i64) -> Offsets {
        Offsets(BTreeMap::from([(partition, next)]))
    }

    /// Sets a partition's next offset. One before the last is a topic that was made anew.
    pub fn set(&mut self, partition: Partition, next: i64) {
        self.0.insert(partition, next);
    }

    /// The next offset of a partition, if any of it was read.
    pub fn next(&self, topic: &str, partition: i32) -> Option<i64> {
        // A map by pairs cannot be asked by a borrowed half; there are a few dozen partitions.
        self.iter().find(|((t, p), _)| *p == partition && **t == *topic).map(|(_, next)| next)
    }

    /// Goes on with what was read later.
    pub fn absorb(&mut self, later: &Offsets) {
        self.0.extend(later.0.iter().map(|(partition, next)| (partition.clone(), *next)));
    }

    /// Whether nothing was read.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Forgets all.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// As what the processes of a cluster tell each other.
    pub fn bookmarks(&self) -> Vec<Bookmark> {
        self.iter().map(|((topic, part), next)| Bookmark { source: topic.to_string(), part: *part, next }).collect()
    }

    /// Each partition with its next offset.
    pub fn iter(&self) -> impl Iterator<Item = (&Partition, i64)> {
        self.0.iter().map(|(partition, next)| (partition, *next))
    }
}

impl FromIterator<(Partition, i64)> for Offsets {
    fn from_iter<I: IntoIterator<Item = (Partition, i64)>>(rows: I) -> Offsets {
        Offsets(rows.into_iter().collect())
    }
}

impl FromIterator<Bookmark> for Offsets {
    fn from_iter<I: IntoIterator<Item = Bookmark>>(told: I) -> Offsets {
        told.into_iter().map(|Bookmark { source, part, next }| ((Arc::from(source), part), next)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_read_later_holds_even_when_it_lies_before() {
        let mut read = Offsets::of(("calls".into(), 0), 40);
        read.absorb(&[(("calls".into(), 0), 3), (("calls".into(), 1), 7)].into_iter().collect());
        assert_eq!((read.next("calls", 0), read.next("calls", 1), read.next("acks", 0)), (Some(3), Some(7), None));
        assert_eq!(read.bookmarks().into_iter().collect::<Offsets>(), read, "told and heard");
    }
}
