//! Where SUMO is.

use std::path::{Path, PathBuf};

use super::SumoError;

/// The program that was given, or that of `SUMO_HOME`, or the first one on the path.
///
/// # Errors
/// [`SumoError::NoSumo`] says how to get one.
pub fn find(given: Option<&Path>) -> Result<PathBuf, SumoError> {
    if let Some(given) = given {
        let inside = [given.to_path_buf(), given.join("sumo"), given.join("bin/sumo")];
        return first(inside).ok_or_else(|| SumoError::NotSumo(given.to_path_buf()));
    }
    let home = std::env::var_os("SUMO_HOME").map(|home| Path::new(&home).join("bin/sumo"));
    let path = std::env::var_os("PATH").unwrap_or_default();
    first(home.into_iter().chain(std::env::split_paths(&path).map(|dir| dir.join("sumo")))).ok_or(SumoError::NoSumo)
}

fn first(candidates: impl IntoIterator<Item = PathBuf>) -> Option<PathBuf> {
    let found = candidates.into_iter().find(|path| path.is_file())?;
    Some(behind_script(&found).unwrap_or(found))
}

/// pip puts a script of Python before the program. The program itself is to be started: it ends when it is told to.
fn behind_script(found: &Path) -> Option<PathBuf> {
    let packages = found.canonicalize().ok()?.parent()?.parent()?.join("lib");
    let pythons = std::fs::read_dir(packages).ok()?.filter_map(Result::ok).map(|python| python.path());
    pythons.map(|python| python.join("site-packages/sumo/bin/sumo")).find(|path| path.is_file())
}

/// What `SUMO_HOME` is to be for a program: it looks for the schemas of its files there.
pub(super) fn home(program: &Path) -> Option<PathBuf> {
    program.parent()?.parent().filter(|home| home.join("data").is_dir()).map(Path::to_path_buf)
}
