//! Sensors' partitions over the processes of a cluster.

use std::process::Child;

use nanming::ingest::protobuf::{VERSION, v1};
use prost::Message;
use rusqlite::Connection;
use serde_json::json;
use tempfile::TempDir;

use super::broker::{Broker, wait_for};
use super::{JSON, PROTOBUF, start};
use crate::cluster::{LEADS, follower, hosts};
use crate::running::{Port, Running, address_in};

const PARTITIONS: usize = 4;
const IN_A_MESSAGE: usize = 3;

/// Two processes that read the topics of a prefix.
struct Cluster {
    leader: Running,
    second: Child,
    /// Of the second.
    port: Port,
}

impl Cluster {
    fn start(broker: &Broker, prefix: &str, dir: TempDir) -> Cluster {
        hosts(dir.path(), 2);
        Running::lay_out(dir.path());
        let brokers = broker.address();
        let kafka = [
            ("NANMING_KAFKA__BROKERS", &*brokers),
            ("NANMING_KAFKA__GROUP", prefix),
            ("NANMING_KAFKA__PREFIX", prefix),
        ];
        let key = ("NANMING_INGEST__PLATE_KEY", "the same for all");
        let mut second = follower(dir.path(), &[&kafka[..], &[key]].concat());
        let leader = start(broker, prefix, dir, &LEADS, &[key]);
        let port = Port::at(address_in(second.stderr.take().unwrap(), "http://"));
        Cluster { leader, second, port }
    }

    /// A measure, of both.
    fn measures(&self, name: &str) -> [f64; 2] {
        [&self.leader.port, &self.port].map(|port| port.get("/metrics").text).map(|text| {
            let value = text.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok());
            value.unwrap_or_else(|| panic!("no {name} in {text}"))
        })
    }

    fn passages(&self) -> [usize; 2] {
        self.measures("nanming_events_total{stream=\"passages\"}").map(|n| n as usize)
    }

    fn waits(&self, what: &str, holds: impl FnMut() -> bool) {
        wait_for(what, holds, || format!("passages {:?}, offsets {:?}", self.passages(), self.offsets()));
    }

    /// What the ledger has of each partition of passages.
    fn offsets(&self) -> Vec<usize> {
        offsets(&self.leader.dir)
    }

    fn batch(&self, passages: usize) -> Vec<u8> {
        let columns = v1::Passages {
            devices: vec![self.leader.city.cameras[0].name.clone()],
            camera: vec![0; passages],
            base_ms: self.leader.get("/healthz").1["tick"].as_u64().unwrap(),
            offset_ms: (0..passages as i32).map(|n| -n % 1_000).collect(),
            speed_mm_s: vec![12_000; passages],
            ..v1::Passages::default()
        };
        v1::Batch { version: VERSION, passages: Some(columns), ..v1::Batch::default() }.encode_to_vec()
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let _it_may_have_ended = self.second.kill();
        let _ = self.second.wait();
    }
}

fn offsets(dir: &TempDir) -> Vec<usize> {
    let book = Connection::open(dir.path().join("ledger.sqlite")).unwrap();
    let mut rows = book.prepare("SELECT partition, next FROM offsets WHERE topic LIKE '%passages'").unwrap();
    let row = |row: &rusqlite::Row<'_>| Ok((row.get::<_, i64>(0)? as usize, row.get::<_, i64>(1)? as usize));
    let mut found = vec![0; PARTITIONS];
    for (partition, next) in rows.query_map([], row).unwrap().map(Result::unwrap) {
        found.resize(found.len().max(partition + 1), 0);
        found[partition] = next;
    }
    found
}

/// What each of the two processes has of something that is counted by partition.
fn by_process(partitions: &[usize]) -> [usize; 2] {
    [0, 1].map(|process| partitions.iter().skip(process).step_by(2).sum())
}

/// Partition p of a batch gets p + 1 messages: each process' share is known by its sum.
fn write(broker: &Broker, topic: &str, message: &[u8], written: &mut [usize], times: usize) {
    let rows = (0..times * PARTITIONS).flat_map(|row| vec![row % PARTITIONS; row % PARTITIONS + 1]);
    rows.clone().for_each(|partition| written[partition] += 1);
    broker.write_to(topic, rows.map(|partition| (partition as i32, (PROTOBUF, message))));
}

#[test]
fn each_process_reads_its_own_partitions_once_and_on_from_the_ledger_after_a_kill() {
    let broker = Broker::shared();
    broker.make_topics_of("spread.", PARTITIONS as i32);
    let mut cluster = Cluster::start(broker, "spread.", tempfile::tempdir().unwrap());
    let (message, mut written) = (cluster.batch(IN_A_MESSAGE), vec![0; PARTITIONS]);
    write(broker, "spread.passages", &message, &mut written, 1);
    let shares = by_process(&written).map(|messages| messages * IN_A_MESSAGE);
    cluster.waits("passages", || cluster.passages() == shares);
    cluster.waits("the ledger", || cluster.offsets() == written);
    let lag = "nanming_kafka_lag_messages{stream=\"passages\"}";
    cluster.waits("the end of the topic", || cluster.measures(lag) == [0.0, 0.0]);
    cluster.waits("the broker", || cluster.measures("nanming_kafka_up") == [1.0, 1.0]);
    let health = cluster.port.get("/healthz").json;
    assert_eq!((&health["kafka"], &health["degraded"]), (&json!("up"), &json!(false)), "{health}");
    assert_eq!(cluster.passages(), shares, "each once");

    // One is killed in the middle, the second and then the leader; the other ends, and all are started again.
    for leads in [false, true] {
        let before = cluster.passages();
        write(broker, "spread.passages", &message, &mut written, 100);
        cluster.waits("some", || cluster.passages() > before);
        cluster = kill(cluster, leads, |kept| {
            write(broker, "spread.passages", &message, &mut written, 1);
            let rest: Vec<usize> = written.iter().zip(offsets(&kept)).map(|(all, kept)| all - kept).collect();
            let again = Cluster::start(broker, "spread.", kept);
            let shares = by_process(&rest).map(|messages| messages * IN_A_MESSAGE);
            again.waits("the rest", || again.passages() == shares);
            again.waits("the ledger", || again.offsets() == written);
            assert_eq!(again.passages(), shares, "from where the ledger was, and no further back");
            again
        });
    }

    broker.widen("spread.passages", PARTITIONS + 2);
    let before = cluster.passages();
    broker.write_to("spread.passages", [(5, (PROTOBUF, &message[..]))]);
    cluster.waits("a new partition", || cluster.passages()[1] == before[1] + IN_A_MESSAGE);
    assert_eq!(cluster.passages()[0], before[0], "it is the second's");
    cluster.waits("its offset", || cluster.offsets().get(5) == Some(&1));
    cluster.leader.signal("-INT");
    let codes = (cluster.leader.wait(), cluster.second.wait().unwrap().code());
    assert_eq!(codes, (Some(0), Some(0)), "both end in good order");
}

/// Kills one of two processes, sees the other end, and goes on with what is left.
fn kill(mut cluster: Cluster, leads: bool, again: impl FnOnce(TempDir) -> Cluster) -> Cluster {
    if !leads {
        cluster.second.kill().unwrap();
    }
    let Cluster { leader, second, .. } = &mut cluster;
    let dir = std::mem::replace(&mut leader.dir, tempfile::tempdir().unwrap());
    if leads {
        leader.kill_in_place();
        assert_eq!(second.wait().unwrap().code(), Some(1));
    } else {
        assert_eq!(leader.wait(), Some(1));
    }
    again(dir)
}

#[test]
fn a_follower_takes_more_than_may_be_on_its_way_and_what_is_no_sensors_is_refused_by_all() {
    const MESSAGES: usize = 350;
    let broker = Broker::shared();
    broker.make_topics_of("much.", PARTITIONS as i32);
    let cluster = Cluster::start(broker, "much.", tempfile::tempdir().unwrap());
    let message = cluster.batch(1_000);
    let call = cluster.leader.alarm(0, json!({"type": "call", "call": 41}));
    broker.write_to("much.passages", [0, 1].map(|partition| (partition, (JSON, call.as_bytes()))));
    broker.write_to("much.passages", (0..MESSAGES).map(|_| (3, (PROTOBUF, &message[..]))));
    cluster.waits("all of them", || cluster.passages() == [0, MESSAGES * 1_000]);
    cluster.waits("the ledger", || cluster.offsets() == [1, 1, 0, MESSAGES]);
    let refused = "nanming_dead_letters_total{reason=\"not_the_leader\",stream=\"calls\"}";
    assert_eq!(cluster.measures(refused), [1.0, 1.0]);
    let letters = broker.read("much.dead-letters", |read| read.len() == 2);
    let mut told: Vec<&str> = letters.iter().map(|letter| letter.line["detail"].as_str().unwrap()).collect();
    told.sort_unstable();
    assert!(told[0].starts_with("much.passages[0]@0: ") && told[1].starts_with("much.passages[1]@0: "), "{told:?}");
    assert_eq!(cluster.leader.get("/calls/41").0, 404);
}
