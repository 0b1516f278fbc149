//! Whether brokers are reached: what every client says of it, told in the metrics, in `/healthz`, and in the log once at
//! each change.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rdkafka::Statistics;
use rdkafka::error::KafkaError;
use rdkafka::types::RDKafkaErrorCode as Code;

use crate::health::Health;
use crate::metrics::Metrics;

/// Complaints that are remembered so as not to be repeated.
const COMPLAINTS: usize = 64;

/// Whether brokers are reached.
pub struct Reach {
    health: Arc<Health>,
    metrics: Arc<Metrics>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    clients: Vec<Seen>,
    /// As it was told last.
    told: Option<bool>,
    /// Why it is not reached, as the last client put it; whether that is because one does not believe the other.
    reason: String,
    is_disbelief: bool,
    complaints: BTreeSet<String>,
}

/// What a client knows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Seen {
    /// Nothing yet.
    #[default]
    Unknown,
    Broker,
    None,
    /// It was shut out, for good.
    ShutOut,
}

/// A client's end.
#[derive(Clone)]
pub(super) struct Client {
    reach: Arc<Reach>,
    row: usize,
}

impl Reach {
    /// Nobody has said anything yet.
    pub fn new(health: Arc<Health>, metrics: Arc<Metrics>) -> Arc<Reach> {
        metrics.kafka.is_configured();
        health.kafka_reached(false);
        Arc::new(Reach { health, metrics, state: Mutex::default() })
    }

    /// One more client.
    pub(super) fn client(self: &Arc<Self>) -> Client {
        let mut state = self.lock();
        state.clients.push(Seen::default());
        Client { reach: Arc::clone(self), row: state.clients.len() - 1 }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, row: usize, seen: Seen) {
        let mut state = self.lock();
        if state.clients[row] == Seen::ShutOut {
            return;
        }
        state.clients[row] = seen;
        let all = state.clients.iter().all(|client| *client == Seen::Broker);
        let some_know = all || state.clients.iter().any(|client| matches!(client, Seen::None | Seen::ShutOut));
        if state.told == Some(all) || !some_know {
            return;
        }
        state.told = Some(all);
        self.metrics.kafka.reached(all);
        self.health.kafka_reached(all);
        if all {
            (state.complaints, state.reason, state.is_disbelief) = Default::default();
            tracing::info!("Kafka is reached: events are read on from where the ledger is");
        } else {
            let why = &state.reason;
            tracing::warn!(why, "Kafka is not reached: the engine goes on with what it has, and catches up later");
        }
    }
}

impl Client {
    /// Takes what the client tells of itself.
    pub(super) fn hear(&self, statistics: &Statistics) {
        let reached = statistics.brokers.values().any(|broker| broker.state == "UP");
        self.reach.set(self.row, if reached { Seen::Broker } else { Seen::None });
    }

    /// The brokers have shut it out.
    pub(super) fn shut_out(&self) {
        let reason = "another engine has joined under the same kafka.group, or the broker shut this one out: give each \
                      engine a group of its own and start this one again";
        self.reach.lock().reason = reason.into();
        self.reach.set(self.row, Seen::ShutOut);
    }

    /// Takes what went wrong. Brokers come and go: that is told when it makes a difference. One that is not believed, or does not
    /// believe us, will not come by itself.
    pub(super) fn complain(&self, error: &KafkaError, reason: &str) {
        let mut state = self.reach.lock();
        let disbelieves = matches!(error.rdkafka_error_code(), Some(Code::SSL | Code::Authentication));
        let of_the_way = [Code::BrokerTransportFailure, Code::AllBrokersDown, Code::Resolve, Code::OperationTimedOut];
        let is_of_the_way = error.rdkafka_error_code().is_some_and(|code| of_the_way.contains(&code));
        let stays = state.is_disbelief && state.told != Some(true);
        if disbelieves || (is_of_the_way && !stays) {
            (state.reason, state.is_disbelief) = (reason.into(), disbelieves);
        }
        if is_of_the_way {
            return;
        }
        // How long it took, and how often it came, makes no other complaint of it.
        let said = reason.split(" (after ").next().unwrap_or(reason);
        if state.complaints.len() < COMPLAINTS && state.complaints.insert(said.into()) {
            tracing::warn!("Kafka: {reason}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_reached_when_every_client_reaches_it() {
        let metrics = Arc::new(Metrics::new(&nanming_simulators::town::small(2, 2, 1)));
        let health = Arc::new(Health::default());
        assert_eq!(health.kafka(), None, "nobody speaks of Kafka where there is none");
        let reach = Reach::new(Arc::clone(&health), metrics.clone());
        let (first, second) = (reach.client(), reach.client());
        let shows = |up: u8| metrics.render().contains(&format!("nanming_kafka_up {up}\n"));
        reach.set(first.row, Seen::Broker);
        assert!(shows(0) && health.kafka() == Some(false));
        reach.set(second.row, Seen::Broker);
        assert!(shows(1) && health.kafka() == Some(true));
        reach.set(first.row, Seen::None);
        assert!(shows(0) && health.kafka() == Some(false));
        assert!(metrics.render().contains("nanming_kafka_configured 1\n"));
        first.shut_out();
        reach.set(first.row, Seen::Broker);
        assert!(shows(0), "it is shut out for good");
    }
    #[test]
    fn why_a_broker_is_not_believed_is_kept_until_it_is_reached() {
        let metrics = Arc::new(Metrics::new(&nanming_simulators::town::small(2, 2, 1)));
        let reach = Reach::new(Arc::default(), metrics);
        let client = reach.client();
        let complain = |code, reason| client.complain(&KafkaError::Global(code), reason);
        complain(Code::SSL, "SSL handshake failed (after 3ms in state SSL_HANDSHAKE)");
        complain(Code::SSL, "SSL handshake failed (after 4ms in state SSL_HANDSHAKE)");
        complain(Code::AllBrokersDown, "1/1 brokers are down");
        let state = || {
            let state = reach.lock();
            (state.reason.clone(), state.complaints.len())
        };
        assert_eq!(state(), ("SSL handshake failed (after 4ms in state SSL_HANDSHAKE)".into(), 1));
        reach.set(client.row, Seen::Broker);
        assert_eq!(state(), (String::new(), 0));
        complain(Code::AllBrokersDown, "1/1 brokers are down");
        assert_eq!(state(), ("1/1 brokers are down".into(), 0));
    }
}
