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
    assert_eq!(code(&["--speed", "3", "config"]).0, 2, "it would be left out of account");
    let (failed, said) = code(&["run", "--city", "missing.json", "--listen", "127.0.0.1:0"]);
    assert!(failed == 1 && said.contains("missing.json"), "{said}");
    assert_eq!(code(&["config"]).0, 0);
    let (failed, said) = code(&["--config", "/tmp", "config"]);
    assert!(failed == 1 && said.contains("/tmp"), "{said}");
    for (option, wrong) in [("--speed", "0"), ("--speed", "abc"), ("--workers", "0"), ("--start", "25:00")] {
        let (failed, said) = code(&["run", option, wrong]);
        assert!(failed == 2 && said.contains(option), "{said}");
    }
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let (failed, said) = code(&["run", "--city", "nosuch.json", "--listen", &taken.local_addr().unwrap().to_string()]);
    assert!(failed == 1 && said.contains("nosuch.json"), "the city is looked at first: {said}");
}

#[test]
fn a_terminal_that_closes_ends_in_good_order_too() {
    for signal in ["-HUP", "-TERM"] {
        let (code, printed) = Running::start().end_by(signal);
        assert!(code == Some(0) && printed.contains("ledger.sqlite"), "{signal} {code:?} {printed}");
    }
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

#[test]
fn who_has_read_enough_is_no_failure_and_a_disk_without_room_is() {
    let city = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_nanming"));
        command.args(["city", "--json"]);
        command
    };
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let done = city().stdout(writer).output().unwrap();
    assert_eq!((done.status.code(), String::from_utf8(done.stderr).unwrap().as_str()), (Some(0), ""));
    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    let done = city().stdout(full).output().unwrap();
    let said = String::from_utf8(done.stderr).unwrap();
    assert!(done.status.code() == Some(1) && said.contains("No space left"), "{said}");
}
