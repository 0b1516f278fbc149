//! The `nanming` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    match nanming::cli::main() {
        Ok(code) => code,
        Err(error) => {
            eprintln!("nanming: {error}");
            ExitCode::FAILURE
        }
    }
}
