//! The integration tests: one binary, a module a surface.
#![allow(clippy::unwrap_used)] // a test that cannot go on should panic

mod replay;
