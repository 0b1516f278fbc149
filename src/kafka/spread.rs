//! Sensors' partitions, spread over the processes of a cluster: partition p is read by process p modulo their number. Which
//! processes there are is fixed by the file of hosts, and the cluster ends with any of them, so there is nothing that a
//! consumer group could agree on: it would only add ways to fail.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use crossbeam_channel::Receiver;
use rdkafka::TopicPartitionList;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, KafkaResult};

use super::group::Group;
use crate::offsets::{Offsets, Partition};

/// Between two looks for partitions that are new.
const LOOK: Duration = Duration::from_secs(5);
/// When nobody answered.
const LOOK_AGAIN: Duration = Duration::from_secs(1);
/// A broker answers within this, or is asked again.
const PATIENCE: Duration = Duration::from_secs(1);

/// The place of a process among those that share the partitions.
pub struct Place {
    /// Which it is.
    pub process: usize,
    /// How many there are.
    pub processes: usize,
    /// Hears once where partitions begin; nothing is read before.
    pub begins: Receiver<Offsets>,
}

/// The partitions that are this process'.
pub(super) struct Spread {
    place: Place,
    ours: BTreeSet<Partition>,
    due: Instant,
}

impl Spread {
    pub(super) fn new(place: Place) -> Spread {
        Spread { place, ours: BTreeSet::new(), due: Instant::now() }
    }

    /// Where partitions begin; waits for the word. None: the end came before it.
    pub(super) fn begins(&self) -> Option<Offsets> {
        self.place.begins.recv().ok()
    }

    /// Whether this process has the ledger, which knows how far all are.
    pub(super) fn leads(&self) -> bool {
        self.place.process == 0
    }

    /// Takes on partitions that are new, when it is time to look for them.
    pub(super) fn look(&mut self, consumer: &BaseConsumer<Group>) {
        if Instant::now() < self.due {
            return;
        }
        let (group, mut all_answered) = (consumer.context(), true);
        let mut new = TopicPartitionList::new();
        for (topic, _) in &group.topics {
            let found = partitions(consumer, topic).unwrap_or_else(|error| {
                all_answered = false;
                group.client.complain(&error, &format!("{topic}: {error}"));
                Vec::new()
            });
            for partition in found.into_iter().filter(|p| is_ours(*p, &self.place)) {
                if self.ours.insert((topic.clone(), partition)) {
                    // One that is added twice only, or begins nowhere: neither can be.
                    let _ = new.add_partition_offset(topic, partition, group.start_of(topic, partition));
                }
            }
        }
        if new.count() > 0 {
            match consumer.incremental_assign(&new) {
                Ok(()) => {
                    tracing::info!(partitions = self.ours.len(), "this process reads its share of the partitions")
                }
                Err(error) => self.give_back(&new, consumer, &error),
            }
        }
        self.due = Instant::now() + if all_answered { LOOK } else { LOOK_AGAIN };
    }

    /// They are taken on at the next look.
    fn give_back(&mut self, new: &TopicPartitionList, consumer: &BaseConsumer<Group>, error: &KafkaError) {
        consumer.context().client.complain(error, &format!("partitions cannot be read: {error}"));
        let new = new.elements();
        self.ours.retain(|(topic, p)| !new.iter().any(|n| n.topic() == &**topic && n.partition() == *p));
    }
}

fn is_ours(partition: i32, place: &Place) -> bool {
    usize::try_from(partition).is_ok_and(|partition| partition % place.processes == place.process)
}

/// The partitions that a topic has.
fn partitions(consumer: &BaseConsumer<Group>, topic: &str) -> KafkaResult<Vec<i32>> {
    let known = consumer.fetch_metadata(Some(topic), PATIENCE)?;
    let Some(of) = known.topics().iter().find(|of| of.name() == topic) else { return Ok(Vec::new()) };
    match of.error() {
        Some(code) => Err(KafkaError::MetadataFetch(code.into())),
        None => Ok(of.partitions().iter().map(|partition| partition.id()).collect()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_partition_is_read_by_one_process() {
        let place = |process| Place { process, processes: 3, begins: crossbeam_channel::never() };
        let readers = |partition| (0..3).filter(|process| is_ours(partition, &place(*process))).collect::<Vec<_>>();
        assert_eq!([0, 1, 2, 3, 11].map(readers), [vec![0], vec![1], vec![2], vec![0], vec![2]]);
        assert!(readers(-1).is_empty(), "librdkafka's own");
    }
}
