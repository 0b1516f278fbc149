//! Several processes as one engine: timely's own cluster over TCP.
//!
//! The same graph runs in every process, and keys are spread over all workers. Process 0 leads: it closes the ticks, has the
//! ledger, and tells people. The others follow: they take sensor streams, close the same ticks, and carry their share of
//! the states. Decisions are the same for any number of processes.
//!
//! A process that is lost takes its states with it, so the others end too, with an error that says so; all are started again
//! and the leader goes on from its ledger. The connections are neither encrypted nor authenticated: they belong on a network
//! of their own.

use std::any::Any;
use std::path::{Path, PathBuf};
use std::time::Duration;

use nanming_dataflows::event::Batch;
use nanming_dataflows::network::City;
use timely::communication::allocator::ProcessBuilder;
use timely::communication::allocator::zero_copy::initialize::initialize_networking_from_sockets;
use timely::communication::{AllocatorBuilder, Hooks};

mod sockets;

/// The workers' ends of a cluster's connections, and their threads.
pub(crate) type Ends = (Vec<AllocatorBuilder>, Box<dyn Any + Send>);

/// What timely's panic says when a connection breaks.
const BROKEN: &str = "timely communication error:";
/// Largest cluster that makes sense.
const MAX_PROCESSES: usize = 64;
/// Log lines of other threads get so long to come out before the process ends.
const LAST_WORDS: Duration = Duration::from_millis(100);

/// Which processes there are, and which of them this one is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cluster {
    hosts: Vec<String>,
    process: usize,
    agreed: String,
}

/// Options that make a process one of a cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq, clap::Args)]
pub struct ClusterArgs {
    /// Run as one of several processes: a file with the host:port of each, one a line, the same file for all
    #[arg(long, value_name = "FILE", requires = "process")]
    hosts: Option<PathBuf>,
    /// Which line of that file this process is, from 0; process 0 leads
    #[arg(long, value_name = "N", requires = "hosts")]
    process: Option<usize>,
}

/// Why a cluster cannot be formed.
#[derive(Debug, thiserror::Error)]
pub enum ClusterError {
    /// The file of hosts cannot be read.
    #[error("{0}: {1}")]
    File(PathBuf, std::io::Error),
    /// A line of it is no address.
    #[error("{0}, line {1}: '{2}' is no host:port, such as 10.0.0.7:2101")]
    Host(PathBuf, usize, String),
    /// This process' own address is not to be had.
    #[error("cannot listen on {0}, which the hosts file names for this process: {1}")]
    Listen(String, std::io::Error),
    /// Another process did not come.
    #[error("process {process} of the cluster is not at {host}: start all of them within five minutes")]
    Missing {
        /// Which.
        process: usize,
        /// Where it should be.
        host: String,
    },
    /// Something else has its address.
    #[error("what answers at {host} is not process {process} of this cluster; is the hosts file the same for all?")]
    Stranger {
        /// Which was expected.
        process: usize,
        /// Where.
        host: String,
    },
    /// It runs something else.
    #[error(
        "process {process} runs another version, city, number of processes or of workers, or reads other topics of Kafka: all \
         must be started alike, with the same [kafka]"
    )]
    Other {
        /// Which.
        process: usize,
    },
    /// Threads cannot be had.
    #[error("the connections of the cluster: {0}")]
    Threads(std::io::Error),
    /// It does not name this process, or too few or many.
    #[error("{path}: --process must be from 0 to {}, a line of the file each; it names {hosts} of at most {MAX_PROCESSES}", hosts.saturating_sub(1))]
    Process {
        /// The file.
        path: PathBuf,
        /// Lines in it.
        hosts: usize,
    },
}

impl ClusterArgs {
    /// The cluster that is asked for, if one is.
    pub fn cluster(&self) -> Result<Option<Cluster>, ClusterError> {
        match (&self.hosts, self.process) {
            (Some(path), Some(process)) => Cluster::read(path, process).map(Some),
            _ => Ok(None),
        }
    }
}

impl Cluster {
    /// Reads the file of hosts; empty lines and what follows a `#` do not count.
    pub fn read(path: &Path, process: usize) -> Result<Cluster, ClusterError> {
        let text = std::fs::read_to_string(path).map_err(|error| ClusterError::File(path.into(), error))?;
        let mut hosts = Vec::new();
        for (row, line) in text.lines().enumerate() {
            let host = line.split('#').next().unwrap_or_default().trim();
            let names_port =
                host.rsplit_once(':').is_some_and(|(name, port)| !name.is_empty() && port.parse::<u16>().is_ok());
            if names_port {
                hosts.push(host.to_owned());
            } else if !host.is_empty() {
                return Err(ClusterError::Host(path.into(), row + 1, host.into()));
            }
        }
        if process >= hosts.len() || hosts.len() > MAX_PROCESSES {
            return Err(ClusterError::Process { path: path.into(), hosts: hosts.len() });
        }
        Ok(Cluster { hosts, process, agreed: String::new() })
    }

    /// The same, which only comes together with processes that have the same settings, told in a text.
    pub fn agreeing_on(self, agreed: String) -> Cluster {
        Cluster { agreed, ..self }
    }

    /// Whether this process closes the ticks and has the ledger.
    pub fn leads(&self) -> bool {
        self.process == 0
    }

    /// Which process this is.
    pub fn process(&self) -> usize {
        self.process
    }

    /// How many there are.
    pub fn processes(&self) -> usize {
        self.hosts.len()
    }

    /// Keeps of a batch that every process has read what this one feeds: its share of the sensor events, and all the rest
    /// where it leads.
    pub fn keep_own(&self, batch: &mut Batch) {
        let Batch {
            passages,
            flows,
            crowds,
            calls,
            units,
            acks,
            signals,
            buses,
            violations,
            cases,
            sites,
            holds,
            gates,
            weather,
            rosters,
        } = batch;
        self.keep(passages);
        self.keep(flows);
        self.keep(crowds);
        self.keep(signals);
        self.keep(buses);
        self.keep(violations);
        self.keep(gates);
        self.keep(weather);
        if !self.leads() {
            (*calls, *units, *acks, *cases, *sites, *holds, *rosters) = Default::default();
        }
    }

    fn keep<T>(&self, events: &mut Vec<T>) {
        let mut row = 0..;
        events.retain(|_| row.next().is_some_and(|row| row % self.hosts.len() == self.process));
    }

    /// Connects the processes and starts the threads that carry data between them: the workers' ends, and what to hold on to
    /// while they run.
    pub(crate) fn connect(&self, city: &City, workers: usize) -> Result<Ends, ClusterError> {
        let sockets = sockets::connect(self, city, workers)?;
        let hooks = Hooks::default();
        let inside = ProcessBuilder::new_typed_vector(workers, hooks.refill.clone(), None);
        let started = initialize_networking_from_sockets(inside, sockets, self.process, workers, hooks);
        let (outside, threads) = started.map_err(ClusterError::Threads)?;
        Ok((outside.into_iter().map(AllocatorBuilder::Tcp).collect(), Box::new(threads)))
    }

    /// From now on a broken connection ends this process: half a city decides nothing.
    pub fn end_with_the_others(&self) {
        let before = std::panic::take_hook();
        let process = self.process;
        std::panic::set_hook(Box::new(move |panic| {
            let said = panic.payload_as_str().unwrap_or_default();
            if !said.starts_with(BROKEN) {
                return before(panic);
            }
            tracing::error!(
                process,
                "another process of the cluster is gone ({said}); this one ends too. Start all of them again: the leader goes \
                 on from its ledger, which has every accepted call"
            );
            std::thread::sleep(LAST_WORDS);
            std::process::exit(1);
        }));
    }
}

#[cfg(test)]
mod tests {
    use nanming_dataflows::event::{CallChange, CallEvent, CrowdCount};
    use nanming_dataflows::ids::{CallId, CameraId};

    use super::*;

    fn read(text: &str, process: usize) -> Result<Cluster, String> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("hosts.txt");
        std::fs::write(&path, text).unwrap();
        Cluster::read(&path, process).map_err(|error| error.to_string())
    }

    #[test]
    fn hosts_are_lines_and_what_is_wrong_is_named() {
        let text = "# the city\n10.0.0.7:2101  # leads\n\ncity-2:2101\n";
        let cluster = read(text, 1).unwrap();
        assert_eq!((cluster.processes(), cluster.leads()), (2, false));
        assert!(read(text, 2).unwrap_err().contains("from 0 to 1"));
        assert!(read("10.0.0.7\n", 0).unwrap_err().contains("line 1: '10.0.0.7'"));
        assert!(read("a:1\nb:99999\n", 0).unwrap_err().contains("line 2"));
        assert!(read("", 0).is_err());
        assert!(Cluster::read(Path::new("/nonexistent"), 0).unwrap_err().to_string().contains("/nonexistent"));
    }

    #[test]
    fn each_event_is_fed_by_one_process_and_what_is_durable_by_the_leader() {
        let count = |people| CrowdCount { time_ms: 1, camera: CameraId(1), people };
        let call = CallEvent { time_ms: 1, call: CallId(1), change: CallChange::Cancelled };
        let whole = Batch { crowds: (0..5).map(count).collect(), calls: vec![call], ..Batch::default() };
        let own: Vec<Batch> = (0..3)
            .map(|process| {
                let mut batch = whole.clone();
                read("a:1\nb:1\nc:1", process).unwrap().keep_own(&mut batch);
                batch
            })
            .collect();
        let mut fed: Vec<u32> = own.iter().flat_map(|batch| batch.crowds.iter().map(|c| c.people)).collect();
        fed.sort_unstable();
        assert_eq!(fed, [0, 1, 2, 3, 4]);
        assert_eq!(own.iter().map(|batch| batch.calls.len()).collect::<Vec<_>>(), [1, 0, 0]);
    }
}
