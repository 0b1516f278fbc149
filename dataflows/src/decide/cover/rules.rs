//! What is thought worth a drive.

/// Settings of the advice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rules {
    /// A grid is reached in time within these, shortest first, ms; the last is the target.
    pub rings_ms: Vec<u32>,
    /// No move is advised that gains less within the target, 1/1,000,000 of all demand.
    pub least_gain_ppm: u32,
    /// Nothing is advised where a larger share of the units is engaged, 1/1,000,000: those at hand are held for calls that wait.
    pub most_busy_ppm: u64,
    /// Nobody is advised to drive longer, ms.
    pub most_drive_ms: u32,
    /// Units of a region that are advised at a time.
    pub moves: usize,
    /// A unit is left in peace for so long after its advice, ms.
    pub rest_ms: u64,
    /// Advice holds for twice the drive and so long, ms.
    pub patience_ms: u64,
}

impl Default for Rules {
    fn default() -> Self {
        Rules {
            rings_ms: vec![240_000, 360_000, 480_000],
            least_gain_ppm: 25_000,
            most_busy_ppm: 600_000,
            most_drive_ms: 900_000,
            moves: 2,
            rest_ms: 600_000,
            patience_ms: 300_000,
        }
    }
}
