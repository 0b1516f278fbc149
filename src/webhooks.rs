//! Webhooks: what becomes of calls, POSTed to phones' gateways and other systems as CloudEvents 1.0, signed as Standard
//! Webhooks have it (docs/terminals.md).
//!
//! Events are read from the ledger in its order, never from the engine: so nothing waits for a receiver, and one that is away
//! is told later. How far each receiver was told goes through the door into the ledger. After a crash what was told since
//! the last note is told again under the same ID.

mod outlet;
mod post;
mod render;

pub use outlet::{OpenError, Outlet, Wake};
pub use post::signature;
