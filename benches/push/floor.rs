//! What no engine could be faster than: two commits on this disk, and there and back over loopback.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::Instant;

use rusqlite::Connection;

/// So many times, sorted, ms.
pub(crate) fn measure(times: usize) -> Vec<f64> {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let db = Connection::open(dir.path().join("floor.sqlite")).expect("a database");
    db.pragma_update(None, "journal_mode", "WAL").and(db.pragma_update(None, "synchronous", "FULL")).expect("WAL");
    db.execute_batch("CREATE TABLE calls (words TEXT)").expect("a table");
    let mut echo = echo();
    let commit = || {
        db.execute("INSERT INTO calls VALUES ('bench')", []).expect("a commit");
    };
    let mut once = || {
        let began = Instant::now();
        commit();
        commit();
        echo.write_all(&[1; 300]).and_then(|()| echo.read_exact(&mut [0; 300])).expect("an echo");
        began.elapsed().as_secs_f64() * 1000.0
    };
    let mut took: Vec<f64> = (0..times).map(|_| once()).collect();
    took.sort_by(f64::total_cmp);
    took
}

/// A connection whose other end says everything again.
fn echo() -> TcpStream {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let stream = TcpStream::connect(listener.local_addr().expect("an address")).expect("a connection");
    stream.set_nodelay(true).expect("no delay");
    std::thread::spawn(move || {
        let (mut end, _) = listener.accept().expect("a connection");
        end.set_nodelay(true).expect("no delay");
        let mut bytes = [0; 300];
        while end.read_exact(&mut bytes).and_then(|()| end.write_all(&bytes)).is_ok() {}
    });
    stream
}
