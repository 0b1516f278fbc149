//! Files that may be packed by gzip: what they begin with says so, whatever their name.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Result};
use std::path::Path;

use flate2::read::MultiGzDecoder;

/// What gzip's files begin with.
const GZIP: [u8; 2] = [0x1F, 0x8B];
/// Read at a time.
const BLOCK: usize = 1 << 16;

/// Opens a file, packed or not.
pub(crate) fn open(path: &Path) -> Result<Box<dyn BufRead>> {
    let mut file = BufReader::with_capacity(BLOCK, File::open(path)?);
    let is_packed = file.fill_buf()?.starts_with(&GZIP);
    Ok(if is_packed { Box::new(BufReader::with_capacity(BLOCK, MultiGzDecoder::new(file))) } else { Box::new(file) })
}

/// The text of a file, packed or not.
pub(crate) fn read_to_string(path: &Path) -> Result<String> {
    let mut text = String::new();
    open(path)?.read_to_string(&mut text)?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    #[test]
    fn what_is_packed_is_unpacked_whatever_its_name() {
        let dir = tempfile::tempdir().unwrap();
        let (plain, packed) = (dir.path().join("a.xml.gz"), dir.path().join("b.xml"));
        std::fs::write(&plain, "<net/>").unwrap();
        let mut encoder = GzEncoder::new(File::create(&packed).unwrap(), Compression::fast());
        encoder.write_all(b"<net/>").unwrap();
        encoder.finish().unwrap();
        assert_eq!([&plain, &packed].map(|path| read_to_string(path).unwrap()), ["<net/>", "<net/>"]);
        std::fs::write(&plain, [0x1F, 0x8B, 8]).unwrap();
        assert!(read_to_string(&plain).is_err());
    }
}
