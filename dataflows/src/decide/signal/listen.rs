//! A controller that the engine does not lead: it is listened to until it can be taken over.
//!
//! So it is at the start, and again whenever a controller that was taken over says that somebody else decides there: it fell
//! back to its own plan, a person switched it, it flashes. What was ordered counts no more then, what it shows does.

use super::*;

/// A controller that has not said for so long what it shows is taken to be dark, ms: one of its reports, each 30 s, may be late.
pub(super) const LISTEN_MS: u64 = 65_000;
/// One that runs its own plan is taken over when it next begins a stage, or after so long, ms.
const OWN_PLAN_MS: u64 = 150_000;
/// One that is in fault, or in the hands of a person, is left alone for so long after it last said so: three reports, ms.
const LEFT_ALONE_MS: u64 = 100_000;
/// So long after it was taken over a controller may still say that somebody else decides: its report, or the order to it, was
/// under way, ms.
const UNDER_WAY_MS: u64 = 10_000;

/// What a controller said: when, ms; who decides; what each head shows.
pub(super) type Report = (u64, ControlMode, Vec<Lamp>);

impl Signal {
    /// The controller says what it shows. One that was taken over and does not follow has left, if it still says so when no
    /// report is under way any more.
    pub(super) fn learn(&mut self, junction: &Junction, at_ms: u64, mode: ControlMode, lamps: &[Lamp]) {
        if lamps.len() != junction.heads.len() || at_ms < self.reported_ms {
            return;
        }
        self.reported_ms = at_ms;
        let report = (at_ms, mode, lamps.to_vec());
        match self.phase {
            Phase::Listening { until_ms } => self.listen(junction, report, until_ms.unwrap_or(at_ms)),
            _ => self.stray = Some(report).filter(|_| mode != ControlMode::Centre),
        }
    }

    /// Lets a controller go that has left: what was ordered counts no more, what it shows does.
    pub(super) fn let_go(&mut self, junction: &Junction, now: Time) {
        if now >= self.taken_ms + UNDER_WAY_MS
            && let Some(report) = self.stray.take()
        {
            self.shown = Shown::dark(junction.heads.len());
            let at_ms = report.0;
            self.listen(junction, report, at_ms);
        }
    }

    /// One that waits for the centre's next order is taken over at once. One that runs its own plan goes on by itself
    /// meanwhile: it is taken over as a stage begins, which then stands longer than an order is under way; without such a
    /// beginning at `until_ms`.
    fn listen(&mut self, junction: &Junction, (at_ms, mode, lamps): Report, until_ms: u64) {
        let before = std::mem::replace(&mut self.shown, Shown::seen(junction, at_ms, &lamps));
        let begins = !before.is_dark() && before.lamps() != lamps && self.shown.stage().is_some();
        let until_ms = match mode {
            ControlMode::Centre => at_ms,
            ControlMode::Fault | ControlMode::Manual => at_ms + LEFT_ALONE_MS,
            ControlMode::Local if begins => at_ms,
            ControlMode::Local if before.is_dark() => at_ms + OWN_PLAN_MS,
            ControlMode::Local => until_ms.max(at_ms),
        };
        self.phase = Phase::Listening { until_ms: Some(until_ms) };
    }
}

impl Desk<'_> {
    /// Tells of units that come meanwhile: nobody can turn the lights for them.
    pub(super) fn listen(&mut self, signal: &mut Signal) {
        for unit in signal.claims.not_served(self.tick) {
            let unserved = Unserved { junction: self.junction.id, time_ms: self.tick, unit };
            self.out.emit(SignalSaid::Unserved(unserved));
        }
    }

    /// Takes over: a stage that stands goes on, anything else changes to the stage of the plan; out of the dark all show red
    /// first. What was said too long ago is not known any more, and what cannot be so is not believed.
    pub(super) fn take_over(&mut self, signal: &mut Signal) {
        if self.tick > signal.reported_ms + LISTEN_MS || signal.shown.clashes(self.junction) {
            signal.shown = Shown::dark(self.junction.heads.len());
        }
        let to = plan::stage_at(self.city, self.junction, self.tick);
        let reason = StageReason::LocalPlan;
        (signal.taken_ms, signal.is_new, signal.told, signal.stray) = (self.tick, true, None, None);
        signal.clearings = 0;
        signal.demand.begin(self.tick);
        signal.watch.begin();
        signal.next_decision = self.tick + 1 + u64::from(self.junction.id.0) * 97 % DECIDE_MS;
        if let Some(stage) = signal.shown.stage() {
            let lamps = stage_lamps(self.junction, stage);
            self.show(signal, &lamps, stage, Interval::Green, reason);
            signal.phase = Phase::Green { stage, since_ms: self.tick };
        } else {
            // Who shows red already has perhaps just begun to.
            let red_ms = signal.shown.at_ms() + u64::from(self.junction.all_red_ms);
            let until_ms = signal.shown.settled_ms(self.junction).max(red_ms);
            let steps = self.steps(&signal.shown, to);
            signal.phase = Phase::Changing { to, reason, steps, until_ms };
        }
    }
}
