//! `nanming password`: what the configuration keeps of a password.

use std::io::{BufRead, IsTerminal, Write};

use crate::password::{LONGEST_BYTES, hash};

/// Runs the command: the password is the first line of standard input, so that no list of processes shows it.
pub(super) fn password() -> Result<(), Box<dyn std::error::Error>> {
    let input = std::io::stdin();
    if input.is_terminal() {
        eprint!("password (it shows as you type; pipe it in to keep it from the screen): ");
        std::io::stderr().flush()?;
    }
    let mut line = String::new();
    // One that is too long is told so, whatever comes after.
    std::io::Read::take(input.lock(), LONGEST_BYTES as u64 + 2).read_line(&mut line)?;
    say!("{}", hash(line.trim_end_matches(['\r', '\n']))?);
    Ok(())
}
