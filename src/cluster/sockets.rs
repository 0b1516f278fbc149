//! Connections between the processes of a cluster, one for each pair. Who connects says first who it is and what it runs:
//! processes of another build, another city or another number of workers would decide nonsense together.

use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant};

use nanming_dataflows::network::City;

use super::{Cluster, ClusterError};

/// So long a process waits for the others.
const PATIENCE: Duration = Duration::from_secs(300);
/// Between two looks whether one is there.
const GLANCE: Duration = Duration::from_millis(50);
/// Who has connected has so long to say who it is.
const GREETING: Duration = Duration::from_secs(5);
const GREETING_BYTES: usize = 60;

/// A socket to each other process, in their order, and none to this one. Waits until all are there.
pub(super) fn connect(cluster: &Cluster, city: &City, workers: usize) -> Result<Vec<Option<TcpStream>>, ClusterError> {
    let own = Greeting { run: run(cluster, city, workers), process: cluster.process };
    let address = &cluster.hosts[cluster.process];
    let listen = |error| ClusterError::Listen(address.clone(), error);
    let listener = TcpListener::bind(address).map_err(listen)?;
    listener.set_nonblocking(true).map_err(listen)?;
    let until = Instant::now() + PATIENCE;
    let mut sockets: Vec<Option<TcpStream>> = cluster.hosts.iter().map(|_| None).collect();
    // Each greets those before it and is then greeted by those after it: the first one waits for nobody.
    for (process, socket) in sockets.iter_mut().enumerate().take(cluster.process) {
        *socket = Some(greet(&own, process, &cluster.hosts[process], until)?);
    }
    while let Some(missing) = (cluster.process + 1..cluster.hosts.len()).find(|process| sockets[*process].is_none()) {
        if let Some((process, socket)) = greeted(&own, &listener, cluster, until, missing)? {
            sockets[process] = Some(socket);
        }
    }
    tracing::info!(
        process = cluster.process,
        processes = cluster.hosts.len(),
        "the processes of the cluster are together"
    );
    Ok(sockets)
}

/// What must be the same in all processes.
fn run(cluster: &Cluster, city: &City, workers: usize) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new();
    hasher.update(
        format!("{} {} {workers} {} ", env!("CARGO_PKG_VERSION"), cluster.hosts.len(), cluster.agreed).as_bytes(),
    );
    // Writing to a hash cannot fail, and what cannot be written would not be the same anywhere.
    let _ = serde_json::to_writer(&mut hasher, city);
    *hasher.finalize().as_bytes()
}

fn greet(own: &Greeting, process: usize, host: &str, until: Instant) -> Result<TcpStream, ClusterError> {
    let mut told = false;
    loop {
        let tried = TcpStream::connect(host).and_then(|mut socket| {
            own.say(&mut socket)?;
            // One that listens already may still be waiting for others: who hung up on it would be taken for present.
            Ok((Greeting::hear(&mut socket, until.saturating_duration_since(Instant::now()))?, socket))
        });
        match tried {
            Ok((Some(other), socket)) if other.process == process => {
                return if other.run == own.run { Ok(socket) } else { Err(ClusterError::Other { process }) };
            }
            Ok(_) => return Err(ClusterError::Stranger { process, host: host.into() }),
            Err(_) if Instant::now() < until => {
                if !std::mem::replace(&mut told, true) {
                    tracing::info!(process, host, "waiting for another process of the cluster");
                }
                std::thread::sleep(GLANCE);
            }
            Err(_) => return Err(ClusterError::Missing { process, host: host.into() }),
        }
    }
}

/// The next that connects, if it is of this cluster; others are sent away.
fn greeted(
    own: &Greeting,
    listener: &TcpListener,
    cluster: &Cluster,
    until: Instant,
    missing: usize,
) -> Result<Option<(usize, TcpStream)>, ClusterError> {
    let (mut socket, from) = match listener.accept() {
        Ok(accepted) => accepted,
        Err(error) if error.kind() == ErrorKind::WouldBlock && Instant::now() < until => {
            std::thread::sleep(GLANCE);
            return Ok(None);
        }
        Err(error) if error.kind() == ErrorKind::WouldBlock => {
            return Err(ClusterError::Missing { process: missing, host: cluster.hosts[missing].clone() });
        }
        Err(error) => return Err(ClusterError::Listen(cluster.hosts[cluster.process].clone(), error)),
    };
    let heard = socket.set_nonblocking(false).and_then(|()| Greeting::hear(&mut socket, GREETING));
    match heard {
        Ok(Some(other)) if (own.process + 1..cluster.hosts.len()).contains(&other.process) => {
            let answered = own.say(&mut socket);
            if other.run != own.run {
                return Err(ClusterError::Other { process: other.process });
            }
            // One that is gone again comes back, or is missed in the end.
            Ok(answered.ok().map(|()| (other.process, socket)))
        }
        _ => {
            tracing::warn!(%from, "somebody connected who is no process of this cluster");
            Ok(None)
        }
    }
}

/// What a process says first.
#[derive(Debug, PartialEq, Eq)]
struct Greeting {
    run: [u8; 32],
    process: usize,
}

impl Greeting {
    const MAGIC: &[u8; 20] = b"nanming cluster 1   ";

    fn say(&self, socket: &mut TcpStream) -> std::io::Result<()> {
        socket.set_nodelay(true)?;
        let mut bytes = Vec::with_capacity(GREETING_BYTES);
        bytes.extend_from_slice(Greeting::MAGIC);
        bytes.extend_from_slice(&self.run);
        bytes.extend_from_slice(&(self.process as u64).to_le_bytes());
        socket.write_all(&bytes)
    }

    /// None when it is no greeting.
    fn hear(socket: &mut TcpStream, patience: Duration) -> std::io::Result<Option<Greeting>> {
        // None would be for ever.
        socket.set_read_timeout(Some(patience.max(GLANCE)))?;
        let mut bytes = [0; GREETING_BYTES];
        socket.read_exact(&mut bytes)?;
        socket.set_read_timeout(None)?;
        let (magic, rest) = bytes.split_at(Greeting::MAGIC.len());
        let (run, process) = rest.split_at(32);
        let (Ok(run), Ok(process)) = (run.try_into(), process.try_into()) else { return Ok(None) };
        let process = u64::from_le_bytes(process) as usize;
        Ok((magic == Greeting::MAGIC).then_some(Greeting { run, process }))
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    fn cluster(processes: usize) -> Vec<Cluster> {
        let free: Vec<_> = (0..processes).map(|_| TcpListener::bind("127.0.0.1:0").unwrap()).collect();
        let hosts: Vec<String> = free.iter().map(|listener| listener.local_addr().unwrap().to_string()).collect();
        (0..processes).map(|process| Cluster { hosts: hosts.clone(), process, agreed: String::new() }).collect()
    }

    #[test]
    fn each_has_a_socket_to_each_other_and_strangers_are_sent_away() {
        let (city, clusters) = (nanming_simulators::town::small(2, 2, 1), cluster(3));
        thread::scope(|scope| {
            let leader = scope.spawn(|| connect(&clusters[0], &city, 1));
            let stranger = loop {
                if let Ok(socket) = TcpStream::connect(&clusters[0].hosts[0]) {
                    break socket;
                }
            };
            (&stranger).write_all(&[b'x'; GREETING_BYTES]).unwrap();
            let others: Vec<_> = clusters[1..].iter().map(|own| scope.spawn(|| connect(own, &city, 1))).collect();
            for (process, joined) in [leader].into_iter().chain(others).enumerate() {
                let sockets = joined.join().unwrap().unwrap();
                let there: Vec<bool> = sockets.iter().map(Option::is_some).collect();
                assert_eq!(there, (0..3).map(|other| other != process).collect::<Vec<_>>());
            }
        });
    }

    #[test]
    fn processes_that_run_something_else_do_not_come_together() {
        let (city, clusters) = (nanming_simulators::town::small(2, 2, 1), cluster(2));
        thread::scope(|scope| {
            let leader = scope.spawn(|| connect(&clusters[0], &city, 1));
            let follower = connect(&clusters[1], &city, 2).unwrap_err();
            assert!(matches!(follower, ClusterError::Other { process: 0 }), "{follower}");
            assert!(matches!(leader.join().unwrap(), Err(ClusterError::Other { process: 1 })));
        });
    }
}
