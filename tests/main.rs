//! The integration tests: one binary, a module a surface. They run the real `nanming` command with a small city, over real
//! sockets and files.
#![allow(clippy::unwrap_used)] // a test that cannot go on should panic

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
mod learning;
mod leaving;
mod life;
mod preemption;
mod push;
mod recordings;
mod replay;
mod rosters;
mod running;
mod settings;
mod sumo;
mod terminals;
mod travel;
mod viid;
mod webhooks;
mod wechat;
