//! A real Apache Kafka broker, and what stands at the other end of its topics.

use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use rdkafka::admin::{AdminClient, AdminOptions, NewPartitions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::{Header, Headers, OwnedHeaders};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use rdkafka::{ClientConfig, Message, Offset, TopicPartitionList};
use serde_json::Value;
use tempfile::TempDir;

/// A broker starts and answers within this, also on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(180);

/// Partitions of each topic.
pub(crate) const PARTITIONS: i32 = 2;

/// A broker with a directory of its own. The script kills it when nobody holds its standard input any more, so it ends with
/// the tests however they end.
pub(crate) struct Broker {
    process: Option<Child>,
    dir: TempDir,
    ports: Vec<u16>,
}

/// A message that was read.
#[derive(Debug)]
pub(crate) struct Read {
    pub(crate) key: String,
    pub(crate) content_type: String,
    pub(crate) payload: Vec<u8>,
    /// Null where it is no JSON.
    pub(crate) line: Value,
}

impl Broker {
    /// The one that tests share, each with topics of its own. It listens with TLS too.
    pub(crate) fn shared() -> &'static Broker {
        static SHARED: OnceLock<Broker> = OnceLock::new();
        SHARED.get_or_init(|| {
            let mut broker = Broker::down();
            certificates(broker.dir.path());
            broker.ports.extend([free_port(), free_port()]);
            broker.start();
            broker
        })
    }

    /// One that does not run yet.
    pub(crate) fn down() -> Broker {
        Broker { process: None, dir: tempfile::tempdir().unwrap(), ports: vec![free_port(), free_port()] }
    }

    pub(crate) fn address(&self) -> String {
        format!("127.0.0.1:{}", self.ports[0])
    }

    /// Where the shared one listens with TLS: to clients with a certificate, and to those that log in.
    #[cfg(feature = "kafka-tls")]
    pub(crate) fn tls_ports(&self) -> (u16, u16) {
        (self.ports[2], self.ports[3])
    }

    /// One of its PEM files.
    #[cfg(feature = "kafka-tls")]
    pub(crate) fn pem(&self, name: &str) -> String {
        self.dir.path().join(name).to_str().unwrap().to_owned()
    }

    /// Starts it with what it had before; returns when it answers.
    pub(crate) fn start(&mut self) {
        let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/kafka.sh");
        let child = Command::new("bash")
            .arg(script)
            .arg("run")
            .arg(self.dir.path())
            .args(self.ports.iter().map(u16::to_string))
            .stdin(Stdio::piped())
            .spawn();
        let address = self.address();
        let path = self.dir.path().join("kafka.log");
        let process = self.process.insert(child.unwrap());
        let answers = |ended: Option<std::process::ExitStatus>| {
            assert!(ended.is_none(), "the broker has ended: {ended:?}");
            TcpStream::connect(&address).is_ok()
        };
        let log = || std::fs::read_to_string(&path).unwrap_or_default();
        wait_for("the broker", || answers(process.try_wait().unwrap()), log);
    }

    /// `kill -9`; what it had stays.
    pub(crate) fn kill(&mut self) {
        let mut process = self.process.take().unwrap();
        drop(process.stdin.take());
        process.wait().unwrap();
    }

    pub(crate) fn make_topics(&self, prefix: &str) {
        self.make_topics_of(prefix, PARTITIONS);
    }

    pub(crate) fn make_topics_of(&self, prefix: &str, partitions: i32) {
        let admin: AdminClient<DefaultClientContext> = self.client().create().unwrap();
        let streams =
            ["passages", "flows", "calls", "units", "acks", "signals", "forecasts", "assignments", "dead-letters"];
        let names = streams.map(|stream| format!("{prefix}{stream}"));
        let topics: Vec<NewTopic<'_>> =
            names.iter().map(|name| NewTopic::new(name, partitions, TopicReplication::Fixed(1))).collect();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let options = AdminOptions::new().operation_timeout(Some(PATIENCE));
        let made = runtime.block_on(admin.create_topics(&topics, &options)).unwrap();
        assert!(made.iter().all(Result::is_ok), "{made:?}");
    }

    /// Gives a topic more partitions.
    pub(crate) fn widen(&self, topic: &str, partitions: usize) {
        let admin: AdminClient<DefaultClientContext> = self.client().create().unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let (wider, options) = (NewPartitions::new(topic, partitions), AdminOptions::new());
        let made = runtime.block_on(admin.create_partitions([&wider], &options)).unwrap();
        assert!(made.iter().all(Result::is_ok), "{made:?}");
        // Who writes to one that the broker does not tell of yet is refused by its own client.
        let consumer: BaseConsumer = self.client().create().unwrap();
        let told = || consumer.fetch_metadata(Some(topic), PATIENCE).unwrap().topics()[0].partitions().len();
        wait_for("partitions", || told() == partitions, || format!("{topic} has {}", told()));
    }

    fn client(&self) -> ClientConfig {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", self.address());
        config
    }

    /// Writes messages to a topic, spread over its partitions, each of a content type or of none.
    pub(crate) fn write<'a>(&self, topic: &str, messages: impl IntoIterator<Item = (&'a str, &'a [u8])>) {
        let spread = messages.into_iter().enumerate().map(|(row, message)| (row as i32 % PARTITIONS, message));
        self.write_to(topic, spread);
    }

    /// Writes messages to a topic, each to a partition.
    pub(crate) fn write_to<'a>(&self, topic: &str, messages: impl IntoIterator<Item = (i32, (&'a str, &'a [u8]))>) {
        let producer: BaseProducer = self.client().set("compression.type", "gzip").create().unwrap();
        for (partition, (content_type, payload)) in messages {
            let mut record = BaseRecord::<str, [u8]>::to(topic).payload(payload).partition(partition);
            if !content_type.is_empty() {
                let header = Header { key: "content-type", value: Some(content_type) };
                record = record.headers(OwnedHeaders::new().insert(header));
            }
            producer.send(record).unwrap_or_else(|(error, _)| panic!("{topic}: {error}"));
        }
        producer.flush(PATIENCE).unwrap();
        assert_eq!(producer.in_flight_count(), 0);
    }

    /// Reads a topic from its beginning until enough has come.
    pub(crate) fn read(&self, topic: &str, mut enough: impl FnMut(&[Read]) -> bool) -> Vec<Read> {
        let consumer: BaseConsumer = self.client().set("group.id", "reader").create().unwrap();
        let mut all = TopicPartitionList::new();
        let metadata = consumer.fetch_metadata(Some(topic), PATIENCE).unwrap();
        let partitions = metadata.topics()[0].partitions().iter().map(|partition| partition.id());
        partitions.for_each(|p| all.add_partition_offset(topic, p, Offset::Beginning).unwrap());
        consumer.assign(&all).unwrap();
        let (began, mut read) = (Instant::now(), Vec::new());
        while !enough(&read) {
            assert!(began.elapsed() < PATIENCE, "{topic} has only {read:#?}");
            if let Some(Ok(message)) = consumer.poll(Duration::from_millis(100)) {
                let content_type = message.headers().map(|headers| headers.get(0).value.unwrap().to_vec());
                read.push(Read {
                    key: String::from_utf8(message.key().unwrap_or_default().to_vec()).unwrap(),
                    content_type: String::from_utf8(content_type.unwrap_or_default()).unwrap(),
                    payload: message.payload().unwrap().to_vec(),
                    line: serde_json::from_slice(message.payload().unwrap()).unwrap_or_default(),
                });
            }
        }
        read
    }
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// An authority (`ca.pem`), what it vouches for: the broker as `localhost` and the engine; and one that nobody knows (`other.pem`).
fn certificates(dir: &Path) {
    let authority = |name: &str| {
        let (key, mut params) = (KeyPair::generate().unwrap(), CertificateParams::default());
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, name);
        std::fs::write(dir.join(format!("{name}.pem")), params.self_signed(&key).unwrap().pem()).unwrap();
        Issuer::new(params, key)
    };
    let (issuer, _) = (authority("ca"), authority("other"));
    let vouched = |name: &str| {
        let (key, mut params) = (KeyPair::generate().unwrap(), CertificateParams::new([name.to_owned()]).unwrap());
        params.distinguished_name.push(DnType::CommonName, name);
        (key.serialize_pem(), params.signed_by(&key, &issuer).unwrap().pem())
    };
    let (broker, engine) = (vouched("localhost"), vouched("engine"));
    std::fs::write(dir.join("broker.pem"), broker.0 + &broker.1).unwrap();
    std::fs::write(dir.join("engine.key"), engine.0).unwrap();
    std::fs::write(dir.join("engine.pem"), engine.1).unwrap();
}

impl Drop for Broker {
    fn drop(&mut self) {
        if self.process.is_some() {
            self.kill();
        }
    }
}

/// Tries until it holds; what it says otherwise.
pub(crate) fn wait_for(what: &str, mut holds: impl FnMut() -> bool, said: impl Fn() -> String) {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < PATIENCE, "{what} did not come: {}", said());
        std::thread::park_timeout(Duration::from_millis(20));
    }
}
