//! A batch of JSON Lines. Good lines are taken whatever the bad ones are.

use super::{Refuse, Taken, Validator, stream_of};

impl Validator {
    /// Reads lines; `now_ms` is the city's clock.
    pub fn json_lines(&self, raw: &[u8], now_ms: u64, refuse: &mut Refuse<'_>) -> Taken {
        let mut taken = Taken::default();
        for line in raw.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii).filter(|line| !line.is_empty()) {
            match self.event(line, now_ms) {
                Ok(valid) => taken.take(valid),
                Err(unfit) => refuse(stream_of(line), unfit, line),
            }
        }
        taken
    }
}
