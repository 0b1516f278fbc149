//! The orders to the lights, as those hear them who read the engine's topic of signals: each is looked at, and passed on.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use nanming_dataflows::decision::SignalCommand;
use nanming_dataflows::event::Lamp;
use nanming_dataflows::network::{City, Junction};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::{ClientConfig, Message, Offset, TopicPartitionList};
use serde_json::{Value, json};

use super::told::Told;
use crate::kafka::broker::{Broker, PARTITIONS};

/// Between two looks whether the end has come.
const LOOK: Duration = Duration::from_millis(50);

/// Who listens. It ends when this is dropped.
pub(crate) struct Orders {
    end: Arc<AtomicBool>,
    pub(crate) heard: Arc<AtomicUsize>,
    thread: Option<JoinHandle<()>>,
}

impl Orders {
    /// Listens to a topic; what is heard comes out at the other end.
    pub(crate) fn start(broker: &Broker, topic: &str, told: &Told, city: &City) -> (Orders, Receiver<SignalCommand>) {
        let (end, heard) = (Arc::<AtomicBool>::default(), Arc::<AtomicUsize>::default());
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", broker.address()).set("group.id", "lights");
        config.set("reconnect.backoff.max.ms", "500").set("fetch.wait.max.ms", "50");
        let consumer: BaseConsumer = config.create().unwrap();
        let mut all = TopicPartitionList::new();
        (0..PARTITIONS).for_each(|p| all.add_partition_offset(topic, p, Offset::Beginning).unwrap());
        consumer.assign(&all).unwrap();
        let (sender, orders) = channel();
        let thread = std::thread::spawn({
            let (end, heard, told, city) = (Arc::clone(&end), Arc::clone(&heard), told.clone(), city.clone());
            move || {
                let rows = (0..).zip(&city.junctions).map(|(row, junction)| (junction.name.as_str(), row)).collect();
                while !end.load(Ordering::Relaxed) {
                    // Brokers die here.
                    let Some(Ok(message)) = consumer.poll(LOOK) else { continue };
                    let command = read(&rows, message.payload().unwrap());
                    let junction = &city.junctions[command.junction.index()];
                    if clashes(junction, &command.lamps) {
                        told.complain(format!("{} is ordered {:?}, which clashes", junction.name, command.lamps));
                    }
                    heard.fetch_add(1, Ordering::Relaxed);
                    // Where nothing drives nobody listens.
                    let _ = sender.send(command);
                }
            }
        });
        (Orders { end, heard, thread: Some(thread) }, orders)
    }
}

impl Drop for Orders {
    fn drop(&mut self) {
        self.end.store(true, Ordering::Relaxed);
        let ended = self.thread.take().map(JoinHandle::join);
        assert!(std::thread::panicking() || ended.is_none_or(|ended| ended.is_ok()), "the orders were not read");
    }
}

/// A line of docs/kafka.md.
fn read(rows: &HashMap<&str, u32>, line: &[u8]) -> SignalCommand {
    let line: Value = serde_json::from_slice(line).unwrap();
    let lamps: Vec<Value> = line["state"].as_str().unwrap().chars().map(|c| json!(Lamp::from_char(c))).collect();
    let junction = rows[line["junction"].as_str().unwrap()];
    let command = json!({"junction": junction, "at_ms": line["t_ms"], "stage": line["stage"],
                         "interval": line["interval"], "lamps": lamps, "reason": line["reason"]});
    serde_json::from_value(command).unwrap()
}

/// Whether two heads are let go that must not be together.
fn clashes(junction: &Junction, lamps: &[Lamp]) -> bool {
    let go = |head: usize| lamps[head].is_green();
    let gives_way = |head: usize| lamps[head] == Lamp::Permissive;
    let heads = || 0..lamps.len();
    let meet = |a: usize, b: usize| a != b && go(a) && go(b);
    let forbids = |a: usize, b: usize| junction.conflicts.get(a, b).forbids(gives_way(a), gives_way(b));
    lamps.len() != junction.heads.len() || heads().any(|a| heads().any(|b| meet(a, b) && forbids(a, b)))
}
