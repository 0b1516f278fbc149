//! What SUMO tells of what was subscribed.

use super::wire::Reader;
use super::{ControlledLink, TraciError, number};

/// Something that SUMO told.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Heard<'a> {
    /// The simulation's time, s.
    Time(f64),
    /// A vehicle entered the streets.
    Departed(&'a str),
    /// A vehicle reached its end.
    Arrived(&'a str),
    /// Where a vehicle is.
    Vehicle(&'a str, VehicleAt<'a>),
    /// What a traffic light shows.
    Light(&'a str, &'a str),
}

/// Where a vehicle is.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct VehicleAt<'a> {
    /// Its lane; of a junction if it begins with a colon, empty where it is on none.
    pub lane: &'a str,
    /// How far its front is from the lane's beginning, m.
    pub at_m: f64,
    /// How fast it is, m/s.
    pub speed_m_s: f64,
    /// Its class, such as `passenger`.
    pub class: &'a str,
}

/// Reads what is told of one thing. A variable that SUMO could not give is passed over.
pub(super) fn subscription(answer: &mut Reader<'_>, hear: &mut impl FnMut(Heard<'_>)) -> Result<(), TraciError> {
    let (command, mut told) = answer.command()?;
    let (name, variables) = (told.text()?, told.byte()?);
    let mut vehicle = None;
    for _ in 0..variables {
        let (variable, status) = (told.byte()?, told.byte()?);
        if status != 0 {
            told.typed_text()?;
            continue;
        }
        match (command.wrapping_sub(number::ANSWER), variable) {
            (number::SUBSCRIBE_SIMULATION, number::TIME) => hear(Heard::Time(told.typed_double()?)),
            (number::SUBSCRIBE_SIMULATION, number::DEPARTED) => {
                told.typed_texts()?.into_iter().for_each(|vehicle| hear(Heard::Departed(vehicle)));
            }
            (number::SUBSCRIBE_SIMULATION, number::ARRIVED) => {
                told.typed_texts()?.into_iter().for_each(|vehicle| hear(Heard::Arrived(vehicle)));
            }
            (number::SUBSCRIBE_LIGHT, number::LIGHT_STATE) => hear(Heard::Light(name, told.typed_text()?)),
            (number::SUBSCRIBE_VEHICLE, variable) => at(vehicle.get_or_insert_default(), variable, &mut told)?,
            _ => return Err(TraciError::Answer("it tells what nobody subscribed")),
        }
    }
    vehicle.into_iter().for_each(|at| hear(Heard::Vehicle(name, at)));
    Ok(())
}

fn at<'a>(vehicle: &mut VehicleAt<'a>, variable: u8, told: &mut Reader<'a>) -> Result<(), TraciError> {
    match variable {
        number::LANE_ID => vehicle.lane = told.typed_text()?,
        number::LANE_POSITION => vehicle.at_m = told.typed_double()?,
        number::SPEED => vehicle.speed_m_s = told.typed_double()?,
        number::VEHICLE_CLASS => vehicle.class = told.typed_text()?,
        _ => return Err(TraciError::Answer("it tells what nobody subscribed")),
    }
    Ok(())
}

/// The ways of one character of a state.
pub(super) fn links(answer: &mut Reader<'_>) -> Result<Vec<ControlledLink>, TraciError> {
    let link = |texts: Vec<&str>| match texts[..] {
        [from, to, ..] => Ok(ControlledLink { from: from.to_string(), to: to.to_string() }),
        _ => Err(TraciError::Answer("a way without lanes")),
    };
    (0..answer.typed_int()?).map(|_| link(answer.typed_texts()?)).collect()
}
