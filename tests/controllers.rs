//! The engine and signal controllers that obey, refuse, do not answer, restart and lie, over real sockets.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use nanming_dataflows::network::City;
use nanming_simulators::controller::{Controller, Manner, Script, Settings};
use nanming_simulators::gbt20999::Mode;
use tempfile::TempDir;

use crate::running::Running;

mod plans;

/// City time against the wall's; the controllers' clocks run as fast.
const SPEED: f64 = 30.0;
/// A controller runs its own plan when the centre is silent for so long, ms of its clock: 3 s of the wall's.
const CENTRE_LOST_MS: u64 = 90_000;
const SETTINGS: [(&str, &str); 9] = [
    ("TABLE", "controllers.toml"),
    ("REPLY_MS", "300"),
    ("RETRY_MS", "100"),
    ("RETRY_MAX_MS", "400"),
    ("POLL_MS", "100"),
    ("HEARTBEAT_MS", "200"),
    ("SILENT_MS", "2000"),
    ("SETTLE_MS", "1500"),
    ("DOWNLOAD_PLANS", "true"),
];

/// A controller for each junction of the small city, one for each script, and their table.
pub(crate) fn controllers(dir: &Path, scripts: [Script; 4]) -> Vec<Controller> {
    controllers_with(dir, scripts, "")
}

/// The same, with more settings in each row of the table.
fn controllers_with(dir: &Path, scripts: [Script; 4], more: &str) -> Vec<Controller> {
    let city: City = Running::lay_out(dir);
    let mut table = String::new();
    let start = |(id, (junction, script))| {
        let id = id as u32 + 1;
        let settings = Settings {
            id,
            speed: SPEED,
            centre_lost_ms: CENTRE_LOST_MS,
            boot_ms: 3_000,
            script,
            ..Settings::default()
        };
        let controller = Controller::start(junction, settings).unwrap();
        let (name, address) = (&junction.name, controller.address());
        writeln!(table, "[[controller]]\njunction = \"{name}\"\naddress = \"{address}\"\nid = {id}\n{more}").unwrap();
        controller
    };
    let started = city.junctions.iter().zip(scripts).enumerate().map(start).collect();
    std::fs::write(dir.join("controllers.toml"), table).unwrap();
    started
}

pub(crate) fn command() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_nanming"));
    command.envs(SETTINGS.map(|(name, value)| (format!("NANMING_CONTROLLERS__{name}"), value)));
    command
}

fn start(dir: TempDir) -> Running {
    start_as(command(), dir)
}

/// A city whose controllers all obey and are in its hands.
fn taken_over() -> (Running, Vec<Controller>) {
    let dir = tempfile::tempdir().unwrap();
    let all = controllers(dir.path(), std::array::from_fn(|_| Script::default()));
    let city = start(dir);
    city.wait_for("taking over", || all.iter().all(|controller| controller.seen().mode.is_centre()));
    (city, all)
}

pub(crate) fn start_as(command: Command, dir: TempDir) -> Running {
    Running::start_as(command, dir, &["--no-sim", "--speed", &SPEED.to_string()])
}

fn count(city: &Running, measure: &str) -> u64 {
    let text = city.text("/metrics");
    let line = text.lines().find_map(|line| line.strip_prefix(measure));
    line.and_then(|value| value.trim().parse().ok()).unwrap_or_else(|| panic!("{measure}"))
}

fn standing(city: &Running, state: &str) -> u64 {
    count(city, &format!("nanming_controllers{{state=\"{state}\"}}"))
}

#[test]
fn those_that_obey_are_led_and_those_that_refuse_are_silent_restart_or_lie_are_found() {
    let dir = tempfile::tempdir().unwrap();
    let plans = Running::lay_out(dir.path()).junctions[0].plans.len() as u32;
    let refuses = Script::of([(Manner::Obey, plans), (Manner::Refuse, u32::MAX)]);
    let lies = Script::of([(Manner::Obey, plans + 1), (Manner::Lie, u32::MAX)]);
    let all = controllers(dir.path(), [Script::default(), refuses, Script::default(), lies]);
    let [obeys, refuses, fails, lies] = all.as_slice() else { panic!() };
    let city = start(dir);
    city.wait_for("taking over", || obeys.seen().mode == Mode::CENTRE_ADAPTIVE && fails.seen().mode.is_centre());
    city.wait_for("stages of the engine", || obeys.seen().obeyed >= 2 && fails.seen().obeyed >= 1);
    assert_eq!(obeys.seen().plans.len(), plans as usize, "the city's plans are in it");

    city.wait_for("a refusal", || count(&city, "nanming_controller_orders_total{outcome=\"refused\"}") >= 2);
    assert!(refuses.seen().mode == Mode::LOCAL_FIXED && refuses.seen().obeyed == 0);

    city.wait_for("the lie", || count(&city, "nanming_controller_alarms_total{kind=\"lie\"}") == 1);
    city.wait_for("its own plan", || lies.seen().mode == Mode::LOCAL_FIXED && standing(&city, "distrusted") == 1);
    assert_eq!(lies.seen().obeyed, 0);

    fails.behave(Manner::Silent);
    city.wait_for("silence", || standing(&city, "unreachable") == 1);
    assert_eq!(count(&city, "nanming_controller_alarms_total{kind=\"unreachable\"}"), 1);
    city.wait_for("its own watchdog", || fails.seen().mode == Mode::LOCAL_FIXED && fails.seen().lost == 1);
    fails.behave(Manner::Obey);
    city.wait_for("coming back", || fails.seen().mode.is_centre());
    fails.behave(Manner::Reboot);
    city.wait_for("a restart", || fails.seen().boots == 2);
    fails.behave(Manner::Obey);
    city.wait_for("taking over anew", || fails.seen().mode.is_centre() && standing(&city, "centre") == 2);

    assert!(obeys.seen().mode.is_centre() && obeys.seen().lost == 0, "nobody else was disturbed");
    assert!(city.measures("nanming_envelope_violations_total 0"));
    city.end();
    assert!(!obeys.seen().mode.is_centre() && obeys.seen().lost == 0, "it was given back in good order");
}

#[test]
fn one_whose_lamps_conflict_in_its_own_plan_too_flashes_until_a_person_comes() {
    let (city, all) = taken_over();
    all[1].behave(Manner::Clash);
    city.wait_for("its own plan", || all[1].seen().mode == Mode::LOCAL_FIXED);
    city.wait_for("flashing", || all[1].seen().mode == Mode::FLASH && standing(&city, "flashing") == 1);
    let told = |kind: &str| count(&city, &format!("nanming_controller_alarms_total{{kind=\"{kind}\"}}"));
    assert_eq!((told("conflict"), told("flashing")), (1, 1));
    all[1].behave(Manner::Obey);
    assert!(all[1].by_hand(Mode::LOCAL_FIXED));
    city.wait_for("release", || standing(&city, "flashing") == 0 && standing(&city, "distrusted") == 1);
    city.wait_for("its own plan again", || all[1].seen().mode == Mode::LOCAL_FIXED);
    assert!(
        all.iter().filter(|controller| controller.seen().mode.is_centre()).count() == 3,
        "nobody else was disturbed"
    );
}

#[test]
fn an_engine_that_is_killed_leaves_every_junction_on_its_own_plan() {
    let (city, all) = taken_over();
    let dir = city.kill();
    let city = Running::start_in(dir, &["--no-sim"]);
    city.wait_for("their plans", || {
        all.iter().map(Controller::seen).all(|seen| seen.mode == Mode::LOCAL_FIXED && seen.lost == 1)
    });
}

#[test]
fn an_engine_that_ends_as_soon_as_it_has_begun_gives_every_junction_back() {
    let (city, all) = taken_over();
    let city = start(city.kill());
    city.wait_for("reach", || standing(&city, "centre") == 4);
    assert_eq!(city.interrupt().0, Some(0));
    for controller in all.iter().map(Controller::seen) {
        assert_eq!((controller.mode, controller.lost), (Mode::LOCAL_FIXED, 0));
    }
}

#[test]
fn whatever_controllers_do_the_engine_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let all = controllers(dir.path(), [1, 2, 3, 4].map(Script::seeded));
    let city = start(dir);
    city.wait_for("orders", || all.iter().map(|controller| controller.seen().orders).sum::<u32>() > 60);
    assert_eq!(city.get("/healthz").0, 200);
    assert!(city.measures("nanming_envelope_violations_total 0"));
    assert_eq!(city.interrupt().0, Some(0));
}

#[test]
fn a_table_that_makes_no_sense_is_told() {
    let dir = tempfile::tempdir().unwrap();
    Running::lay_out(dir.path());
    let told = |table: &str, options: &[&str]| {
        std::fs::write(dir.path().join("controllers.toml"), table).unwrap();
        let mut command = command();
        command.args(["run", "--city", "town.json", "--listen", "127.0.0.1:0"]).args(options).current_dir(dir.path());
        let ended = command.output().unwrap();
        assert_eq!(ended.status.code(), Some(1));
        String::from_utf8(ended.stderr).unwrap()
    };
    let row = "[[controller]]\njunction = \"nowhere\"\naddress = \"x:1\"\nid = 1\n";
    assert!(told(row, &["--no-sim"]).contains("controller 1: the city has no junction 'nowhere'"));
    assert!(told("", &[]).contains("--no-sim"), "the simulator has controllers of its own");
}
