//! The integration tests: one binary, a module a surface. They run the real `nanming` command with a small city, over real
//! sockets and files.
#![allow(clippy::unwrap_used)] // a test that cannot go on should panic

mod audit;
mod board;
mod calls;
mod cluster;
mod connections;
mod controllers;
mod cover;
mod crash;
mod crowd;
mod dispatch;
mod dispatch_eval;
mod ending;
mod envelope;
mod files;
mod forecast_eval;
mod gat1049;
mod grafana;
mod guard;
mod ingest;
mod kafka;
mod leaving;
mod life;
mod preemption;
mod privacy;
mod push;
mod recordings;
mod recovery;
mod replay;
mod roles;
mod rosters;
mod running;
mod secrets;
mod settings;
mod sumo;
mod terminals;
mod tls;
mod travel;
mod viid;
mod webhooks;
mod wechat;
