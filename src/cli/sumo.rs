//! `nanming sumo`: plays a scenario of SUMO and prints its figures.

use std::process::ExitCode;

use super::{INTERRUPTED, interrupt};
use crate::sumo::{SumoArgs, SumoError};

/// Runs the command.
pub(super) fn sumo(args: &SumoArgs) -> Result<ExitCode, Box<dyn std::error::Error>> {
    let interrupted = interrupt::watch()?;
    match crate::sumo::sumo(args, &interrupted) {
        Ok(report) if args.json => say!("{}", serde_json::to_string(&report)?),
        Ok(report) => put!("{report}"),
        Err(error @ SumoError::Interrupted) => {
            eprintln!("nanming: {error}");
            return Ok(ExitCode::from(INTERRUPTED));
        }
        Err(error) => return Err(error.into()),
    }
    Ok(ExitCode::SUCCESS)
}
