//! `nanming terminal-token`: what a unit's terminal logs in with.

use clap::Args;

use crate::clock::wall_ms;
use crate::config::Config;
use crate::login_token::{Claim, Purpose, sign};

/// Options of `nanming terminal-token`.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  nanming terminal-token --unit P12 --hours 12\nThe key stands in the configuration: \
                  [terminals] key = \"a long random text\""
)]
pub struct TerminalTokenArgs {
    /// Call sign of the unit
    #[arg(long, value_name = "NAME")]
    unit: String,
    /// The token ends after so many hours
    #[arg(long, value_name = "N", default_value_t = 12, value_parser = clap::value_parser!(u64).range(1..=8760))]
    hours: u64,
}

/// Runs the command.
pub(super) fn terminal_token(args: TerminalTokenArgs, config: &Config) -> Result<(), Box<dyn std::error::Error>> {
    let Some(key) = config.terminal_key() else {
        return Err(
            "terminals have no key: set [terminals] key in the configuration to a long random text, and start \
                    the engine with it"
                .into(),
        );
    };
    let city = crate::run::city(config)?;
    if city.units.iter().all(|unit| unit.name != args.unit) {
        let first = city.units.first().map_or("it has none", |unit| &unit.name);
        return Err(format!("the city has no unit {}; write a call sign such as {first}", args.unit).into());
    }
    let until_s = wall_ms() / 1000 + args.hours * 3600;
    say!("{}", sign(key, Purpose::Terminal, &Claim { who: args.unit, until_s }));
    Ok(())
}
