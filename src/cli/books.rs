//! A ledger to read, beside a running city or of one that has ended, and the city that its numbers are of.

use std::path::PathBuf;

use clap::Args;
use nanming_dataflows::network::City;
use nanming_simulators::sumo_net::with_units;

use crate::city_file;
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
}

/// A book, the city if it is the book's, and local time minus UTC, minutes.
pub(super) type Books = (Book, Option<City>, i32);

impl BooksArgs {
    /// The ledger's file, which is there.
    pub(super) fn path(&self, config: &Config) -> Result<PathBuf, String> {
        let path = self.ledger.as_deref().unwrap_or(&config.ledger.path);
        if path.exists() {
            return Ok(path.into());
        }
        Err(format!("there is no ledger {}; name one with --ledger FILE", path.display()))
    }

    /// The city that is named.
    pub(super) fn city(&self, config: &Config) -> Result<City, Box<dyn std::error::Error>> {
        let mut city = city_file::load(self.city.as_deref().or(config.city.file.as_deref()), config.city.seed)?;
        if city.units.is_empty() {
            with_units(&mut city, config.units(), 1);
        }
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
