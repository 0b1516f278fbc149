//! A signal controller on the loopback: it speaks frames of [`gbt20999`](crate::gbt20999) over TCP as one in the street would,
//! and shows lamps by the wall's clock.
//!
//! It runs its own plan until the centre takes it over, makes its own way from stage to stage, and goes back to its plan when
//! the centre is silent. In the coordinated mode it runs a plan of the centre's by its clock: one that comes anew begins with a
//! cycle, and cycles are made longer or shorter until they begin when the plan has it. It has a table of conflicts of its own,
//! and refuses what that forbids. By a [`Script`] it obeys, refuses, does not answer, reboots, lies about its stage, or shows
//! lamps that conflict.

mod cabinet;
mod desk;
mod line;
mod program;
mod script;
#[cfg(test)]
mod tests;

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use nanming_dataflows::event::Lamp;
use nanming_dataflows::network::{ConflictMatrix, Junction};

use crate::gbt20999::{ControlLayout, Mode, PlanRow, Wire};
use desk::Desk;
pub use script::{Manner, Script};

/// What a controller is like.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Its number: frames for others are not for it.
    pub id: u32,
    /// How it writes frames.
    pub wire: Wire,
    /// Where it takes the centre's wishes.
    pub layout: ControlLayout,
    /// How many times as fast as the wall's its clock runs.
    pub speed: f64,
    /// What its clock shows when it is started, ms since midnight: plans go by it.
    pub clock_ms: u64,
    /// After so long without a frame of the centre it runs its own plan, ms of its clock.
    pub centre_lost_ms: u64,
    /// After a start it flashes yellow for so long, then all heads are red for as long, ms of its clock.
    pub boot_ms: u64,
    /// Whether it tells by itself what has changed.
    pub traps: bool,
    /// Its own table of conflicts; none: that of the city.
    pub conflicts: Option<ConflictMatrix>,
    /// How it behaves.
    pub script: Script,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            id: 1,
            wire: Wire::default(),
            layout: ControlLayout::default(),
            speed: 1.0,
            clock_ms: 0,
            centre_lost_ms: 30_000,
            boot_ms: 5_000,
            traps: true,
            conflicts: None,
            script: Script::default(),
        }
    }
}

/// What can be seen at the junction, and in the controller's own log.
#[derive(Clone, Debug, PartialEq)]
pub struct Seen {
    /// Who decides.
    pub mode: Mode,
    /// The stage that stands or comes: row in the junction's stages.
    pub stage: u16,
    /// What the heads really show.
    pub lamps: Vec<Lamp>,
    /// Orders of the centre heard, each repetition too.
    pub orders: u32,
    /// Stages begun because the centre wished them.
    pub obeyed: u32,
    /// Times it has started.
    pub boots: u32,
    /// Times it went back to its plan because the centre was silent.
    pub lost: u32,
    /// Numbers of the plans that it has.
    pub plans: Vec<u8>,
    /// The plan of this cycle, or the last one before stages were wished.
    pub plan: PlanRow,
}

/// Something that happened at the junction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Happened {
    /// A centre connected.
    Connected,
    /// The heads began to show this.
    Shown(Vec<Lamp>),
    /// The centre wished a stage, told as its row, while it led; and whether the controller takes it.
    Wished(u16, bool),
    /// Another decides from now on.
    Led(Mode),
}

/// A running controller. It ends when this is dropped.
pub struct Controller {
    address: SocketAddr,
    desk: Arc<Mutex<Desk>>,
    end: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Controller {
    /// Starts the controller of a junction on a free port.
    pub fn start(junction: &Junction, settings: Settings) -> io::Result<Controller> {
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0))?;
        let (address, end) = (listener.local_addr()?, Arc::<AtomicBool>::default());
        listener.set_nonblocking(true)?;
        let desk = Arc::new(Mutex::new(Desk::new(junction.clone(), settings)));
        let thread = std::thread::Builder::new().name(format!("controller {}", junction.name)).spawn({
            let (desk, end) = (Arc::clone(&desk), Arc::clone(&end));
            move || line::serve(&listener, &desk, &end)
        })?;
        Ok(Controller { address, desk, end, thread: Some(thread) })
    }

    /// Where it answers.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// From now on it behaves so, whatever its script says.
    pub fn behave(&self, manner: Manner) {
        self.desk().behave(manner);
    }

    /// A person at the cabinet sets a mode. Whether it can be: not while it starts.
    pub fn by_hand(&self, mode: Mode) -> bool {
        self.desk().by_hand(mode)
    }

    /// What can be seen.
    pub fn seen(&self) -> Seen {
        self.desk().seen()
    }

    /// All that happened so far, each with the controller's time, ms.
    pub fn log(&self) -> Vec<(u64, Happened)> {
        self.desk().log().to_vec()
    }

    fn desk(&self) -> MutexGuard<'_, Desk> {
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Controller {
    fn drop(&mut self) {
        self.end.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _it_may_have_panicked = thread.join();
        }
    }
}
