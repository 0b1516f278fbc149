//! The configuration as people read and write it.

use std::fmt::Write;

use super::Config;

/// Settings that may be unset, or that are not shown: table, key, what could stand there, what it does.
const COMMENTED: [(&str, &str, &str, &str); 6] = [
    (
        "city",
        "file",
        "\"town.net.xml\"",
        "a SUMO .net.xml, or a .json that `nanming city` wrote; unset: the reference city",
    ),
    (
        "city",
        "units",
        "20",
        "patrol units to place when the city has none; unset: 20 while the simulator runs, else none",
    ),
    (
        "ingest",
        "plate_key",
        "\"a long random text\"",
        "key of the hash that stands for a plate; unset: a new random one at each start",
    ),
    ("ingest", "dead_letters", "\"/var/lib/nanming\"", "directory of dead_letters.jsonl; unset: that of the ledger"),
    ("kafka", "brokers", "\"kafka1:9092,kafka2:9092\"", "brokers to begin with; unset: no Kafka"),
    (
        "output",
        "jsonl",
        "\"decisions\"",
        "directory of signals.jsonl, forecasts.jsonl and assignments.jsonl; unset: they are not written",
    ),
];

impl Config {
    /// The effective configuration as TOML, to be read again: settings that are unset, and the secret, as comments.
    pub fn to_toml(&self) -> String {
        let mut shown = self.clone();
        shown.ingest.plate_key = Default::default();
        let (plain, set) = match (toml::to_string_pretty(&shown), toml::Table::try_from(&shown)) {
            (Ok(plain), Ok(set)) => (plain, set),
            (Err(error), _) | (_, Err(error)) => return format!("# {error}\n"),
        };
        let is_set =
            |table: &str, key: &str| key != "plate_key" && set.get(table).is_some_and(|t| t.get(key).is_some());
        let mut text = String::new();
        for line in plain.lines().filter(|line| !line.starts_with("plate_key")) {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "{line}");
            let table = line.strip_prefix('[').and_then(|l| l.strip_suffix(']')).unwrap_or_default();
            for (_, key, example, meaning) in COMMENTED.iter().filter(|row| row.0 == table) {
                if *key == "plate_key" && !self.ingest.plate_key.expose().is_empty() {
                    let _ = writeln!(text, "# plate_key is set, and not shown");
                } else if !is_set(table, key) {
                    let _ = writeln!(text, "# {meaning}\n# {key} = {example}");
                }
            }
        }
        text
    }
}

/// What is wrong with what was read, by the names that people write.
pub(super) fn complaint(error: &figment::Error) -> String {
    let one = |error: figment::Error| {
        let key = error.path.join(".");
        let from = error.metadata.as_ref().map_or(String::new(), |from| match &from.source {
            Some(source) => format!(" (in {source})"),
            None => format!(" (in {})", from.name),
        });
        let what = if key.is_empty() { error.kind.to_string() } else { format!("{key}: {}", error.kind) };
        what + &from
    };
    error.clone().into_iter().map(one).collect::<Vec<_>>().join("; ")
}
