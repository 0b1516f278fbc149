//! Makes Rust types of the Protobuf schema in `proto/`, without `protoc`.
//! Builds the operators' page from `web/` with Node.js and embeds it. Without Node.js, or with `NANMING_SKIP_WEB=1`, a
//! page that was built before is embedded, or a small one that says how to get it: the engine runs all the same.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs, io};

/// Each is there, built or not.
const PAGES: [&str; 4] = ["/index.html", "/travel.html", "/terminal.html", "/roster.html"];

const MISSING: &str = include_str!("src/http/missing_page.html");

/// The Protobuf schema: what comes in, and what goes out.
const SCHEMA: [&str; 2] = ["nanming/v1/events.proto", "nanming/v1/decisions.proto"];

fn main() {
    println!("cargo:rerun-if-env-changed=NANMING_SKIP_WEB");
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=src/http/missing_page.html");
    protobuf().unwrap_or_else(|error| panic!("proto/: {error}"));
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default());
    let out = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default());
    let web = root.join("web");
    watch(&web);
    let skip = env::var_os("NANMING_SKIP_WEB").is_some_and(|value| !value.is_empty() && value != "0");
    if !skip
        && web.join("package.json").exists()
        && let Err(complaint) = build(&web)
    {
        println!("cargo:warning=the operators' page was not built: {complaint}");
    }
    let listing = list(&web.join("dist"));
    fs::write(out.join("page.rs"), listing).unwrap_or_else(|error| panic!("page.rs cannot be written: {error}"));
}

/// Rows can be shown as JSON, for dead letters.
fn protobuf() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo:rerun-if-changed=proto");
    let schema = protox::compile(SCHEMA, ["proto"])?;
    prost_build::Config::new().type_attribute(".", "#[derive(serde::Serialize)]").compile_fds(schema)?;
    Ok(())
}

/// Rebuild when a source of the page changes; what the build itself writes does not count.
fn watch(web: &Path) {
    let made = ["dist", "node_modules", "test", "test-results"];
    for entry in fs::read_dir(web).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if !made.contains(&name.as_ref()) && !name.starts_with('.') {
            println!("cargo:rerun-if-changed=web/{name}");
        }
    }
}

/// One build at a time in a folder, however many cargos run.
fn build(web: &Path) -> Result<(), String> {
    let _lock = fs::File::open(web).and_then(|folder| folder.lock().map(|()| folder));
    let installed = modified(&web.join("node_modules/.package-lock.json"));
    if installed.is_none() || installed < modified(&web.join("package-lock.json")) {
        npm(web, &["ci", "--no-audit", "--no-fund"])?;
    }
    npm(web, &["run", "build"])
}

fn npm(web: &Path, arguments: &[&str]) -> Result<(), String> {
    let done = Command::new("npm").args(arguments).current_dir(web).output();
    match done {
        Ok(output) if output.status.success() => Ok(()),
        Ok(output) => {
            let text = String::from_utf8_lossy(if output.stderr.is_empty() { &output.stdout } else { &output.stderr })
                .into_owned();
            let last: Vec<&str> = text.lines().rev().take(5).collect();
            Err(format!(
                "npm {} failed: {}",
                arguments.join(" "),
                last.into_iter().rev().collect::<Vec<_>>().join(" | ")
            ))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            Err("there is no npm; install Node.js 20 or later and build again".into())
        }
        Err(error) => Err(format!("npm cannot be run: {error}")),
    }
}

fn modified(path: &Path) -> Option<std::time::SystemTime> {
    fs::metadata(path).and_then(|m| m.modified()).ok()
}

/// Rust source of the table of files.
fn list(dist: &Path) -> String {
    let mut files = Vec::new();
    collect(dist, dist, &mut files);
    files.sort();
    let mut source = String::from("pub(super) static PAGE: &[(&str, &[u8])] = &[\n");
    for (path, file) in &files {
        // Writing to a string cannot fail.
        let _ = writeln!(source, "    ({path:?}, include_bytes!({file:?})),");
    }
    for page in PAGES.into_iter().filter(|page| !files.iter().any(|(path, _)| path == page)) {
        let _ = writeln!(source, "    ({page:?}, {MISSING:?}.as_bytes()),");
    }
    source.push_str("];\n");
    source
}

fn collect(dist: &Path, folder: &Path, files: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            collect(dist, &path, files);
        } else if let Ok(inside) = path.strip_prefix(dist) {
            let name = inside.to_string_lossy().replace('\\', "/");
            if !name.ends_with(".map") {
                files.push((format!("/{name}"), path.to_string_lossy().into_owned()));
            }
        }
    }
}
