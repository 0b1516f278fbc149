//! What became of the vehicles: SUMO's tripinfo output, all of it.

use serde::Serialize;

use super::SumoError;

/// Figures of a run. Means over vehicles; those that are still on their way, or could not even depart, are among them.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Trips {
    /// Time lost against free flow, and waited to depart, by each loaded vehicle, s.
    pub delay_s: f64,
    /// Time on the way, by each departed vehicle, s.
    pub trip_s: f64,
    /// Time standing, by each departed vehicle, s.
    pub wait_s: f64,
    /// Stops of each departed vehicle.
    pub stops: f64,
    /// Vehicles that stand at a time.
    pub queue: f64,
    /// Vehicles that reached their end.
    pub arrived: u64,
    /// Vehicles that departed.
    pub departed: u64,
    /// Vehicles that were to depart.
    pub loaded: u64,
}

/// Adds up the trips of a run that lasted so long.
pub(super) fn read(text: &str, lasted_s: f64) -> Result<Trips, SumoError> {
    let wrong = |what: String| SumoError::Trips(what);
    let document = roxmltree::Document::parse(text).map_err(|error| wrong(error.to_string()))?;
    let (mut trips, mut delay_s, mut trip_s, mut wait_s, mut stops) = (Trips::default(), 0.0, 0.0, 0.0, 0.0);
    for trip in document.root_element().children().filter(|e| e.has_tag_name("tripinfo")) {
        let signed = |name: &str| {
            let value = trip.attribute(name).and_then(|text| text.parse::<f64>().ok());
            value.ok_or_else(|| wrong(format!("a trip without {name}")))
        };
        // Of what has not happened SUMO writes -1.
        let number = |name: &str| signed(name).map(|value| value.max(0.0));
        trips.loaded += 1;
        trips.departed += u64::from(signed("depart")? >= 0.0);
        trips.arrived += u64::from(signed("arrival")? >= 0.0);
        delay_s += number("timeLoss")? + number("departDelay")?;
        trip_s += number("duration")?;
        wait_s += number("waitingTime")?;
        stops += number("waitingCount")?;
    }
    let each = |sum: f64, of: u64| if of == 0 { 0.0 } else { sum / of as f64 };
    Ok(Trips {
        delay_s: each(delay_s, trips.loaded),
        trip_s: each(trip_s, trips.departed),
        wait_s: each(wait_s, trips.departed),
        stops: each(stops, trips.departed),
        queue: wait_s / lasted_s,
        ..trips
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn those_on_their_way_and_those_that_could_not_depart_count() {
        let trip = |depart: f64, arrival: f64, duration: f64, loss: f64, waited: f64| {
            format!(
                "<tripinfo depart=\"{depart}\" arrival=\"{arrival}\" duration=\"{duration}\" timeLoss=\"{loss}\" \
                 departDelay=\"{waited}\" waitingTime=\"{}\" waitingCount=\"1\"/>",
                loss / 2.0
            )
        };
        let all =
            trip(0.0, 50.0, 50.0, 20.0, 1.0) + &trip(10.0, -1.0, 90.0, 60.0, 0.0) + &trip(-1.0, -1.0, -1.0, -1.0, 39.0);
        let trips = read(&format!("<tripinfos>{all}</tripinfos>"), 100.0).unwrap();
        let expected = Trips {
            delay_s: 40.0,
            trip_s: 70.0,
            wait_s: 20.0,
            stops: 1.5,
            queue: 0.4,
            arrived: 1,
            departed: 2,
            loaded: 3,
        };
        assert_eq!(trips, expected);
        assert_eq!(read("<tripinfos/>", 100.0).unwrap(), Trips::default());
        assert!(read("<tripinfos><tripinfo/></tripinfos>", 100.0).is_err() && read("<trip", 1.0).is_err());
    }
}
