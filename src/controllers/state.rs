//! What is known of a controller, and what can be said of it. Their names are those of the metrics.

use nanming_dataflows::event::Lamp;
use nanming_simulators::gbt20999::Mode;

/// How a controller stands to the centre.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reach {
    /// It does not answer.
    #[default]
    Unreachable,
    /// It follows the centre.
    Centre,
    /// It runs its own plan.
    Local,
    /// A person at the cabinet decides.
    Manual,
    /// It flashes, is all red or dark.
    Special,
    /// It was caught, and is left to its own plan.
    Distrusted,
    /// Its own plan was no safer, or it flashed at the engine's start: it flashes until a person sets it right.
    Flashing,
}

impl Reach {
    /// All of them, as metrics name them.
    pub const ALL: [(&'static str, Reach); 7] = [
        ("unreachable", Reach::Unreachable),
        ("centre", Reach::Centre),
        ("local", Reach::Local),
        ("manual", Reach::Manual),
        ("special", Reach::Special),
        ("distrusted", Reach::Distrusted),
        ("flashing", Reach::Flashing),
    ];

    /// What a mode says.
    pub(super) fn of(mode: Mode) -> Reach {
        match mode {
            Mode(0x15 | 0x25) => Reach::Manual,
            _ if mode.is_centre() => Reach::Centre,
            _ if mode.is_local() => Reach::Local,
            _ => Reach::Special,
        }
    }
}

/// What became of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The controller said yes.
    Accepted,
    /// It said no.
    Refused,
    /// It said nothing, and was told again.
    Repeated,
    /// It said nothing at all.
    Unanswered,
    /// It has no number for the stage.
    Unmapped,
}

impl Outcome {
    /// All of them, as metrics name them.
    pub const ALL: [(&'static str, Outcome); 5] = [
        ("accepted", Outcome::Accepted),
        ("refused", Outcome::Refused),
        ("repeated", Outcome::Repeated),
        ("unanswered", Outcome::Unanswered),
        ("unmapped", Outcome::Unmapped),
    ];
}

/// What somebody must hear of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Alarm {
    /// It does not answer any more.
    Unreachable,
    /// It shows other lamps than those of the stage that it tells.
    Lie,
    /// It shows lamps together that no stage does.
    Conflict,
    /// It accepted a stage and does not show it.
    Disobeyed,
    /// It shows a conflict in its own plan too, does not go back to it, or flashed at the engine's start.
    Flashing,
    /// It does not take a plan of the engine.
    PlanRefused,
    /// It reports an alarm or a fault of its own.
    Trouble,
    /// It sent bytes that are no frame.
    Frame,
    /// The engine orders nothing: the junction was given back.
    EngineSilent,
}

impl Alarm {
    /// All of them, as metrics name them.
    pub const ALL: [(&'static str, Alarm); 9] = [
        ("unreachable", Alarm::Unreachable),
        ("lie", Alarm::Lie),
        ("conflict", Alarm::Conflict),
        ("disobeyed", Alarm::Disobeyed),
        ("flashing", Alarm::Flashing),
        ("plan_refused", Alarm::PlanRefused),
        ("trouble", Alarm::Trouble),
        ("frame", Alarm::Frame),
        ("engine_silent", Alarm::EngineSilent),
    ];
}

/// What a controller last reported.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct State {
    /// How it stands to the centre.
    pub reach: Reach,
    /// Who decides there.
    pub mode: Option<Mode>,
    /// The plan in force there.
    pub plan: Option<u16>,
    /// The stage that it tells: row in the junction's stages.
    pub stage: Option<u16>,
    /// What its heads show.
    pub lamps: Vec<Lamp>,
}
