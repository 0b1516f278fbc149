//! The controller's end of the connection. One centre at a time: who comes later takes its place.

use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::desk::{Answer, Desk};
use crate::gbt20999::Stream;

/// Between two looks at the clock: lamps change in steps of it.
const LOOK: Duration = Duration::from_millis(5);

struct Line {
    socket: TcpStream,
    stream: Stream,
}

/// Serves until the end.
pub(super) fn serve(listener: &TcpListener, desk: &Mutex<Desk>, end: &AtomicBool) {
    let desk = || desk.lock().unwrap_or_else(PoisonError::into_inner);
    let mut line: Option<Line> = None;
    while !end.load(Ordering::Relaxed) {
        if let Ok((socket, _)) = listener.accept() {
            let settled = socket.set_nonblocking(false).and_then(|()| socket.set_read_timeout(Some(LOOK)));
            let stream = Stream::new(desk().settings.wire);
            line = settled.is_ok().then_some(Line { socket, stream });
            desk().connected();
        }
        match &mut line {
            Some(open) => {
                if !open.turn(desk) {
                    line = None;
                }
            }
            None => {
                let now_ms = desk().now_ms();
                desk().advance(now_ms);
                std::thread::park_timeout(LOOK);
            }
        }
    }
}

impl Line {
    /// Reads what has come, answers, tells what has changed. Whether the connection goes on.
    fn turn<'a>(&mut self, desk: impl Fn() -> MutexGuard<'a, Desk>) -> bool {
        let mut bytes = [0; 4096];
        let frames = match self.socket.read(&mut bytes) {
            Ok(0) => return false,
            Ok(n) => self.stream.take(&bytes[..n]),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => Vec::new(),
            Err(_) => return false,
        };
        let mut desk = desk();
        let now_ms = desk.now_ms();
        let mut out = Vec::new();
        // Damaged frames are not answered: the centre asks again.
        for frame in frames.into_iter().flatten() {
            match desk.hear(&frame, now_ms) {
                Answer::Frame(answer) => out.push(answer),
                Answer::Nothing => {}
                Answer::HangUp => return false,
            }
        }
        out.extend(desk.advance(now_ms));
        let wire = desk.settings.wire;
        drop(desk);
        let bytes: Vec<u8> = out.iter().filter_map(|frame| wire.encode(frame).ok()).flatten().collect();
        self.socket.write_all(&bytes).is_ok()
    }
}
