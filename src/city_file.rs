//! Where a city comes from: generated, imported from SUMO, or read back from JSON.

use std::io::{BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};

use nanming_dataflows::network::{City, CityError};

use crate::gzip;

/// So many of an import's warnings are told unasked.
const WARNINGS: usize = 5;

/// A city that cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum CityFileError {
    /// The file cannot be read or written.
    #[error("{path}: {source}")]
    File {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It is not a city in JSON.
    #[error("{path}: {source}")]
    Json {
        /// Which file.
        path: PathBuf,
        /// Where and why.
        source: serde_json::Error,
    },
    /// SUMO's network cannot be imported.
    #[error("{path}: {message}")]
    Net {
        /// Which file.
        path: PathBuf,
        /// Why.
        message: String,
    },
    /// It does not hang together.
    #[error("{path}: {source}")]
    Broken {
        /// Which file.
        path: PathBuf,
        /// What is wrong.
        source: CityError,
    },
    /// The ending says nothing.
    #[error("{0}: a city is a SUMO .net.xml (or .net.xml.gz) or a .json from `nanming city --out`")]
    Unknown(PathBuf),
}

/// The city of a file, checked; without one the generated reference city of `seed`.
pub fn load(file: Option<&Path>, seed: u64) -> Result<City, CityFileError> {
    let Some(path) = file else { return Ok(nanming_simulators::guiyang::generate(seed)) };
    let name = path.to_string_lossy();
    let city = if name.ends_with(".json") {
        read_json(path)?
    } else if name.ends_with(".xml") || name.ends_with(".xml.gz") {
        return load_net(path, &[]);
    } else {
        return Err(CityFileError::Unknown(path.into()));
    };
    city.check().map_err(|source| CityFileError::Broken { path: path.into(), source })?;
    Ok(city)
}

/// The city of a SUMO network, checked. Programs of signals may stand in additional files too.
pub(crate) fn load_net(path: &Path, additional: &[PathBuf]) -> Result<City, CityFileError> {
    let city = import_net(path, additional)?;
    city.check().map_err(|source| CityFileError::Broken { path: path.into(), source })?;
    Ok(city)
}

/// Writes a city as JSON.
pub fn write(city: &City, path: &Path) -> Result<(), CityFileError> {
    let failed = |source| CityFileError::File { path: path.into(), source };
    let mut out = BufWriter::new(std::fs::File::create(path).map_err(failed)?);
    serde_json::to_writer(&mut out, city).map_err(|source| CityFileError::Json { path: path.into(), source })?;
    out.flush().map_err(failed)
}

fn read_json(path: &Path) -> Result<City, CityFileError> {
    let file = std::fs::File::open(path).map_err(|source| CityFileError::File { path: path.into(), source })?;
    serde_json::from_reader(BufReader::new(file)).map_err(|source| CityFileError::Json { path: path.into(), source })
}

fn import_net(path: &Path, additional: &[PathBuf]) -> Result<City, CityFileError> {
    let read =
        |path: &Path| gzip::read_to_string(path).map_err(|source| CityFileError::File { path: path.into(), source });
    let xml = read(path)?;
    let additional = additional.iter().map(|path| read(path)).collect::<Result<Vec<String>, _>>()?;
    let file = path.file_name().map_or_else(String::new, |n| n.to_string_lossy().into_owned());
    let name = file.trim_end_matches(".gz").trim_end_matches(".net.xml");
    let import = nanming_simulators::sumo_net::read_with(&xml, &additional, name)
        .map_err(|error| CityFileError::Net { path: path.into(), message: error.to_string() })?;
    let (told, more) = import.warnings.split_at(import.warnings.len().min(WARNINGS));
    told.iter().for_each(|warning| tracing::warn!("{}: {warning}", path.display()));
    more.iter().for_each(|warning| tracing::debug!("{}: {warning}", path.display()));
    if !more.is_empty() {
        tracing::warn!("{}: {} more like these; --log debug tells them all", path.display(), more.len());
    }
    Ok(import.city)
}

#[cfg(test)]
mod tests;
