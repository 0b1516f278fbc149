//! The configuration as people read and write it.

use std::fmt::Write;

use super::Config;

/// Settings that may be unset, or that are not shown: table, key, what could stand there, what it does.
const COMMENTED: [(&str, &str, &str, &str); 29] = [
    (
        "city",
        "file",
        "\"town.net.xml\"",
        "a SUMO .net.xml (or .gz), or a .json that `nanming city` wrote; unset: the reference city",
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
    (
        "ingest",
        "plate_keys",
        "[{ from = \"2026-07-01T03:30:00+08:00\", key = \"a new long random text\" }]",
        "keys of that hash for later times, oldest first (docs/privacy.md); unset: the one above for ever",
    ),
    (
        "ingest",
        "caller_key",
        "\"another long random text\"",
        "key of the hash that stands for a caller; unset: a new random one at each start",
    ),
    (
        "http",
        "api_keys",
        "[\"a key for each sender\"]",
        "keys of which POST /api/ingest must carry one; unset: it asks for none",
    ),
    (
        "http",
        "tls_certificate",
        "\"certificate.pem\"",
        "PEM file of the certificate, the engine's own first; unset: no TLS",
    ),
    ("http", "tls_key", "\"key.pem\"", "PEM file of its private key, unencrypted; set with the certificate"),
    (
        "access",
        "key",
        "\"a long random text of 32 bytes or more\"",
        "key of the tokens of roles, docs/security.md; unset: whoever reaches the engine may do all",
    ),
    (
        "access",
        "persons",
        "{ li = { role = \"dispatcher\", password = \"$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5IGF0IGFsbCE$5uOoJOkDL4dtvz5n2LhyKXjVUUykU1qJcu3GLlMrdrQ\" } }",
        "those who log in, with what `nanming password` prints; set with access.key",
    ),
    (
        "rosters",
        "key",
        "\"yet another long random text\"",
        "key of the tokens that persons of rosters ask with; unset: whoever asks is believed",
    ),
    (
        "viid",
        "users",
        "{ platform = \"its password\" }",
        "platforms and cameras of GA/T 1400 that may register; unset: the service is off",
    ),
    ("viid", "cameras", "\"cameras.toml\"", "table of devices, tollgates and lanes; unset: IDs are the city's own"),
    ("viid", "serial_area", "\"5201\"", "device IDs that begin so mean cameras by number; unset: that rule is off"),
    (
        "classification",
        "file",
        "\"rules.toml\"",
        "rules by which an alarm's words become category, priority and needs; unset: those built in",
    ),
    ("wechat", "token", "\"the token of its server settings\"", "the official account; unset: the callback is off"),
    (
        "terminals",
        "key",
        "\"one more long random text\"",
        "key of the tokens that terminals log in with; unset: whoever connects may say which unit it is",
    ),
    ("ingest", "dead_letters", "\"/var/lib/nanming\"", "directory of dead_letters.jsonl; unset: that of the ledger"),
    ("controllers", "table", "\"controllers.toml\"", "table of signal controllers; unset: none is spoken to"),
    (
        "gat1049",
        "listen",
        "\"127.0.0.1:1049\"",
        "address for command platforms of GA/T 1049; unset: the service is off",
    ),
    (
        "gat1049",
        "users",
        "{ platform = \"its password\" }",
        "command platforms that may log in; one at least with listen",
    ),
    ("kafka", "brokers", "\"kafka1:9092,kafka2:9092\"", "brokers to begin with; unset: no Kafka"),
    ("kafka", "tls_ca", "\"ca.pem\"", "PEM file of the authorities that vouch for brokers; unset: no TLS"),
    ("kafka", "tls_certificate", "\"engine.pem\"", "PEM file of the engine's own certificate; unset: it shows none"),
    ("kafka", "tls_key", "\"engine.key\"", "PEM file of the key to it"),
    ("kafka", "user", "\"nanming\"", "who the engine is to brokers that ask; unset: it does not log in"),
    ("kafka", "password", "\"its password\"", "set with kafka.user"),
    (
        "output",
        "jsonl",
        "\"decisions\"",
        "directory of signals.jsonl, plans.jsonl, forecasts.jsonl, crowds.jsonl, venue_forecasts.jsonl and assignments.jsonl; unset: \
         they are not written",
    ),
    (
        "record",
        "dir",
        "\"recording\"",
        "directory of the recording of what passes the door; unset: nothing is recorded",
    ),
];

/// A receiver, as it could be.
const WEBHOOK: &str = r#"
# receivers of what becomes of calls, docs/terminals.md; unset: there are none
# [[webhooks]]
# url = "http://127.0.0.1:9000/calls"
# secret = "a long random text for each receiver"
# units = ["P0001"]
# kinds = ["assigned", "withdrawn", "closed"]
"#;

/// Settings whose values are never shown.
const SECRETS: [(&str, &str); 12] = [
    ("access", "key"),
    ("access", "persons"),
    ("rosters", "key"),
    ("gat1049", "users"),
    ("ingest", "plate_key"),
    ("ingest", "plate_keys"),
    ("ingest", "caller_key"),
    ("http", "api_keys"),
    ("viid", "users"),
    ("wechat", "token"),
    ("terminals", "key"),
    ("kafka", "password"),
];

impl Config {
    /// The effective configuration as TOML, to be read again: settings that are unset, and the secrets, as comments.
    pub fn to_toml(&self) -> String {
        let mut shown = match toml::Table::try_from(self) {
            Ok(shown) => shown,
            Err(error) => return format!("# {error}\n"),
        };
        shown.remove("webhooks");
        let secrets: Vec<_> = SECRETS.iter().map(|(table, key)| (*table, *key, take(&mut shown, table, key))).collect();
        let plain = match toml::to_string_pretty(&shown) {
            Ok(plain) => plain,
            Err(error) => return format!("# {error}\n"),
        };
        let is_set = |table: &str, key: &str| shown.get(table).is_some_and(|t| t.get(key).is_some());
        let is_secret = |table: &str, key: &str| secrets.iter().any(|s| (s.0, s.1) == (table, key) && s.2);
        let mut text = String::new();
        for line in plain.lines() {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "{line}");
            let table = line.strip_prefix('[').and_then(|l| l.strip_suffix(']')).unwrap_or_default();
            for (_, key, example, meaning) in COMMENTED.iter().filter(|row| row.0 == table) {
                if is_secret(table, key) {
                    let _ = writeln!(text, "# {key} is set, and not shown");
                } else if !is_set(table, key) {
                    let _ = writeln!(text, "# {meaning}\n# {key} = {example}");
                }
            }
        }
        text + &self.shown_webhooks()
    }

    /// Receivers hold secrets and are told of only.
    fn shown_webhooks(&self) -> String {
        match self.webhooks.len() {
            0 => WEBHOOK.into(),
            n => format!("\n# webhooks are set ({n}), and not shown\n"),
        }
    }
}

/// Takes a secret out; whether there was one.
fn take(shown: &mut toml::Table, table: &str, key: &str) -> bool {
    let table = shown.get_mut(table).and_then(toml::Value::as_table_mut);
    match table.and_then(|table| table.remove(key)) {
        Some(toml::Value::String(text)) => !text.is_empty(),
        Some(toml::Value::Array(list)) => !list.is_empty(),
        Some(toml::Value::Table(names)) => !names.is_empty(),
        _ => false,
    }
}

/// What is wrong with a value, without the value where it may be a secret.
fn told(error: &figment::Error) -> String {
    use figment::error::Kind;
    let at = |row: usize| error.path.get(row).map(String::as_str).unwrap_or_default();
    let is_secret = at(0) == "webhooks" || SECRETS.iter().any(|(table, key)| (*table, *key) == (at(0), at(1)));
    match &error.kind {
        Kind::InvalidType(_, wanted) if is_secret => format!("what stands there is not {wanted}"),
        Kind::InvalidValue(_, wanted) if is_secret => format!("what stands there is not {wanted}"),
        // A parser shows the line, which may hold a secret.
        Kind::Message(text) => text.lines().filter(|line| !line.contains(" |")).collect::<Vec<_>>().join(": "),
        kind => kind.to_string(),
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
        let said = told(&error);
        let what = if key.is_empty() { said } else { format!("{key}: {said}") };
        what + &from
    };
    error.clone().into_iter().map(one).collect::<Vec<_>>().join("; ")
}
