//! A town of 499 signals.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// One vehicle each so many seconds: 14,400 in an hour.
const PERIOD_S: &str = "0.25";
/// Trips as they are in a town: many come from outside or go there, and none is a walk.
const TRIPS: [&str; 6] = ["--fringe-factor", "3", "--min-distance", "800", "--seed", "1"];

/// Makes the town and an hour of traffic in a directory, by SUMO's own tools; its configuration.
pub(crate) fn build(sumo: &Path, checks: &Path, dir: &Path) -> Result<PathBuf, String> {
    let maker = checks.join("town499_net.py");
    let home = sumo.parent().and_then(Path::parent).ok_or("SUMO lies nowhere")?;
    let trips = home.join("tools/randomTrips.py");
    let missing = [&maker, &trips].into_iter().find(|path| !path.is_file());
    missing.map_or(Ok(()), |path| Err(format!("it is made by {}, which is not there", path.display())))?;
    let python = super::rules::python(sumo, "sumolib").ok_or("no Python with sumolib: pip install sumolib")?;
    let paths = std::env::var_os("PATH").unwrap_or_default();
    let with_tools = std::iter::once(home.join("bin")).chain(std::env::split_paths(&paths));
    let path = std::env::join_paths(with_tools).map_err(|error| error.to_string())?;
    let run = |command: &mut Command| {
        println!("  $ {}", format!("{command:?}").replace('"', ""));
        command.env("PATH", &path).env("SUMO_HOME", home).current_dir(dir);
        let done = command.stdin(Stdio::null()).stdout(Stdio::null()).output().map_err(|error| error.to_string())?;
        if done.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&done.stderr).into_owned()) }
    };
    run(Command::new(&python)
        .arg(std::path::absolute(maker).map_err(|e| e.to_string())?)
        .args(["--out", "./town499"]))?;
    run(Command::new(&python)
        .arg(trips)
        .args(["-n", "town499.net.xml", "-b", "0", "-e", "3600", "-p", PERIOD_S])
        .args(TRIPS)
        .args(["--validate", "-r", "town499.rou.xml", "-o", "trips.xml"]))?;
    let config = "<configuration><input><net-file value=\"town499.net.xml\"/><route-files value=\"town499.rou.xml\"/></input>\
                  <time><begin value=\"0\"/><end value=\"3600\"/></time></configuration>\n";
    let path = dir.join("town499.sumocfg");
    std::fs::write(&path, config).map_err(|error| error.to_string())?;
    Ok(path)
}
