//! Signals that end a command which has no tasks of its own.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::signal::unix::{SignalKind, signal};

use super::INTERRUPTED;

/// Signals that ask a process to end: Ctrl-C, a service manager, the terminal's closing.
const ENDS: [fn() -> SignalKind; 3] = [SignalKind::interrupt, SignalKind::terminate, SignalKind::hangup];

/// A flag that turns true when the process is asked to end; the second time it ends at once.
pub(super) fn watch() -> io::Result<Arc<AtomicBool>> {
    let interrupted = Arc::<AtomicBool>::default();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    let signals = {
        let _inside = runtime.enter();
        ENDS.map(|kind| signal(kind())).into_iter().collect::<io::Result<Vec<_>>>()?
    };
    let flag = Arc::clone(&interrupted);
    std::thread::Builder::new().name("signals".into()).spawn(move || {
        runtime.block_on(async {
            let each = signals.into_iter().map(|mut signal| {
                let flag = &flag;
                async move {
                    while signal.recv().await.is_some() {
                        if flag.swap(true, Ordering::Relaxed) {
                            std::process::exit(i32::from(INTERRUPTED));
                        }
                    }
                }
            });
            futures_util::future::join_all(each).await;
        });
    })?;
    Ok(interrupted)
}
