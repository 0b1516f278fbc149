//! What this process uses, read from `/proc` (Linux; elsewhere nothing is told).

/// Memory and CPU of this process.
pub(super) struct Used {
    pub(super) resident_bytes: u64,
    pub(super) cpu_s: f64,
}

/// Reads both.
pub(super) fn used() -> Option<Used> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    Some(Used { resident_bytes: resident_bytes(&status)?, cpu_s: cpu_s(&stat)? })
}

fn resident_bytes(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|l| l.strip_prefix("VmRSS:"))?;
    let kib: u64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kib * 1024)
}

/// Fields 14 and 15 of proc(5) stat, user and system time, in 1/100 s; the name in field 2 may hold anything.
fn cpu_s(stat: &str) -> Option<f64> {
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks: u64 = fields.get(11)?.parse::<u64>().ok()? + fields.get(12)?.parse::<u64>().ok()?;
    Some(ticks as f64 / 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn proc_files_are_read() {
        assert_eq!(resident_bytes("Name:\tx\nVmRSS:\t  12 kB\n"), Some(12 * 1024));
        let stat = "1 (a ) b) S 1 2 3 4 5 6 7 8 9 10 150 50 0 0";
        assert_eq!(cpu_s(stat), Some(2.0));
    }
}
