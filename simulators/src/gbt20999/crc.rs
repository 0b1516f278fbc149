//! The CRC of a frame.

/// CRC of 16 bits, highest bit first, without a final inversion.
pub(super) fn crc16(bytes: &[u8], polynomial: u16, initial: u16) -> u16 {
    bytes.iter().fold(initial, |crc, byte| {
        (0..8).fold(crc ^ (u16::from(*byte) << 8), |crc, _| {
            let shifted = crc << 1;
            if crc & 0x8000 == 0 { shifted } else { shifted ^ polynomial }
        })
    })
}
