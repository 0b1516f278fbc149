use super::*;

fn from_toml(text: &str) -> Result<Config, String> {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("x.toml");
    std::fs::write(&file, text).unwrap();
    load(Some(&file)).map_err(|e| e.to_string())
}

#[test]
fn a_file_overrides_the_defaults_it_names() {
    let config = from_toml("[clock]\nspeed = 10.0\n").unwrap();
    assert_eq!(config.clock, ClockConfig { start: "now".into(), speed: 10.0 });
    assert_eq!(config.http, HttpConfig::default());
}

#[test]
fn an_unknown_key_is_an_error_that_names_it() {
    let error = from_toml("[clock]\nspede = 10.0\n").unwrap_err();
    assert!(error.contains("spede"), "{error}");
}

#[test]
fn values_out_of_range_are_errors() {
    for text in ["[clock]\nspeed = 0.0\n", "[clock]\nstart = \"25:00\"\n", "[engine]\nworkers = 0\n"] {
        assert!(from_toml(text).is_err(), "{text}");
    }
}

#[test]
fn a_missing_file_is_an_error() {
    assert!(matches!(load(Some(Path::new("/no/such/file.toml"))), Err(ConfigError::Missing(_))));
}

#[test]
fn the_effective_configuration_hides_secrets_and_reads_back() {
    let config = from_toml("[ingest]\nplate_key = \"very secret\"\n").unwrap();
    let shown = config.to_toml();
    assert!(!shown.contains("very secret") && shown.contains("(redacted)"), "{shown}");
    assert!(!format!("{config:?}").contains("very secret"));
    assert_eq!(from_toml(&Config::default().to_toml()).unwrap(), Config::default());
}
