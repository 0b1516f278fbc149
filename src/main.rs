//! The `nanming` command.

use std::io;
use std::process::ExitCode;

use rustix::fs::Mode;

fn main() -> ExitCode {
    // Ledgers, recordings, snapshots and dead letters are for the engine's account and its group.
    rustix::process::umask(Mode::from_raw_mode(0o027));
    match nanming::cli::main() {
        Ok(code) => code,
        // Who reads has had enough, such as `| head`.
        Err(error) if error.downcast_ref().map(io::Error::kind) == Some(io::ErrorKind::BrokenPipe) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("nanming: {error}");
            ExitCode::FAILURE
        }
    }
}
