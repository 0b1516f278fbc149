//! Holidays, and week-ends that are made up for.

use super::CityError;
use crate::network::City;
use crate::network::calendar::{date, is_weekend};

pub(super) fn check(city: &City) -> Result<(), CityError> {
    let wrong = |day: u32, complaint: &str| Err(CityError(format!("city {}: {} {complaint}", city.name, date(day))));
    for (name, days) in [("holidays", &city.holidays), ("working_weekends", &city.working_weekends)] {
        if let Some(day) = days.iter().enumerate().find(|(row, day)| days[..*row].contains(day)).map(|(_, day)| *day) {
            return wrong(day, &format!("twice in {name}"));
        }
    }
    if let Some(day) = city.working_weekends.iter().find(|day| city.holidays.contains(day)) {
        return wrong(*day, "both in holidays and in working_weekends");
    }
    match city.working_weekends.iter().find(|day| !is_weekend(i64::from(**day))) {
        Some(day) => wrong(*day, "is no Saturday and no Sunday, but in working_weekends: leave it out"),
        None => Ok(()),
    }
}
