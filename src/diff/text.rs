//! Differences for people.

use std::fmt::{Display, Formatter, Result};

use super::{Counts, Difference};

/// Junctions and assignments told of one by one.
const TOLD: usize = 20;

impl Display for Counts {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let Counts { same, differing, only_a, only_b } = self;
        write!(f, "{same} the same, {differing} differ, {only_a} only in A, {only_b} only in B")
    }
}

impl Display for Difference {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let Difference { same, signals, forecasts, crowds, assignments } = self;
        writeln!(f, "signals:     {}", signals.counts)?;
        for (junction, at) in signals.junctions.iter().take(TOLD) {
            writeln!(
                f,
                "  {junction}: {} differ, {} only in A, {} only in B, first at {}",
                at.differing, at.only_a, at.only_b, at.first_t_ms
            )?;
        }
        more(f, signals.junctions.len(), "junctions")?;
        writeln!(f, "forecasts:   {}", forecasts.counts)?;
        for (min, lead) in &forecasts.leads {
            writeln!(
                f,
                "  {min} min ahead: by {:.2} km/h and {:.3} of congestion in the mean",
                lead.kmh, lead.p_congested
            )?;
        }
        writeln!(f, "crowds:      {}", crowds.counts)?;
        for (venue, minutes) in crowds.surges.iter().take(TOLD) {
            writeln!(f, "  {venue}: a surge in one of them only, {minutes} times")?;
        }
        more(f, crowds.surges.len(), "venues")?;
        writeln!(f, "assignments: {}", assignments.counts)?;
        if let Some(later_s) = assignments.later_s {
            writeln!(f, "  {} to another unit, there {later_s:+.0} s later in the mean", assignments.other_unit)?;
        }
        for a in assignments.reassigned.iter().take(TOLD) {
            let ([from, to], [before_s, after_s]) = (&a.units, a.eta_s);
            writeln!(f, "  {} at {}: {from} ({before_s} s), then {to} ({after_s} s)", a.assignment, a.t_ms)?;
        }
        more(f, assignments.reassigned.len(), "assignments")?;
        writeln!(f, "{}", if *same { "The runs decided the same." } else { "The runs differ." })
    }
}

fn more(f: &mut Formatter<'_>, rows: usize, what: &str) -> Result {
    if rows > TOLD { writeln!(f, "  and {} more {what}: --json has them", rows - TOLD) } else { Ok(()) }
}
