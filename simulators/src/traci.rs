//! A client of SUMO's Traffic Control Interface (TraCI) over TCP: as much of it as a closed loop needs.
//!
//! The protocol is that of SUMO's manual (sumo.dlr.de/docs/TraCI/Protocol.html): a message is a length and commands, each
//! with a length of its own; all numbers are big-endian; a text is its length and UTF-8. SUMO is subscribed to rather than
//! asked: with each step it tells the vehicles' places and the lights' states in the same answer.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

mod heard;
mod wire;
pub use heard::{Heard, VehicleAt};
use wire::{Content, Orders, Reader};

/// Commands, and what is asked for; numbers of the protocol.
mod number {
    pub(super) const GET_VERSION: u8 = 0x00;
    pub(super) const STEP: u8 = 0x02;
    pub(super) const CLOSE: u8 = 0x7f;
    pub(super) const GET_LIGHT: u8 = 0xa2;
    pub(super) const GET_SIMULATION: u8 = 0xab;
    pub(super) const SET_LIGHT: u8 = 0xc2;
    pub(super) const SUBSCRIBE_LIGHT: u8 = 0xd2;
    pub(super) const SUBSCRIBE_VEHICLE: u8 = 0xd4;
    pub(super) const SUBSCRIBE_SIMULATION: u8 = 0xdb;
    /// An answer bears the number of its command and this.
    pub(super) const ANSWER: u8 = 0x10;
    pub(super) const ID_LIST: u8 = 0x00;
    pub(super) const LIGHT_STATE: u8 = 0x20;
    pub(super) const CONTROLLED_LINKS: u8 = 0x27;
    pub(super) const SPEED: u8 = 0x40;
    pub(super) const VEHICLE_CLASS: u8 = 0x49;
    pub(super) const LANE_ID: u8 = 0x51;
    pub(super) const LANE_POSITION: u8 = 0x56;
    pub(super) const TIME: u8 = 0x66;
    pub(super) const DEPARTED: u8 = 0x74;
    pub(super) const ARRIVED: u8 = 0x7a;
    /// Begin and end of a subscription that begins now and does not end.
    pub(super) const ALWAYS: f64 = -1_073_741_824.0;
}

/// Between two attempts to connect while SUMO loads.
const PAUSE: Duration = Duration::from_millis(20);
/// Longer than this no answer is: 256 MiB.
const LONGEST: usize = 256 << 20;

/// Why SUMO cannot be talked with.
#[derive(Debug, thiserror::Error)]
pub enum TraciError {
    /// The connection failed, or SUMO went away.
    #[error("the connection to SUMO failed: {0}")]
    Io(#[from] std::io::Error),
    /// SUMO does not listen.
    #[error("SUMO does not listen at {address} after {waited_s} s")]
    Silent {
        /// Where.
        address: SocketAddr,
        /// For how long it was tried.
        waited_s: u64,
    },
    /// SUMO refuses a command.
    #[error("SUMO refuses command {command:#04x}: {why}")]
    Refused {
        /// The number of the command.
        command: u8,
        /// SUMO's words.
        why: String,
    },
    /// What came is not what the protocol says.
    #[error("SUMO's answer is not understood: {0}")]
    Answer(&'static str),
}

/// A way that a signal lets go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ControlledLink {
    /// The lane that it leaves.
    pub from: String,
    /// The lane that it enters.
    pub to: String,
}

/// A connection to a running SUMO.
pub struct Client {
    stream: TcpStream,
    /// The last answer.
    answer: Vec<u8>,
    /// What goes out with the next [`flush`](Client::flush).
    orders: Orders,
}

impl Client {
    /// Connects as soon as SUMO listens, trying anew while `waits` says so.
    ///
    /// # Errors
    /// [`TraciError::Silent`] when it is given up.
    pub fn connect(address: SocketAddr, mut waits: impl FnMut() -> bool) -> Result<Client, TraciError> {
        let began = Instant::now();
        loop {
            match TcpStream::connect(address) {
                Ok(stream) => {
                    stream.set_nodelay(true)?;
                    return Ok(Client { stream, answer: Vec::new(), orders: Orders::default() });
                }
                Err(_) if waits() => std::thread::sleep(PAUSE),
                Err(_) => return Err(TraciError::Silent { address, waited_s: began.elapsed().as_secs() }),
            }
        }
    }

    /// The version of the protocol, and that of SUMO.
    ///
    /// # Errors
    /// Those of [`TraciError`], as everywhere here.
    pub fn version(&mut self) -> Result<(i32, String), TraciError> {
        self.orders.push(number::GET_VERSION, |_| {});
        let mut answer = self.exchange()?;
        let mut command = answer.command()?.1;
        Ok((command.int()?, command.text()?.to_string()))
    }

    /// The simulation's time, s.
    pub fn time_s(&mut self) -> Result<f64, TraciError> {
        self.ask(number::GET_SIMULATION, number::TIME, "")?.typed_double()
    }

    /// The names of all traffic lights.
    pub fn lights(&mut self) -> Result<Vec<String>, TraciError> {
        let mut answer = self.ask(number::GET_LIGHT, number::ID_LIST, "")?;
        Ok(answer.typed_texts()?.into_iter().map(str::to_string).collect())
    }

    /// What a traffic light shows.
    pub fn state(&mut self, light: &str) -> Result<String, TraciError> {
        Ok(self.ask(number::GET_LIGHT, number::LIGHT_STATE, light)?.typed_text()?.to_string())
    }

    /// For each character of a traffic light's state, the ways that it governs.
    pub fn controlled_links(&mut self, light: &str) -> Result<Vec<Vec<ControlledLink>>, TraciError> {
        let mut answer = self.ask(number::GET_LIGHT, number::CONTROLLED_LINKS, light)?;
        answer.compound()?;
        let heads = answer.typed_int()?;
        (0..heads).map(|_| heard::links(&mut answer)).collect()
    }

    /// From now on the time, and who departs and arrives, are told with each step.
    pub fn subscribe_simulation(&mut self) {
        let what = [number::TIME, number::DEPARTED, number::ARRIVED];
        self.orders.subscribe(number::SUBSCRIBE_SIMULATION, "", &what);
    }

    /// From now on what a traffic light shows is told with each step.
    pub fn subscribe_light(&mut self, light: &str) {
        self.orders.subscribe(number::SUBSCRIBE_LIGHT, light, &[number::LIGHT_STATE]);
    }

    /// From now on a vehicle's place is told with each step, until it arrives.
    pub fn subscribe_vehicle(&mut self, vehicle: &str) {
        let what = [number::LANE_ID, number::LANE_POSITION, number::SPEED, number::VEHICLE_CLASS];
        self.orders.subscribe(number::SUBSCRIBE_VEHICLE, vehicle, &what);
    }

    /// A traffic light shows this from now on and leaves its program.
    pub fn set_state(&mut self, light: &str, state: &str) {
        self.orders.push(number::SET_LIGHT, |content| {
            content.byte(number::LIGHT_STATE);
            content.text(light);
            content.typed_text(state);
        });
    }

    /// Sends what was subscribed and set since the last time, in one message; what is subscribed is told at once.
    pub fn flush(&mut self, mut hear: impl FnMut(Heard<'_>)) -> Result<(), TraciError> {
        if self.orders.is_empty() {
            return Ok(());
        }
        let orders = self.orders.take();
        self.send(&orders.message)?;
        let mut answer = Reader::new(&self.answer);
        for command in orders.commands {
            answer.status(command)?;
            if (number::SUBSCRIBE_LIGHT..=number::SUBSCRIBE_SIMULATION).contains(&command) {
                heard::subscription(&mut answer, &mut hear)?;
            }
        }
        Ok(())
    }

    /// Simulates until a time, s, and tells what was subscribed.
    pub fn step_to(&mut self, time_s: f64, mut hear: impl FnMut(Heard<'_>)) -> Result<(), TraciError> {
        self.flush(&mut hear)?;
        self.orders.push(number::STEP, |content| content.double(time_s));
        let mut answer = self.exchange()?;
        let told = answer.int()?;
        (0..told).try_for_each(|_| heard::subscription(&mut answer, &mut hear))
    }

    /// Ends the simulation: SUMO writes its files and ends.
    pub fn close(mut self) -> Result<(), TraciError> {
        self.orders.push(number::CLOSE, |_| {});
        self.exchange().map(|_| ())
    }

    /// The value of a variable, behind its type.
    fn ask(&mut self, command: u8, variable: u8, of: &str) -> Result<Reader<'_>, TraciError> {
        self.orders.push(command, |content| {
            content.byte(variable);
            content.text(of);
        });
        let (id, mut value) = self.exchange()?.command()?;
        let asked = value.byte()? == variable && value.text()? == of && id == command + number::ANSWER;
        if asked { Ok(value) } else { Err(TraciError::Answer("it is of something else")) }
    }

    /// Sends the one command that is waiting; its answer behind its status.
    fn exchange(&mut self) -> Result<Reader<'_>, TraciError> {
        let orders = self.orders.take();
        self.send(&orders.message)?;
        let mut answer = Reader::new(&self.answer);
        orders.commands.into_iter().try_for_each(|command| answer.status(command))?;
        Ok(answer)
    }

    fn send(&mut self, commands: &[u8]) -> Result<(), TraciError> {
        let mut message = Vec::with_capacity(commands.len() + 4);
        message.int(commands.len() as i32 + 4);
        message.extend_from_slice(commands);
        self.stream.write_all(&message)?;
        let mut length = [0; 4];
        self.stream.read_exact(&mut length).map_err(gone)?;
        let length = (u32::from_be_bytes(length) as usize).checked_sub(4).filter(|n| *n <= LONGEST);
        self.answer.resize(length.ok_or(TraciError::Answer("its length is impossible"))?, 0);
        self.stream.read_exact(&mut self.answer).map_err(gone)?;
        Ok(())
    }
}

/// SUMO's end closes the connection.
fn gone(error: std::io::Error) -> TraciError {
    let ended = matches!(error.kind(), ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset);
    TraciError::Io(if ended { std::io::Error::other("SUMO ended") } else { error })
}

#[cfg(test)]
mod tests;
