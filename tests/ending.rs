//! How a run ends.

use std::process::Command;

use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

use crate::running::Running;

#[test]
fn ctrl_c_ends_in_good_order() {
    let city = Running::start_in(tempfile::tempdir().unwrap(), &["--speed", "5"]);
    let mut terminal = city.terminal(0);
    let (code, printed) = city.interrupt();
    assert_eq!(code, Some(0));
    assert!(printed.contains("ticks") && printed.contains("ledger.sqlite"), "{printed}");
    let goodbye = loop {
        match terminal.0.read().unwrap() {
            Message::Close(frame) => break frame.unwrap(),
            _ => continue,
        }
    };
    assert_eq!(goodbye.code, CloseCode::Away);
}

#[test]
fn wrong_usage_and_failures_have_their_exit_codes() {
    let code = |arguments: &[&str]| {
        let dir = tempfile::tempdir().unwrap();
        let done =
            Command::new(env!("CARGO_BIN_EXE_nanming")).args(arguments).current_dir(dir.path()).output().unwrap();
        (done.status.code().unwrap(), String::from_utf8(done.stderr).unwrap())
    };
    assert_eq!(code(&["--no-such-option"]).0, 2);
    let (failed, said) = code(&["run", "--city", "missing.json", "--listen", "127.0.0.1:0"]);
    assert!(failed == 1 && said.contains("missing.json"), "{said}");
    assert_eq!(code(&["config"]).0, 0);
}

#[test]
fn two_cannot_share_a_ledger_or_an_address() {
    let city = Running::start();
    let again = |listen: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_nanming"));
        command.args(["run", "--no-sim", "--city", "town.json", "--ledger", "ledger.sqlite", "--listen", listen]);
        let done = command.current_dir(city.dir.path()).output().unwrap();
        (done.status.code(), String::from_utf8(done.stderr).unwrap())
    };
    let (code, said) = again("127.0.0.1:0");
    assert!(code == Some(1) && said.contains("in use by another nanming"), "{said}");
    let (code, said) = again(&city.address.to_string());
    assert!(code == Some(1) && said.contains("--listen"), "{said}");
}
