//! `nanming run`.
use crate::config::Config;
/// Runs the city until it is interrupted.
pub fn run(_config: &Config) -> Result<(), Box<dyn std::error::Error>> {
    Ok(())
}
