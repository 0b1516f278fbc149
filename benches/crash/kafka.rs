//! The broker of the tests.

// What they have beside this is not used here.
#[path = "../../tests/kafka/broker.rs"]
#[allow(dead_code)]
pub(crate) mod broker;
