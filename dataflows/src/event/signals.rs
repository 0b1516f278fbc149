//! What controllers report.

use serde::{Deserialize, Serialize};

use crate::ids::JunctionId;

/// What a head shows at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Lamp {
    /// Stop (`r`).
    Red,
    /// About to stop (`y`).
    Yellow,
    /// Go, protected (`G`).
    Protected,
    /// Go, giving way (`g`).
    Permissive,
    /// Flashing yellow or dark (`o`): priority rules hold.
    Off,
}

impl Lamp {
    /// The character of SUMO's state strings.
    pub fn to_char(self) -> char {
        match self {
            Lamp::Red => 'r',
            Lamp::Yellow => 'y',
            Lamp::Protected => 'G',
            Lamp::Permissive => 'g',
            Lamp::Off => 'o',
        }
    }
    /// Reads a character of SUMO's state strings; red-yellow (`u`) counts as red, `O` as off.
    pub fn from_char(c: char) -> Option<Lamp> {
        Some(match c {
            'r' | 'u' => Lamp::Red,
            'y' | 'Y' => Lamp::Yellow,
            'G' => Lamp::Protected,
            'g' | 's' => Lamp::Permissive,
            'o' | 'O' => Lamp::Off,
            _ => return None,
        })
    }
    /// Whether it lets traffic go.
    pub fn is_green(self) -> bool {
        matches!(self, Lamp::Protected | Lamp::Permissive)
    }
}

/// Who decides at a controller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ControlMode {
    /// It follows the engine's commands.
    Centre,
    /// It runs its own plan.
    Local,
    /// It is off, flashing or broken.
    Fault,
    /// A person at the cabinet decides.
    Manual,
}

/// A controller reported its lamps.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct SignalFeedback {
    /// When.
    pub time_ms: u64,
    /// Which junction.
    pub junction: JunctionId,
    /// Who decides there.
    pub mode: ControlMode,
    /// What each head shows; as long as its heads.
    pub lamps: Vec<Lamp>,
}

/// Somebody holds a stage at a junction, or lets it go. The last word on a junction counts.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct StageHold {
    /// When it was said.
    pub time_ms: u64,
    /// Which junction.
    pub junction: JunctionId,
    /// The stage that is held, row in the junction's stages; none: what is held ends.
    pub stage: Option<u16>,
    /// Until when it is held at most, ms; of no meaning without a stage.
    pub until_ms: u64,
    /// Who said so: a desk, a platform.
    pub by: String,
}
