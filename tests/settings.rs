//! Where settings come from.

use std::process::{Command, Output};

fn config(variables: &[(&str, &str)]) -> Output {
    let dir = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_nanming"));
    command.arg("config").envs(variables.iter().copied()).current_dir(dir.path()).output().unwrap()
}

#[test]
fn variables_of_others_are_left_alone_and_unknown_keys_of_a_table_are_errors() {
    let others = [("NANMING_DATA", "x"), ("NANMING_API", "http://127.0.0.1:1"), ("NANMING_CITYNAME__X", "1")];
    let shown = config(&[&others[..], &[("NANMING_CLOCK__SPEED", "7.5"), ("nanming_http__streams", "9")]].concat());
    let text = String::from_utf8(shown.stdout).unwrap();
    assert!(shown.status.success(), "{}", String::from_utf8_lossy(&shown.stderr));
    assert!(text.contains("speed = 7.5") && text.contains("streams = 9"), "{text}");
    let wrong = config(&[("NANMING_CLOCK__SPEDE", "7.5")]);
    let said = String::from_utf8(wrong.stderr).unwrap();
    assert!(wrong.status.code() == Some(1) && said.contains("spede"), "{said}");
}

#[test]
fn what_config_prints_can_be_run_again_and_never_becomes_the_key() {
    let shown = config(&[("NANMING_INGEST__PLATE_KEY", "very secret")]);
    let text = String::from_utf8(shown.stdout).unwrap();
    assert!(!text.contains("very secret") && !text.contains("\nplate_key"), "{text}");
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("nanming.toml"), &text).unwrap();
    let again = |variables: &[(&str, &str)]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_nanming"));
        command.arg("config").envs(variables.iter().copied()).current_dir(dir.path()).output().unwrap()
    };
    assert!(again(&[]).status.success());
    let refused = again(&[("NANMING_INGEST__PLATE_KEY", "(redacted)")]);
    let said = String::from_utf8(refused.stderr).unwrap();
    assert!(refused.status.code() == Some(1) && said.contains("plate_key"), "{said}");
}
