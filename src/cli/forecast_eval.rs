//! `nanming forecast-eval`: measures the forecaster on a table, and prints its figures.

use std::path::PathBuf;

use chrono::{NaiveDate, NaiveTime, Timelike};
use clap::{Args, ValueEnum};
use nanming_dataflows::decide::forecast::parts::Part;

use crate::forecast_eval::{Calendar, ForecastEvalError, Plan, forecast_eval as measure};

const EXAMPLES: &str = "\
Examples:
  nanming forecast-eval shenzhen.csv.gz --step 15m --start 2015-01-01 --horizons 1,2,3,4
  nanming forecast-eval losloop.csv.gz --step 5m --start 2012-03-01 --horizons 3,6,9,12 --adjacency losloop_adjacency.csv.gz
  nanming forecast-eval metro.csv.gz --step 10m --start 2019-01-01 --rows-per-day 108 --day-start 06:00 \\
      --horizons 1,2,3,4,5,6 --holidays 2019-01-01 --plots plots --json";

const DAY_MIN: u32 = 24 * 60;
/// The farthest step ahead that is forecast.
const FARTHEST: usize = 288;

/// Options of `nanming forecast-eval`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct ForecastEvalArgs {
    /// A table, .csv or .csv.gz: a row a time, a column a sensor; empty cells are missing values
    #[arg(value_name = "FILE.csv.gz")]
    table: PathBuf,
    /// Time from row to row, such as 15m or 1h
    #[arg(long = "step", value_name = "STEP", value_parser = step)]
    step_min: u32,
    /// Local day of the first row
    #[arg(long, value_name = "YYYY-MM-DD")]
    start: NaiveDate,
    /// Rows of a day [default: as many as fit between --day-start and midnight]
    #[arg(long, value_name = "N")]
    rows_per_day: Option<usize>,
    /// Time of a day's first row
    #[arg(long = "day-start", value_name = "HH:MM", default_value = "00:00", value_parser = time_of_day)]
    day_start_min: u32,
    /// Share of the rows on which nothing is scored; the forecaster learns on all
    #[arg(long, value_name = "SHARE", default_value = "0.8", value_parser = split)]
    split: f64,
    /// Rows ahead to tell of, with commas between
    #[arg(long, value_name = "N,M", default_value = "1,2,3,4", value_delimiter = ',', value_parser = horizon)]
    horizons: Vec<usize>,
    /// The first row that is scored is the Nth behind the warm-up [default: as many rows as an hour has]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    origin_lag: Option<u16>,
    /// Which sensors are near each other: a table of sensors x sensors, not zero where near
    #[arg(long, value_name = "FILE")]
    adjacency: Option<PathBuf>,
    /// What a zero means: nothing was observed, or a value as any other
    #[arg(long, value_enum, default_value_t)]
    zero: Zero,
    /// The table has rows of Monday to Friday only
    #[arg(long)]
    weekdays_only: bool,
    /// Parts of the model to leave out, with commas between, to see what they buy: neighbours, region, levels, together, own,
    /// units, day
    #[arg(long, value_name = "PART,..", value_delimiter = ',', value_parser = part)]
    without: Vec<Part>,
    /// Days that are like a Sunday, with commas between
    #[arg(long, value_name = "YYYY-MM-DD,..", value_delimiter = ',')]
    holidays: Vec<NaiveDate>,
    /// Saturdays and Sundays that are like a working day, with commas between
    #[arg(long, value_name = "YYYY-MM-DD,..", value_delimiter = ',')]
    working_days: Vec<NaiveDate>,
    /// The first row names the sensors, by numbers; names that are none are found without it
    #[arg(long)]
    header: bool,
    /// Draw errors, calibration and example days into this directory
    #[arg(long, value_name = "DIR")]
    plots: Option<PathBuf>,
    /// Print the figures as one JSON object instead of text
    #[arg(long)]
    json: bool,
}

/// What a zero means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Zero {
    /// Nothing was observed
    Missing,
    /// A value as any other
    #[default]
    Value,
}

impl ForecastEvalArgs {
    fn plan(&self) -> Result<Plan, ForecastEvalError> {
        let mut horizons = self.horizons.clone();
        horizons.sort_unstable();
        horizons.dedup();
        Ok(Plan {
            table: self.table.clone(),
            header: self.header,
            calendar: Calendar::new(
                self.start,
                self.step_min,
                self.day_start_min,
                self.rows_per_day,
                self.weekdays_only,
                &self.holidays,
                &self.working_days,
            )?,
            split: self.split,
            horizons,
            origin_lag: self.origin_lag.map_or((60 / self.step_min).max(1) as usize, usize::from),
            adjacency: self.adjacency.clone(),
            zero_is_missing: self.zero == Zero::Missing,
            without: self.without.clone(),
            plots: self.plots.clone(),
        })
    }
}

fn part(name: &str) -> Result<Part, String> {
    let names = || Part::NAMES.map(|(name, _)| name).join(", ");
    let found = Part::NAMES.iter().find(|(known, _)| *known == name);
    found.map(|(_, part)| *part).ok_or_else(|| format!("no part of the model; give some of {}", names()))
}

fn step(text: &str) -> Result<u32, String> {
    let number = |letter: char| text.strip_suffix(letter).and_then(|number| number.parse::<u32>().ok());
    let minutes = number('m').or_else(|| number('h').and_then(|hours| hours.checked_mul(60)));
    let minutes = minutes.filter(|minutes| *minutes > 0 && DAY_MIN.is_multiple_of(*minutes));
    minutes.ok_or_else(|| "write whole minutes or hours that divide a day, such as 5m, 15m or 1h".into())
}

fn time_of_day(text: &str) -> Result<u32, String> {
    let time = NaiveTime::parse_from_str(text, "%H:%M");
    time.map(|time| time.hour() * 60 + time.minute()).map_err(|_| "write a time of day such as 06:00".into())
}

fn split(text: &str) -> Result<f64, String> {
    let share = text.parse().ok().filter(|share: &f64| *share > 0.0 && *share < 1.0);
    share.ok_or_else(|| "write a share between 0 and 1, such as 0.8".into())
}

fn horizon(text: &str) -> Result<usize, String> {
    let rows = text.trim().parse().ok().filter(|rows| (1..=FARTHEST).contains(rows));
    rows.ok_or_else(|| format!("write rows ahead from 1 to {FARTHEST}, such as 1,2,3,4"))
}

/// Runs the command.
pub(super) fn forecast_eval(args: &ForecastEvalArgs) -> Result<(), Box<dyn std::error::Error>> {
    let report = measure(&args.plan()?)?;
    if args.json {
        say!("{}", serde_json::to_string(&report)?);
    } else {
        put!("{report}");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_divide_a_day() {
        assert_eq!(["15m", "5m", "1h", "24h"].map(step), [Ok(15), Ok(5), Ok(60), Ok(1440)]);
        assert!(["7m", "0m", "15", "m", "-5m", "5h", "99999999h"].into_iter().all(|text| step(text).is_err()));
    }

    #[test]
    fn an_hour_of_rows_comes_first() {
        use clap::Parser;
        #[derive(Parser)]
        struct Only {
            #[command(flatten)]
            args: ForecastEvalArgs,
        }
        let plan = |line: &str| {
            let words = ["x", "t.csv", "--start", "2015-01-01"].into_iter().chain(line.split(' '));
            Only::try_parse_from(words).unwrap().args.plan().unwrap()
        };
        assert_eq!(["15m", "5m", "2h"].map(|step| plan(&format!("--step {step}")).origin_lag), [4, 12, 1]);
        assert_eq!(plan("--step 5m --origin-lag 3 --horizons 6,3,6").horizons, [3, 6]);
    }
}
