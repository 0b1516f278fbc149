//! One of the engine's decoders under libFuzzer: the one that `NANMING_DECODER` names. Without a name all of them are listed,
//! each with its longest input, bytes, and the memory that it may take, MiB. With `NANMING_SEEDS` the seeds of the decoder
//! go into that directory, and the words in them into a dictionary beside it.
#![no_main]

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use nanming::fuzzing::{DECODERS, Decoder, decoder};

static CHOSEN: LazyLock<&'static Decoder> = LazyLock::new(|| {
    let name = std::env::var("NANMING_DECODER").unwrap_or_default();
    decoder(&name).unwrap_or_else(|| {
        DECODERS.iter().for_each(|one| println!("{} {} {}", one.name, one.longest, one.memory_mib));
        std::process::exit(if name.is_empty() { 0 } else { 2 })
    })
});

/// Words in dictionaries are at most so long, bytes, as libFuzzer has it.
const WORD: usize = 60;

fuzz_target!(
    init: {
        let chosen = *CHOSEN;
        if let Some(dir) = std::env::var_os("NANMING_SEEDS") {
            write(&(chosen.seeds)(), Path::new(&dir)).expect("seeds cannot be written");
            std::process::exit(0);
        }
    },
    |bytes: &[u8]| (CHOSEN.decode)(bytes)
);

fn write(seeds: &[Vec<u8>], dir: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(dir)?;
    for (row, seed) in seeds.iter().enumerate() {
        std::fs::write(dir.join(format!("seed-{row}")), seed)?;
    }
    let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | 0x80..);
    let words = seeds.iter().flat_map(|seed| seed.split(|byte| !is_word(byte)));
    let words: BTreeSet<&[u8]> = words.filter(|word| (2..=WORD).contains(&word.len())).collect();
    let escaped = |word: &[u8]| word.iter().map(|byte| format!("\\x{byte:02x}")).collect::<String>();
    let lines: String = words.into_iter().map(|word| format!("\"{}\"\n", escaped(word))).collect();
    std::fs::write(dir.with_extension("words"), lines)
}
