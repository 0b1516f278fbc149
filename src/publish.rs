//! Where decisions go: one file a sink.

pub mod jsonl;
