//! Cameras and their platforms by GA/T 1400.4: `/VIID/...`. A device registers with HTTP Digest, says that it lives, and
//! sends batches of vehicles, each of which is answered by itself. Faces and persons are refused: there is no face
//! recognition here. docs/cameras.md has what the standard leaves open.

use std::sync::Arc;
use std::time::Instant;

use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get, post};
use nanming_dataflows::decision::Reason;
use nanming_dataflows::event::Event;
use nanming_dataflows::network::City;

use super::body::Whole;
use super::{Problem, Sensors};
use crate::config::ViidConfig;
use crate::door::Arrival;
use crate::ingest::viid::{CameraTable, TableError, batch, device_id, local_stamp, passage};

mod devices;
pub(super) mod digest;
mod who;
mod words;

use devices::Devices;
use digest::Digests;
use who::{Authenticated, Registered};
use words::{Code, Word};

/// Largest body that says something about a device, bytes.
const SMALL_BYTES: usize = 64 << 10;

/// The service.
pub struct Viid {
    table: CameraTable,
    digests: Digests,
    devices: Devices,
    began: Instant,
}

impl Viid {
    /// As it is configured; none without users.
    pub fn new(config: &ViidConfig, city: &Arc<City>) -> Result<Option<Viid>, TableError> {
        if config.users.is_empty() {
            return Ok(None);
        }
        let (city, area) = (Arc::clone(city), config.serial_area.clone());
        let table = match &config.cameras {
            Some(path) => CameraTable::load(city, area, path)?,
            None => CameraTable::plain(city, area),
        };
        let digests = Digests::new(config.realm.clone(), config.users.clone());
        let devices = Devices::new(config.keepalive_s * 1000);
        Ok(Some(Viid { table, digests, devices, began: Instant::now() }))
    }

    /// Devices that have said something lately.
    pub(super) fn online(&self) -> usize {
        self.devices.online(self.now_ms())
    }

    /// ms since the service began: nonces and silences go by it, so that no setting of a clock moves them.
    fn now_ms(&self) -> u64 {
        self.began.elapsed().as_millis() as u64
    }
}

/// The service, where there is one.
fn service(door: &Sensors) -> Result<&Viid, Problem> {
    let off = || Problem::new(StatusCode::NOT_FOUND, "not_enabled", "GA/T 1400 is off: set viid.users");
    door.viid.as_ref().ok_or_else(off)
}

/// Paths of the service with their methods, where a process takes sensors.
pub(super) fn routes() -> Vec<(&'static str, MethodRouter<Arc<Sensors>>)> {
    let small = || DefaultBodyLimit::max(SMALL_BYTES);
    vec![
        ("/VIID/System/Register", post(register).layer(small())),
        ("/VIID/System/UnRegister", post(unregister).layer(small())),
        ("/VIID/System/Keepalive", post(keepalive).layer(small())),
        ("/VIID/System/Time", get(time)),
        ("/VIID/MotorVehicles", post(vehicles)),
        ("/VIID/Faces", post(people)),
        ("/VIID/Persons", post(people)),
    ]
}

/// `POST /VIID/System/Register`.
async fn register(
    State(door): State<Arc<Sensors>>,
    Authenticated(peer): Authenticated,
    Whole(body): Whole,
) -> Result<Response, Problem> {
    let viid = service(&door)?;
    let word = |code, why: &str, id: &str| Word::new(&door, "/VIID/System/Register", id).says(code, why);
    Ok(match device_id(&body, "RegisterObject") {
        Ok(id) if viid.devices.register(&id, peer, viid.now_ms()) => word(Code::Ok, "OK", &id).alone(StatusCode::OK),
        Ok(id) => word(Code::Busy, "no place for more devices", &id).alone(StatusCode::SERVICE_UNAVAILABLE),
        Err(unfit) => word(Code::BadFormat, &unfit.detail, "").alone(StatusCode::BAD_REQUEST),
    })
}

/// `POST /VIID/System/UnRegister`.
async fn unregister(State(door): State<Arc<Sensors>>, Registered(device): Registered) -> Result<Response, Problem> {
    service(&door)?.devices.leave(&device);
    Ok(Word::new(&door, "/VIID/System/UnRegister", &device).says(Code::Ok, "OK").alone(StatusCode::OK))
}

/// `POST /VIID/System/Keepalive`: whoever is known has said by it that it lives.
async fn keepalive(State(door): State<Arc<Sensors>>, Registered(device): Registered) -> Response {
    Word::new(&door, "/VIID/System/Keepalive", &device).says(Code::Ok, "OK").alone(StatusCode::OK)
}

/// `GET /VIID/System/Time`.
async fn time(State(door): State<Arc<Sensors>>) -> Result<Response, Problem> {
    let viid = service(&door)?;
    let offset_min = door.city.utc_offset_min;
    let stamp = local_stamp(door.inbox.now_ms(), offset_min);
    Ok(words::time(viid.digests.realm(), &stamp, offset_min))
}

/// `POST /VIID/MotorVehicles`.
async fn vehicles(
    State(door): State<Arc<Sensors>>,
    Registered(_): Registered,
    request: Request,
) -> Result<Response, Problem> {
    let held = door.intake.body(request).await?;
    let (checked, bytes) = (Arc::clone(&door), held.bytes.clone());
    let sorted = tokio::task::spawn_blocking(move || sort(&checked, &bytes)).await;
    drop(held);
    let (events, answer) = sorted.map_err(|_| Problem::broken("the batch could not be checked"))??;
    if !events.is_empty() {
        door.inbox.send_async(Arrival { events, ..Arrival::default() }).await?;
    }
    Ok(answer)
}

fn sort(door: &Sensors, body: &[u8]) -> Result<(Vec<Event>, Response), Problem> {
    const PATH: &str = "/VIID/MotorVehicles";
    let (viid, now_ms) = (service(door)?, door.inbox.now_ms());
    let objects = match batch(body) {
        Ok(batch) => batch.0,
        Err(unfit) => {
            door.letters.bury(now_ms, "passages", unfit.reason, &unfit.detail, body);
            let is_json = serde_json::from_slice::<serde::de::IgnoredAny>(body).is_ok();
            let code = if is_json { Code::BadContent } else { Code::BadFormat };
            let word = Word::new(door, PATH, "").says(code, &unfit.detail);
            return Ok((Vec::new(), word.alone(StatusCode::BAD_REQUEST)));
        }
    };
    let (mut events, mut said) = (Vec::new(), Vec::with_capacity(objects.len()));
    for raw in objects {
        let (id, read) = passage(raw.get(), &viid.table, &door.validator, now_ms);
        let word = Word::new(door, PATH, &id);
        match read {
            Ok(passage) => {
                events.push(Event::Passage(passage));
                said.push(word.says(Code::Ok, "OK"));
            }
            Err(unfit) => {
                door.letters.bury(now_ms, "passages", unfit.reason, &unfit.detail, raw.get().as_bytes());
                let code = if unfit.reason == Reason::Malformed { Code::BadContent } else { Code::Refused };
                said.push(word.says(code, &format!("{}: {}", unfit.reason.as_str(), unfit.detail)));
            }
        }
    }
    Ok((events, words::list(said)))
}

/// `POST /VIID/Faces`, `POST /VIID/Persons`: never.
async fn people(State(door): State<Arc<Sensors>>) -> Response {
    door.metrics.http_refused("viid", "no_face_recognition");
    let why = "no face recognition: this engine takes no faces and no persons; send MotorVehicles only";
    let word = Word::new(&door, "/VIID", "").says(Code::Invalid, why);
    match service(&door) {
        Ok(_) => word.alone(StatusCode::FORBIDDEN),
        Err(problem) => problem.into_response(),
    }
}
