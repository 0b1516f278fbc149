//! A ledger to read, beside a running city or of one that has ended, and the city that its numbers are of.

use std::path::PathBuf;

use clap::Args;
use nanming_dataflows::network::City;

use crate::config::Config;
use crate::ledger::Book;

/// Which ledger, and of which city.
#[derive(Debug, Args)]
pub(crate) struct BooksArgs {
    /// The ledger's SQLite file [default: ledger.path of the configuration]
    #[arg(long, value_name = "FILE")]
    ledger: Option<PathBuf>,
    /// The city that it is of, as with run: for names of units and local time [default: that of the configuration]
    #[arg(long, value_name = "FILE")]
    city: Option<PathBuf>,
    /// Units that were placed when the city had none, as with run
    #[arg(long, value_name = "N", value_parser = super::units())]
    units: Option<usize>,
    /// Seed of the generated city, as with run
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
}

/// A book, the city if it is the book's, and local time minus UTC, minutes.
pub(super) type Books = (Book, Option<City>, i32);

impl BooksArgs {
    /// The ledger's file, which is there, under its own name: by that its lock and its roots go.
    pub(super) fn path(&self, config: &Config) -> Result<PathBuf, String> {
        let path = self.ledger.as_deref().unwrap_or(&config.ledger.path);
        let missing = |error| format!("there is no ledger {} ({error}); name one with --ledger FILE", path.display());
        std::fs::canonicalize(path).map_err(missing)
    }

    /// The city that is named, with its rosters: as it was run.
    pub(super) fn city(&self, config: &Config) -> Result<City, Box<dyn std::error::Error>> {
        let mut config = config.clone();
        config.city.file = self.city.clone().or(config.city.file);
        config.city.units = self.units.or(config.city.units);
        config.city.seed = self.seed.unwrap_or(config.city.seed);
        let mut city = crate::run::city(&config)?;
        crate::rosters::apply(&config, &mut city)?;
        Ok(city)
    }

    /// Opens it.
    pub(super) fn open(&self, config: &Config) -> Result<Books, Box<dyn std::error::Error>> {
        let book = Book::open(&self.path(config)?)?;
        let city = self.city(config)?;
        let offset_min = city.utc_offset_min;
        if book.is_of(&city)? {
            return Ok((book, Some(city), offset_min));
        }
        eprintln!(
            "nanming: the ledger is not of city {}: units have numbers only; name its city with --city FILE",
            city.name
        );
        Ok((book, None, offset_min))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_city_is_the_one_that_runs_with_its_rosters_and_units() {
        let books = BooksArgs { ledger: None, city: None, units: Some(7), seed: Some(3) };
        let city = books.city(&Config::default()).unwrap();
        assert!(!city.rosters.is_empty() && !city.units.is_empty());
        assert_eq!(city.cameras, crate::city_file::load(None, 3).unwrap().cameras);
    }
}
