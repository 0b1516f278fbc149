//! What a `.sumocfg` says of its network and its time.

use std::path::{Path, PathBuf};

use super::SumoError;
use crate::gzip;

/// A scenario.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Scenario {
    pub(super) config: PathBuf,
    pub(super) net: PathBuf,
    /// Additional files, in the order in which SUMO loads them.
    pub(super) additional: Vec<PathBuf>,
    /// s.
    pub(super) begin_s: f64,
    /// s.
    pub(super) end_s: f64,
}

impl Scenario {
    /// Reads a configuration; times that are given go before its own.
    pub(super) fn read(config: &Path, begin_s: Option<f64>, end_s: Option<f64>) -> Result<Scenario, SumoError> {
        let wrong = |what: String| SumoError::Scenario(config.to_path_buf(), what);
        let text = gzip::read_to_string(config).map_err(|source| wrong(source.to_string()))?;
        let document = roxmltree::Document::parse(&text).map_err(|error| wrong(format!("not XML: {error}")))?;
        let value = |names: &[&str]| {
            let element = document.descendants().find(|e| names.contains(&e.tag_name().name()))?;
            element.attribute("value").or_else(|| element.attribute("v"))
        };
        let net = value(&["net-file", "net", "n"]).ok_or_else(|| wrong("it names no net-file".into()))?;
        let time = |name: &'static str, short| {
            let read = |text: &str| seconds(text).ok_or_else(|| wrong(format!("{name} is no time in s: {text}")));
            value(&[name, short]).map(read).transpose()
        };
        let begin_s = begin_s.or(time("begin", "b")?).unwrap_or(0.0);
        let end_s = end_s.or(time("end", "e")?).filter(|end_s| *end_s >= 0.0);
        let end_s = end_s.ok_or_else(|| wrong("it has no end: give --end".into()))?;
        if end_s <= begin_s {
            return Err(wrong(format!("it ends at {end_s} s and begins at {begin_s} s: give --begin and --end")));
        }
        let beside = config.parent().unwrap_or(Path::new(""));
        let additional = value(&["additional-files", "additional", "a"]).unwrap_or_default();
        let additional = additional.split([',', ';']).map(str::trim).filter(|file| !file.is_empty());
        let additional = additional.map(|file| beside.join(file)).collect();
        Ok(Scenario { config: config.to_path_buf(), net: beside.join(net), additional, begin_s, end_s })
    }

    pub(super) fn name(&self) -> String {
        self.config.file_stem().unwrap_or_default().to_string_lossy().into_owned()
    }

    pub(super) fn lasts_s(&self) -> f64 {
        self.end_s - self.begin_s
    }
}

/// SUMO writes times as seconds, or as `[days:]hours:minutes:seconds`.
fn seconds(text: &str) -> Option<f64> {
    let parts: Vec<f64> = text.split(':').map(|part| part.trim().parse().ok()).collect::<Option<_>>()?;
    let units = [1.0, 60.0, 3_600.0, 86_400.0];
    let whole = matches!(parts.len(), 1 | 3 | 4) && parts.iter().all(|part| part.is_finite());
    whole.then(|| parts.iter().rev().zip(units).map(|(part, unit)| part * unit).sum())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, end_s: Option<f64>) -> Result<Scenario, SumoError> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.sumocfg");
        std::fs::write(&path, text).unwrap();
        Scenario::read(&path, None, end_s).map(|s| Scenario { net: s.net.file_name().unwrap().into(), ..s })
    }

    #[test]
    fn net_and_times_are_read_and_what_is_missing_is_named() {
        let long = "<configuration><input><net-file value=\"a.net.xml\"/>\
                    <additional-files value=\"a.add.xml, sub/b.add.xml.gz\"/></input>\
                    <time><begin value=\"7:00:00\"/><end value=\"28800\"/></time></configuration>";
        let scenario = read(long, None).unwrap();
        assert_eq!((scenario.net.to_str(), scenario.begin_s, scenario.end_s), (Some("a.net.xml"), 25_200.0, 28_800.0));
        assert!(scenario.additional.len() == 2 && scenario.additional[1].ends_with("sub/b.add.xml.gz"));
        assert_eq!(read("<c><n v=\"b.net.xml\"/></c>", Some(60.0)).unwrap().lasts_s(), 60.0);
        for (text, said) in [
            ("<c/>", "net-file"),
            ("<c><n v=\"b\"/></c>", "--end"),
            ("<c><n v=\"b\"/><e v=\"soon\"/></c>", "no time"),
            ("<c><n v=\"b\"/><b v=\"9\"/><e v=\"9\"/></c>", "--begin"),
            ("<c", "not XML"),
        ] {
            let error = read(text, None).unwrap_err().to_string();
            assert!(error.contains(said), "{error}");
        }
    }
}
