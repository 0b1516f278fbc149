//! Kafka: events in, decisions out. docs/kafka.md is the contract.
//!
//! - **In.** Two consumers, one for what people wait for and one for sensors, so that no call stands behind a million
//!   passages. A message goes through the door whole, with the offset after it; the ledger writes both in one transaction.
//!   Partitions begin where the ledger says: nothing is lost or taken twice, whatever the broker remembers. In a cluster each
//!   process reads its share of the sensors' partitions.
//! - **Out.** [`Outlet`] sends what is of no use later (signal commands, forecasts, dead letters) and drops it, counted, when
//!   the broker is slow or away. [`Assignments`] reads what it sends from the ledger, in order, and waits for as long as it
//!   takes.
//! - Nothing here holds up the engine: queues to the outlets are bounded and never waited for, and a broker that is away
//!   makes the engine *degraded*, not ill.

mod assignments;
mod client;
mod group;
mod intake;
mod outlet;
mod outstanding;
mod progress;
mod reach;
mod reader;
mod render;
mod sending;
mod spread;

pub use assignments::{Assignments, Wake};
pub use intake::{Intake, Means};
pub use outlet::{LettersOut, Outlet, SignalsOut, TicksOut};
pub use progress::Progress;
pub use reach::Reach;
pub use reader::Reader;
pub use spread::Place;

/// A client of Kafka that cannot be made. A broker that is away is no error.
#[derive(Debug, thiserror::Error)]
#[error("kafka: {0}; look at the table [kafka] of the configuration")]
pub struct ClientError(#[from] rdkafka::error::KafkaError);
