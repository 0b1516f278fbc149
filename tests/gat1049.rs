//! A command platform over a real socket: it logs in, is told, and holds a stage at a controller.

use std::collections::VecDeque;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use nanming::gat1049::{Kind, Message, Object, Operation, Split};
use nanming_simulators::controller::Script;

use crate::cluster::free_address;
use crate::controllers::{command, controllers, start_as};
use crate::running::{PATIENCE, Running};

/// A platform.
struct Platform {
    socket: TcpStream,
    split: Split,
    heard: VecDeque<Message>,
    /// Objects that were pushed and not looked for yet.
    pushed: Vec<Object>,
    token: String,
}

impl Platform {
    fn connect(address: SocketAddr) -> Platform {
        let socket = TcpStream::connect(address).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        Platform { socket, split: Split::default(), heard: VecDeque::new(), pushed: Vec::new(), token: String::new() }
    }

    fn ask(&mut self, name: &str, object: Object) -> Message {
        let operations = vec![Operation { order: "1".into(), name: name.into(), objects: vec![object] }];
        let (token, from, to, seq) = (self.token.clone(), "TICP".into(), "UTCS".into(), "42".into());
        let message = Message { token, from, to, kind: Kind::Request, seq, operations };
        self.socket.write_all(&message.write("2.0")).unwrap();
        loop {
            let heard = self.next();
            if heard.seq == "42" {
                return heard;
            }
            self.keep(heard);
        }
    }

    fn keep(&mut self, heard: Message) {
        self.pushed.extend(heard.operations.into_iter().flat_map(|operation| operation.objects));
    }

    fn next(&mut self) -> Message {
        loop {
            if let Some(message) = self.heard.pop_front() {
                return message;
            }
            let mut bytes = [0; 4096];
            let n = self.socket.read(&mut bytes).unwrap();
            assert!(n > 0, "the service has hung up");
            let messages = self.split.take(&bytes[..n]).unwrap();
            self.heard.extend(messages.iter().map(|text| Message::read(text).unwrap()));
        }
    }

    /// Waits until an object of a name is pushed of which something holds.
    fn told(&mut self, name: &str, holds: impl Fn(&Object) -> bool) {
        while !self.pushed.iter().any(|object| object.name == name && holds(object)) {
            let heard = self.next();
            self.keep(heard);
        }
        self.pushed.retain(|object| object.name != name);
    }
}

fn lock(cross: usize, fields: &[(&str, &str)]) -> Object {
    let id = Object::text("CrossID", format!("52010080{cross:04}"));
    let fields = fields.iter().map(|(name, value)| Object::text(name, value));
    Object::of("LockFlowDirection", std::iter::once(id).chain(fields))
}

#[test]
fn a_platform_is_told_of_stages_and_holds_one() {
    let dir = tempfile::tempdir().unwrap();
    let all = controllers(dir.path(), std::array::from_fn(|_| Script::default()));
    let address = free_address();
    let mut with = command();
    with.env("NANMING_GAT1049__LISTEN", address.to_string()).env("NANMING_GAT1049__USERS", "{ticp=\"secret\"}");
    with.env("NANMING_GAT1049__LOCK_MAX_S", "3600").env("NANMING_GAT1049__LOCK_WAIT_S", "600");
    let city: Running = start_as(with, dir);
    let mut platform = Platform::connect(address);

    let user = |password| Object::of("SDO_User", [Object::text("UserName", "ticp"), Object::text("Pwd", password)]);
    assert_eq!(platform.ask("Login", user("guess")).kind, Kind::Error);
    let login = platform.ask("Login", user("secret"));
    assert_eq!(login.kind, Kind::Response);
    platform.token = login.token;
    assert_eq!(platform.ask("Subscribe", Object::text("SDO_MsgEntity", "")).kind, Kind::Response);
    let is_first = |object: &Object| object.field("CrossID") == Some("520100800001");
    platform.told("CrossState", |object| is_first(object) && object.field("Value") == Some("Online"));
    platform.told("CrossModePlan", |object| is_first(object) && object.field("ControlMode") == Some("23"));
    assert!(all[0].seen().mode.is_centre());

    let refused = platform.ask("Set", lock(1, &[("Duration", "3601")]));
    let error = &refused.operations[0].objects[0];
    assert_eq!((refused.kind, error.field("ErrType")), (Kind::Error, Some("SDE_NotAllow")));
    assert!(error.field("ErrDesc").unwrap().contains("at most"));

    // Another stage than the one that stands, whichever that is.
    let junction = &city.city.junctions[0];
    let wanted = (usize::from(all[0].seen().stage) + 1) % junction.stages.len();
    let number = (wanted + 1).to_string();
    let held = platform.ask("Set", lock(1, &[("LockStageNo", &number), ("Duration", "3000"), ("Type", "1")]));
    assert_eq!(held.kind, Kind::Response, "{held:?}");
    assert!(city.measures("nanming_envelope_violations_total 0"));
    platform.told("CrossModePlan", |object| is_first(object) && object.field("ControlMode") == Some("52"));
    platform.told("CrossStage", |object| is_first(object) && object.field("CurStageNo") == Some(&number));
    city.wait_for("the lamps", || {
        let lights = junction.stages[wanted].lights.iter().map(|light| light.lamp());
        all[0].seen().lamps.into_iter().eq(lights)
    });
    assert_eq!(usize::from(all[0].seen().stage), wanted);
    platform.pushed.clear();
    let unlock = Object::of("UnlockFlowDirection", [Object::text("CrossID", "520100800001")]);
    assert_eq!(platform.ask("Set", unlock).kind, Kind::Response);
    platform.told("CrossModePlan", |object| is_first(object) && object.field("ControlMode") == Some("23"));
    assert!(city.measures("nanming_command_platforms 1") && city.measures("nanming_stage_locks_total 1"));
    assert_eq!(city.interrupt().0, Some(0));
}
