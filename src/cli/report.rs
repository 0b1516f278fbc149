//! `nanming report`: how fast calls were answered, in the columns of the 110 bulletins.

use chrono::NaiveDate;
use clap::Args;

use super::books::BooksArgs;
use crate::config::Config;
use crate::response_report::Report;

/// Options of `nanming report`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  nanming report --day 2026-01-06\n  nanming report --ledger ledger.sqlite --json")]
pub struct ReportArgs {
    #[command(flatten)]
    books: BooksArgs,
    /// Only calls raised on this local day, such as 2026-01-06
    #[arg(long, value_name = "DATE")]
    day: Option<NaiveDate>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// Runs the command. It only reads, and works beside a running city.
pub(super) fn report(args: &ReportArgs, config: &Config) -> Result<(), Box<dyn std::error::Error>> {
    let (book, _, offset_min) = args.books.open(config)?;
    let span = args.day.map(|day| day_ms(day, offset_min));
    let report = Report::of(&book.responses(span)?);
    if args.json {
        say!("{}", serde_json::to_string(&report)?);
    } else {
        put!("{report}");
    }
    Ok(())
}

/// From when until when a local day lasts, ms since the Unix epoch.
pub(super) fn day_ms(day: NaiveDate, offset_min: i32) -> (u64, u64) {
    const DAY_MS: i64 = 86_400_000;
    let days = (day - NaiveDate::default()).num_days();
    let from = days * DAY_MS - i64::from(offset_min) * 60_000;
    let ms = |time: i64| u64::try_from(time).unwrap_or_default();
    (ms(from), ms(from + DAY_MS))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_local_day_begins_at_local_midnight() {
        let day = NaiveDate::from_ymd_opt(2026, 1, 6).unwrap();
        assert_eq!(day_ms(day, 480), (1_767_628_800_000, 1_767_715_200_000));
        assert_eq!(day_ms(day, 0).0, 1_767_657_600_000);
        assert_eq!(day_ms(NaiveDate::default(), 480).0, 0, "none is before the epoch");
    }
}
