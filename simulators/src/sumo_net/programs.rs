//! `tlLogic` programs: states, stages and plans.

use nanming_dataflows::event::Lamp;
use nanming_dataflows::network::{Light, Plan, PlanStep};
use roxmltree::Node as Element;

use super::ImportError;
use super::attributes::{children, describe, seconds_ms, text, wrong};

/// A phase of a program.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Phase {
    /// How long it stands, ms.
    pub(super) duration_ms: u32,
    /// `minDur`, ms.
    pub(super) least_ms: Option<u32>,
    /// What each head shows.
    pub(super) lamps: Vec<Lamp>,
}

impl Phase {
    /// Whether it is a stage: it shows `G` or `g`, and no yellow.
    fn is_stage(&self) -> bool {
        let shows = |lamp| self.lamps.contains(&lamp);
        (shows(Lamp::Protected) || shows(Lamp::Permissive)) && !shows(Lamp::Yellow)
    }
    /// Its lights as a stage has them.
    pub(super) fn lights(&self) -> Vec<Light> {
        let light = |lamp: &Lamp| match lamp {
            Lamp::Protected => Light::Protected,
            Lamp::Permissive => Light::Permissive,
            Lamp::Red | Lamp::Yellow | Lamp::Off => Light::Red,
        };
        self.lamps.iter().map(light).collect()
    }
}

/// A program.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Program {
    /// `programID`.
    pub(super) name: String,
    /// `offset`, ms.
    pub(super) offset_ms: u32,
    /// Its phases.
    pub(super) phases: Vec<Phase>,
}

/// Reads a `tlLogic`.
pub(super) fn read(logic: Element<'_, '_>) -> Result<Program, ImportError> {
    let phases = children(logic, "phase").map(phase).collect::<Result<Vec<_>, _>>()?;
    if phases.is_empty() {
        return Err(ImportError::Missing { at: describe(logic), what: "element phase".into() });
    }
    let offset_s: f64 = super::attributes::optional(logic, "offset")?.unwrap_or(0.0);
    let cycle_ms = phases.iter().map(|p| p.duration_ms).sum::<u32>().max(1);
    // SUMO starts a program `offset` seconds late; a negative offset is early.
    let offset_ms = ((offset_s * 1000.0).round() as i64).rem_euclid(i64::from(cycle_ms)) as u32;
    Ok(Program { name: logic.attribute("programID").unwrap_or("0").to_string(), offset_ms, phases })
}

fn phase(source: Element<'_, '_>) -> Result<Phase, ImportError> {
    let missing = || ImportError::Missing { at: describe(source), what: "attribute duration".into() };
    let state = text(source, "state")?;
    Ok(Phase {
        duration_ms: seconds_ms(source, "duration")?.ok_or_else(missing)?,
        least_ms: seconds_ms(source, "minDur")?,
        lamps: lamps(state).ok_or_else(|| wrong(source, "state", state, "made of r, u, y, Y, g, G, s, o, O"))?,
    })
}

/// `s` beside `G` and `g` is a green; a phase of nothing but `s` and `r` is a red for all.
fn lamps(state: &str) -> Option<Vec<Lamp>> {
    let on_red_only = !state.contains(['G', 'g']);
    let lamp = |c: char| Lamp::from_char(if on_red_only && c == 's' { 'r' } else { c });
    state.chars().map(lamp).collect()
}

/// The distinct stages of all programs in order of appearance, as phases that show them.
pub(super) fn stage_phases(programs: &[Program]) -> Vec<&Phase> {
    let mut stages: Vec<&Phase> = Vec::new();
    for phase in programs.iter().flat_map(|p| &p.phases).filter(|p| p.is_stage()) {
        if !stages.iter().any(|s| s.lamps == phase.lamps) {
            stages.push(phase);
        }
    }
    stages
}

/// A program as a plan over those stages; none if it has no stage. Phases before its first stage go to its end.
pub(super) fn plan(program: &Program, stages: &[&Phase]) -> Option<Plan> {
    let stage_of = |phase: &Phase| stages.iter().position(|s| phase.is_stage() && s.lamps == phase.lamps);
    let first = program.phases.iter().position(|p| stage_of(p).is_some())?;
    let late_ms: u32 = program.phases[..first].iter().map(|p| p.duration_ms).sum();
    let mut steps: Vec<PlanStep> = Vec::new();
    for phase in program.phases[first..].iter().chain(&program.phases[..first]) {
        match (stage_of(phase), steps.last_mut()) {
            (Some(stage), _) => {
                steps.push(PlanStep { stage: stage as u16, green_ms: phase.duration_ms, intergreen_ms: 0 });
            }
            (None, Some(step)) => step.intergreen_ms += phase.duration_ms,
            (None, None) => {}
        }
    }
    let mut plan = Plan { name: program.name.clone(), offset_ms: 0, day_min: (0, 0), steps };
    plan.offset_ms = (program.offset_ms + late_ms) % plan.cycle_ms().max(1);
    Some(plan)
}

/// The longest phase that is red for all, ms; 0 if there is none.
pub(super) fn all_red_ms(programs: &[Program]) -> u32 {
    let phases = programs.iter().flat_map(|p| &p.phases);
    phases.filter(|p| p.lamps.iter().all(|l| *l == Lamp::Red)).map(|p| p.duration_ms).max().unwrap_or(0)
}
