//! TLS over the real port, and where the engine refuses to start.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Instant;

use nanming::roles::Role;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use tokio_tungstenite::tungstenite;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

use crate::roles::{KEY, token};
use crate::running::{PATIENCE, Running, address_in};

const PASSWORD: &str = "correct horse battery";

/// A process with a certificate of its own.
struct Guarded {
    child: Child,
    address: SocketAddr,
    client: Arc<ClientConfig>,
    _dir: tempfile::TempDir,
}

impl Drop for Guarded {
    fn drop(&mut self) {
        let _it_may_have_ended = self.child.kill();
        let _ = self.child.wait();
    }
}

fn command(dir: &Path) -> Command {
    Running::lay_out(dir);
    let mut command = Command::new(env!("CARGO_BIN_EXE_nanming"));
    command.args(["run", "--no-sim", "--city", "town.json", "--ledger", "ledger.sqlite"]).current_dir(dir);
    command.env("NANMING_LOG", "info").env("NO_COLOR", "1").stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn start() -> Guarded {
    let dir = tempfile::tempdir().unwrap();
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    std::fs::write(dir.path().join("cert.pem"), made.cert.pem()).unwrap();
    std::fs::write(dir.path().join("key.pem"), made.signing_key.serialize_pem()).unwrap();
    let hash = nanming::password::hash(PASSWORD).unwrap();
    let persons = format!("{{li = {{role = \"auditor\", password = \"{hash}\"}}}}");
    let mut command = command(dir.path());
    command.envs([
        ("NANMING_HTTP__TLS_CERTIFICATE", "cert.pem"),
        ("NANMING_HTTP__TLS_KEY", "key.pem"),
        ("NANMING_HTTP__HANDSHAKE_S", "2"),
        ("NANMING_ACCESS__KEY", KEY),
        ("NANMING_ACCESS__PERSONS", &persons),
    ]);
    // Everywhere: with a key and a certificate it may.
    let mut child = command.args(["--listen", "0.0.0.0:0"]).spawn().unwrap();
    let mut address = address_in(child.stderr.take().unwrap(), "https://");
    address.set_ip([127, 0, 0, 1].into());
    Guarded { child, address, client: client(made.cert.der()), _dir: dir }
}

fn client(trusted: &CertificateDer<'static>) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add(trusted.clone()).unwrap();
    let with_ring = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let versions = with_ring.with_safe_default_protocol_versions().unwrap();
    Arc::new(versions.with_root_certificates(roots).with_no_client_auth())
}

impl Guarded {
    fn connect(&self) -> StreamOwned<ClientConnection, TcpStream> {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let name = ServerName::try_from("localhost").unwrap();
        StreamOwned::new(ClientConnection::new(Arc::clone(&self.client), name).unwrap(), stream)
    }

    /// The whole answer to a GET.
    fn get(&self, path: &str, token: Option<&str>) -> String {
        let shown = token.map(|token| format!("authorization: Bearer {token}\r\n")).unwrap_or_default();
        let mut stream = self.connect();
        write!(stream, "GET {path} HTTP/1.1\r\nhost: localhost\r\n{shown}connection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    fn wait_until_healthy(&self) {
        let began = Instant::now();
        while !self.get("/healthz", None).starts_with("HTTP/1.1 200") {
            assert!(began.elapsed() < PATIENCE, "it does not become healthy");
            std::thread::park_timeout(std::time::Duration::from_millis(20));
        }
    }
}

#[test]
fn requests_and_sockets_come_by_tls_and_a_dawdler_holds_up_nobody() {
    let city = start();
    let mut silent = TcpStream::connect(city.address).unwrap();
    silent.set_read_timeout(Some(PATIENCE)).unwrap();
    city.wait_until_healthy();
    assert!(city.get("/api/cover", None).starts_with("HTTP/1.1 401"));
    assert!(city.get("/api/cover", Some(&token(Role::Auditor, 600))).starts_with("HTTP/1.1 200"));

    let body = format!("{{\"name\":\"li\",\"password\":\"{PASSWORD}\"}}");
    let mut stream = city.connect();
    let head = "POST /login HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n";
    write!(stream, "{head}content-length: {}\r\n\r\n{body}", body.len()).unwrap();
    let mut welcome = String::new();
    stream.read_to_string(&mut welcome).unwrap();
    assert!(welcome.contains("; SameSite=Strict; Secure\r\n"), "{welcome}");

    let mut request = format!("wss://localhost:{}/ws/desk", city.address.port()).into_client_request().unwrap();
    let shown = format!("Bearer {}", token(Role::Dispatcher, 600)).parse().unwrap();
    request.headers_mut().insert("authorization", shown);
    let (mut desk, answer) = tungstenite::client(request, city.connect()).unwrap();
    assert_eq!(answer.status(), 101);
    desk.send(tungstenite::Message::text("{}")).unwrap();
    assert!(desk.read().unwrap().to_text().unwrap().contains("a desk is told"));

    let mut plain = TcpStream::connect(city.address).unwrap();
    plain.write_all(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n").unwrap();
    plain.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut said = Vec::new();
    let _reset_or_alert = plain.read_to_end(&mut said);
    assert!(!String::from_utf8_lossy(&said).contains("HTTP"), "nothing is said without TLS");

    let began = Instant::now();
    assert_eq!(silent.read(&mut [0; 1]).unwrap_or(0), 0, "whoever never says hello is sent away");
    assert!(began.elapsed() < PATIENCE);
}

/// What a start that is refused says.
fn refused(settings: &[(&str, &str)]) -> String {
    let dir = tempfile::tempdir().unwrap();
    let mut command = command(dir.path());
    let mut child = command.envs(settings.iter().copied()).spawn().unwrap();
    let began = Instant::now();
    // One that starts after all is ended, and its log tells the test.
    while child.try_wait().unwrap().is_none() {
        if began.elapsed() > PATIENCE {
            child.kill().unwrap();
        }
        std::thread::park_timeout(std::time::Duration::from_millis(20));
    }
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(!dir.path().join("ledger.sqlite").exists(), "it is refused before anything is done");
    said
}

#[test]
fn it_does_not_start_where_others_reach_it_without_keys_and_tls() {
    const FAR: (&str, &str) = ("NANMING_HTTP__LISTEN", "0.0.0.0:0");
    let said = refused(&[FAR]);
    assert!(said.contains("no keys") && said.contains("[access] key") && said.contains("127.0.0.1"), "{said}");
    let said = refused(&[FAR, ("NANMING_ACCESS__KEY", KEY)]);
    assert!(said.contains("no TLS") && said.contains("tls_certificate") && said.contains("behind_proxy"), "{said}");
    let said = refused(&[("NANMING_HTTP__LISTEN", "127.0.0.1:0"), ("NANMING_HTTP__BEHIND_PROXY", "true")]);
    assert!(said.contains("behind_proxy") && said.contains("no keys"), "{said}");
    let said = refused(&[FAR, ("NANMING_ACCESS__KEY", "short")]);
    assert!(said.contains("32 bytes"), "{said}");
    let half = [FAR, ("NANMING_ACCESS__KEY", KEY), ("NANMING_HTTP__TLS_KEY", "key.pem")];
    assert!(refused(&half).contains("go together"));
    let missing = [&half[..], &[("NANMING_HTTP__TLS_CERTIFICATE", "none.pem")]].concat();
    let said = refused(&missing);
    assert!(said.contains("none.pem") && said.contains("PEM"), "{said}");
}
