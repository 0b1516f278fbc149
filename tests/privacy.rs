//! A clear plate is in nothing that a city writes, whatever way it came.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::json;

use crate::running::{Running, lines};

/// The plate that is planted, and what of it tells who it is.
const PLATE: &str = "贵AZ9Q8X7";
const TELLING: &str = "AZ9Q8X7";
const ZSTD: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

#[test]
fn a_planted_plate_is_in_no_file() {
    let program = env!("CARGO_BIN_EXE_nanming");
    let mut logged = Command::new("bash");
    logged.args(["-c", r#"exec "$0" "$@" 2> >(tee log.txt >&2)"#, program]).env("NANMING_INGEST__PLATE_KEY", "k");
    let options = ["--record", "rec", "--jsonl", "out", "--start", "08:00", "--speed", "20", "--log", "debug"];
    let city = Running::start_as(logged, tempfile::tempdir().unwrap(), &options);
    let camera = city.city.cameras[0].name.clone();
    let passage = |plate: &str, camera: &str| {
        json!({"type": "passage", "camera": camera, "plate": plate, "speed_kmh": 40}).to_string()
    };
    let body = [
        passage(PLATE, &camera),
        passage("贵A·Z9Q8X7", &camera),
        passage(PLATE, "marker-nowhere"),
        passage(PLATE, &camera).replace("40", "4000"),
        passage(PLATE, &camera).replace('}', ""),
        passage(PLATE, &camera).replace("plate", "plate_no"),
        format!("garbage {PLATE} garbage"),
        r#"{"type":"passage","what":"\u8d35AZ9Q8X7"}"#.to_owned(),
        format!("{}{}", " ".repeat(4_085), PLATE),
    ]
    .join("\n");
    let (_, answer) = city.post("/api/ingest", &body);
    assert_eq!(answer["accepted"], 3, "{answer}");
    for path in [format!("/calls/{TELLING}"), format!("/%E8%B4%B5{TELLING}?plate={TELLING}")] {
        assert!(city.get(&path).0 >= 400);
    }
    assert!(city.post(&format!("/calls?plate={TELLING}"), &format!("{{\"plate\":\"{PLATE}\"")).0 >= 400);
    let letters = city.dir.path().join("dead_letters.jsonl");
    city.wait_for("letters", || lines(&letters).len() >= 6);
    city.wait_for("commands", || !lines(&city.dir.path().join("out/signals.jsonl")).is_empty());
    city.post("/calls", &city.alarm(0, json!({})));
    let dir = city.end();

    let files = files(dir.path());
    let named = |part: &str| files.iter().any(|file| file.to_string_lossy().contains(part));
    for part in ["rec/", "out/", "dead_letters", "log.txt", "ledger.sqlite"] {
        assert!(named(part), "{part} is not among {files:?}");
    }
    assert!(holds(&std::fs::read(&letters).unwrap(), "marker-nowhere"), "the search finds what is there");
    for file in &files {
        let bytes = std::fs::read(file).unwrap();
        assert!(!holds(&bytes, TELLING), "the plate is in {}", file.display());
    }
}

#[test]
fn a_vehicle_is_looked_up_for_a_case_by_two_persons_and_the_audit_shows_it() {
    let keyed = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_nanming"));
        command.env("NANMING_INGEST__PLATE_KEY", "k");
        command
    };
    let city = Running::start_as(keyed(), tempfile::tempdir().unwrap(), &["--no-sim", "--record", "rec"]);
    let camera = city.city.cameras[0].name.clone();
    for plate in [PLATE, "贵A00001"] {
        let passage = json!({"type": "passage", "camera": camera, "plate": plate, "speed_kmh": 40}).to_string();
        assert_eq!(city.post("/api/ingest", &passage).1["accepted"], 1);
    }
    city.wait_for("passages", || city.measures("nanming_events_total{stream=\"passages\"} 2"));
    let run = |dir: &Path, arguments: &[&str]| {
        let books = ["--ledger", "ledger.sqlite", "--city", "town.json"];
        let out = keyed().args(["lookup"]).args(arguments).args(books).current_dir(dir).output().unwrap();
        (out.status.success(), String::from_utf8(out.stdout).unwrap() + &String::from_utf8(out.stderr).unwrap())
    };
    let span = ["--from", "2020-01-01T00:00:00+08:00", "--until", "2099-01-01T00:00:00+08:00"];
    let asking = [&["request", "--plate", "贵a·z9q8x7", "--case", "2026-17", "--by", "Li Na"][..], &span].concat();
    let (done, told) = run(city.dir.path(), &asking);
    assert!(done, "beside a running city: {told}");
    let number = told.lines().next().unwrap().to_owned();
    let result = ["result", &number, "--by", "Li Na", "--recording", "rec"];
    let dir = city.end();
    assert!(run(dir.path(), &result).1.contains("not approved"));
    assert!(run(dir.path(), &["approve", &number, "--by", "li na"]).1.contains("a second person"));
    assert!(run(dir.path(), &["approve", &number, "--by", "Wang Fang"]).0);
    let (done, told) = run(dir.path(), &result);
    assert!(done && told.lines().count() == 1 && told.contains(&camera), "one passage, not the other's: {told}");

    let audit = |words: &[&str]| {
        let shown =
            keyed().args(["audit"]).args(words).args(["--ledger", "ledger.sqlite"]).current_dir(dir.path()).output();
        String::from_utf8(shown.unwrap().stdout).unwrap()
    };
    let shown = audit(&["show", "--kind", "lookup"]);
    for word in ["requested", "refused", "approved", "told", "2026-17", "Li Na", "Wang Fang"] {
        assert!(shown.contains(word), "{word} is not in {shown}");
    }
    assert!(!holds(shown.as_bytes(), TELLING) && audit(&["verify"]).contains("agree"));
}

#[test]
fn the_search_finds_a_plate_however_it_is_written() {
    let utf16: Vec<u8> = TELLING.encode_utf16().flat_map(u16::to_be_bytes).collect();
    let packed = zstd::bulk::compress(format!("x {TELLING} x").repeat(50).as_bytes(), 3).unwrap();
    for bytes in [
        b"x az9q8x7 x".to_vec(),
        utf16,
        b"x 415A39513858 37".iter().filter(|b| **b != b' ').copied().collect(),
        [b"head".as_slice(), &packed, b"tail"].concat(),
    ] {
        assert!(holds(&bytes, TELLING), "{bytes:?}");
    }
    assert!(!holds(b"AZ9Q8X8", TELLING));
}

fn files(dir: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

/// Whether a word is among bytes: as text, UTF-16, hexadecimal digits, in whatever case, and within what is packed by zstd.
fn holds(bytes: &[u8], word: &str) -> bool {
    let hex: String = word.bytes().map(|byte| format!("{byte:02x}")).collect();
    let low: Vec<u8> = bytes.to_ascii_lowercase();
    let utf16 = |order: fn(u16) -> [u8; 2]| word.to_lowercase().encode_utf16().flat_map(order).collect::<Vec<u8>>();
    let forms = [word.to_lowercase().into_bytes(), utf16(u16::to_le_bytes), utf16(u16::to_be_bytes), hex.into_bytes()];
    forms.iter().any(|form| memchr::memmem::find(&low, form).is_some())
        || unpacked(bytes).any(|part| holds(&part, word))
}

fn unpacked(bytes: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    memchr::memmem::find_iter(bytes, &ZSTD).filter_map(|at| {
        let mut out = Vec::new();
        // The frame ends before the file does: what comes after it is of no interest.
        let mut decoder = zstd::stream::read::Decoder::new(&bytes[at..]).ok()?.single_frame();
        std::io::Read::read_to_end(&mut decoder, &mut out).ok()?;
        Some(out)
    })
}
