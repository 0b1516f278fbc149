//! `nanming role-token`: what somebody of a role asks with.

use clap::Args;

use crate::clock::wall_ms;
use crate::config::Config;
use crate::login_token::{Claim, Purpose, sign};
use crate::roles::Role;

/// Options of `nanming role-token`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  nanming role-token --role dispatcher --who li --minutes 480\n  \
                  nanming role-token --role camera-platform --who gate-3 --minutes 43200\n\
                  It is sent as `Authorization: Bearer TOKEN`. The key stands in the configuration: [access] key = \"a random text \
                  of 32 bytes or more\"")]
pub struct RoleTokenArgs {
    /// What its bearer may do; docs/security.md has the table
    #[arg(long, value_name = "ROLE")]
    role: Role,
    /// Who its bearer is, as it is to stand in logs
    #[arg(long, value_name = "NAME")]
    who: String,
    /// The token ends after so many minutes
    #[arg(long, value_name = "N", default_value_t = 480, value_parser = clap::value_parser!(u64).range(1..=43_200))]
    minutes: u64,
}

/// Runs the command.
pub(super) fn role_token(args: &RoleTokenArgs, config: &Config) -> Result<(), Box<dyn std::error::Error>> {
    let RoleTokenArgs { role, who, minutes } = args;
    let Some(longest_min) = role.longest_min() else { return Err(otherwise(*role).into()) };
    if *minutes > longest_min {
        return Err(format!("a token of a {} is good for {longest_min} min at most", role.as_str()).into());
    }
    if who.is_empty() || who.chars().any(char::is_control) {
        return Err("--who is a name, without control characters".into());
    }
    let key = config.access.key().ok_or(
        "there is no key of roles: set [access] key in the configuration to a random text of 32 bytes or more, such as \
         `openssl rand -base64 32` prints, and start the engine with it",
    )?;
    let until_s = wall_ms() / 1000 + minutes * 60;
    say!("{}", sign(key, Purpose::Role, &Claim { who: format!("{}/{who}", role.as_str()), until_s }));
    Ok(())
}

fn otherwise(role: Role) -> &'static str {
    match role {
        Role::Unit => "a unit has a token of `nanming terminal-token --unit NAME`",
        Role::Staff => "persons of rosters have tokens of `nanming roster-token --roster NAME --person NAME`",
        _ => "a citizen needs no token",
    }
}
