//! Nanming: one streaming engine for a city's streets. This crate holds all I/O around the pure views of
//! [`nanming_dataflows`]: configuration, ingest, the door, the ledger, the sinks, the HTTP surface and the metrics.
//!
//! The way of the data: source -> [`door`] -> engine -> [`ledger`] -> [`publish`].

pub mod bounded_file;
pub mod call_content;
mod call_json;
pub mod city_file;
pub mod classify;
pub mod cli;
pub mod clock;
pub mod cluster;
pub mod config;
pub mod controllers;
pub mod diff;
pub mod dispatch_eval;
pub mod door;
pub mod eido;
pub mod engine;
pub mod explain;
pub mod fail;
pub mod forecast_eval;
#[cfg(any(test, feature = "fuzzing"))]
#[doc(hidden)]
pub mod fuzzing;
pub mod gat1049;
mod gzip;
pub mod health;
pub mod http;
pub mod import;
pub mod ingest;
pub mod kafka;
pub mod ledger;
pub mod login_token;
pub mod metrics;
pub mod offsets;
pub mod password;
pub mod publish;
pub mod recording;
pub mod replay;
pub mod response_report;
pub mod retention;
pub mod roles;
pub mod rosters;
pub mod run;
pub mod snapshots;
pub mod sumo;
mod times_axis;
pub mod tls;
pub mod track_record;
pub mod travel;
pub mod webhooks;

#[cfg(test)]
mod fuzz;
