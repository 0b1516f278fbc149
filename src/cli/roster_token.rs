//! `nanming roster-token`: what a person of a roster, or the desk of one, asks with.

use clap::Args;

use crate::clock::wall_ms;
use crate::config::Config;
use crate::login_token::{Claim, Purpose, sign};

/// Options of `nanming roster-token`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  nanming roster-token --roster sites --person S007    what S007 opens /roster#token=.. with\n  \
                  nanming roster-token --roster sites                  the desk's: all persons and tasks of the roster\n\
                  The key stands in the configuration: [rosters] key = \"a long random text\""
)]
pub struct RosterTokenArgs {
    /// Name of the roster
    #[arg(long, value_name = "NAME")]
    roster: String,
    /// Name of the person; without one the token is the desk's
    #[arg(long, value_name = "NAME")]
    person: Option<String>,
    /// The token ends after so many hours
    #[arg(long, value_name = "N", default_value_t = 720, value_parser = clap::value_parser!(u64).range(1..=8760))]
    hours: u64,
}

/// Runs the command.
pub(super) fn roster_token(args: RosterTokenArgs, config: &Config) -> Result<(), Box<dyn std::error::Error>> {
    let Some(key) = config.roster_key() else {
        return Err(
            "rosters have no key: set [rosters] key in the configuration to a long random text, and start the \
                    engine with it"
                .into(),
        );
    };
    let mut city = crate::run::city(config)?;
    crate::rosters::apply(config, &mut city)?;
    let Some(roster) = city.rosters.iter().find(|roster| roster.name == args.roster) else {
        let known: Vec<&str> = city.rosters.iter().map(|roster| roster.name.as_str()).collect();
        return Err(format!("the city has no roster {}; it has {}", args.roster, known.join(", ")).into());
    };
    if let Some(person) = args.person.as_ref().filter(|name| roster.persons.iter().all(|p| p.name != **name)) {
        let first = roster.persons.first().map_or("it has none", |person| &person.name);
        return Err(format!("the roster has no person {person}; write a name such as {first}").into());
    }
    let until_s = wall_ms() / 1000 + args.hours * 3600;
    let who = args.person.map_or(args.roster.clone(), |person| format!("{}/{person}", args.roster));
    say!("{}", sign(key, Purpose::Roster, &Claim { who, until_s }));
    Ok(())
}
