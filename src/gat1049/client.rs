//! One platform: what it has subscribed to, and what it is answered. A machine that knows no sockets.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use nanming_dataflows::event::StageHold;
use nanming_dataflows::ids::JunctionId;

use super::crosses::Notice;
use super::message::{Fault, Kind, Message, Object, Operation};
use super::pending::{Pending, Settled};
use super::{Desk, Topic, lock};

/// Which junctions of a topic; none: all.
type Wanted = Option<BTreeSet<JunctionId>>;

/// Objects of one message at most.
const BATCH: usize = 200;
/// Log-ins that may fail before the connection ends.
const GUESSES: u32 = 3;

#[derive(Default)]
pub(super) struct Client {
    /// Given when it logged in.
    token: Option<String>,
    /// As it calls itself.
    system: String,
    wanted: BTreeMap<Topic, Wanted>,
    count: u32,
    /// Log-ins that failed.
    failures: u32,
    /// Its user's name.
    user: String,
    /// Stages held and let go in the operation that is being performed.
    asked: Vec<StageHold>,
    pending: Pending,
}

impl Client {
    pub(super) fn is_logged_in(&self) -> bool {
        self.token.is_some()
    }

    /// Whether it waits for an answer.
    pub(super) fn is_waiting(&self) -> bool {
        self.pending.is_waiting()
    }

    /// Whether it has failed to log in too often on one connection.
    pub(super) fn is_guessing(&self) -> bool {
        self.failures >= GUESSES
    }

    /// Hears a message; what goes back.
    pub(super) fn hear(&mut self, desk: &Desk, text: &[u8]) -> Vec<Vec<u8>> {
        let message = match Message::read(text) {
            Ok(message) => message,
            Err(fault) => return vec![self.fault(desk, None, "Other", &fault)],
        };
        if self.system.is_empty() {
            self.system.clone_from(&message.from);
        }
        let mut answers = Vec::new();
        for operation in &message.operations {
            // Only requests are answered; what platforms push are signs of life.
            if message.kind != Kind::Request {
                continue;
            }
            let done = self.perform(desk, &message, operation);
            let asked = std::mem::take(&mut self.asked);
            match done {
                // It is answered when its stages stand.
                Ok(_) if self.pending.take(desk, &message, operation, asked) => {}
                Ok((objects, more)) => {
                    answers.push(self.answer(desk, Some(&message), Kind::Response, operation, objects));
                    answers.extend(self.notify(desk, &more));
                }
                Err(fault) => answers.push(self.fault(desk, Some(&message), &operation.name, &fault)),
            }
        }
        answers
    }

    /// Stages held and let go since this was last asked, for the door.
    pub(super) fn holds(&mut self) -> Vec<StageHold> {
        self.pending.holds()
    }

    /// Answers locks that hold by now, or do not in time.
    pub(super) fn look(&mut self, desk: &Desk) -> Vec<Vec<u8>> {
        let settled = self.pending.look(desk);
        let answer = |(message, operation, outcome): Settled| match outcome {
            Ok(()) => {
                let objects = operation.objects.clone();
                self.answer(desk, Some(&message), Kind::Response, &operation, objects)
            }
            Err(fault) => self.fault(desk, Some(&message), &operation.name, &fault),
        };
        settled.into_iter().map(answer).collect()
    }

    /// What a platform is told of what has changed.
    pub(super) fn notify(&mut self, desk: &Desk, notices: &[Notice]) -> Vec<Vec<u8>> {
        let is_wanted = |notice: &&Notice| {
            let wanted = self.wanted.get(&notice.topic).filter(|_| self.token.is_some());
            wanted.is_some_and(|only| only.as_ref().is_none_or(|only| only.contains(&notice.junction)))
        };
        let objects: Vec<Object> = notices.iter().filter(is_wanted).map(|notice| notice.object.clone()).collect();
        let batches = objects.chunks(BATCH).map(<[Object]>::to_vec).collect::<Vec<_>>();
        batches.into_iter().map(|objects| self.push(desk, objects)).collect()
    }

    pub(super) fn heartbeat(&mut self, desk: &Desk) -> Vec<u8> {
        self.push(desk, vec![Object::text("SDO_HeartBeat", "")])
    }

    fn push(&mut self, desk: &Desk, objects: Vec<Object>) -> Vec<u8> {
        let operation = Operation { order: "1".into(), name: "Notify".into(), objects: Vec::new() };
        self.answer(desk, None, Kind::Push, &operation, objects)
    }

    /// Does what is asked: what is answered, and what is told besides.
    fn perform(
        &mut self,
        desk: &Desk,
        message: &Message,
        operation: &Operation,
    ) -> Result<(Vec<Object>, Vec<Notice>), Fault> {
        let first = operation.objects.first().cloned().unwrap_or_else(|| Object::text("", ""));
        if operation.name == "Login" {
            let user = self.log_in(desk, &first).inspect_err(|_| self.failures += 1);
            return user.map(|user| (vec![user], Vec::new()));
        }
        if self.token.is_none() || self.token.as_deref() != Some(message.token.as_str()) {
            return Err(Fault::new(&first.name, "SDE_Token", "log in first, and send the token with each request"));
        }
        match operation.name.as_str() {
            "Logout" => {
                (self.token, self.wanted) = (None, BTreeMap::new());
                Ok((operation.objects.clone(), Vec::new()))
            }
            "Subscribe" => {
                let topics = topics(&operation.objects)?;
                topics.iter().for_each(|topic| drop(self.wanted.insert(*topic, None)));
                Ok((operation.objects.clone(), desk.all_now(&topics, None)))
            }
            "Unsubscribe" => {
                topics(&operation.objects)?.iter().for_each(|topic| drop(self.wanted.remove(topic)));
                Ok((operation.objects.clone(), Vec::new()))
            }
            "Get" => {
                operation.objects.iter().map(|asked| desk.get(asked)).collect::<Result<_, _>>().map(|o| (o, vec![]))
            }
            "Set" => {
                // However often it is asked for, what is known is told once.
                let mut more = BTreeMap::new();
                for asked in &operation.objects {
                    let told = self.set(desk, asked)?;
                    more.extend(told.into_iter().map(|notice| ((notice.junction, notice.topic), notice)));
                }
                Ok((operation.objects.clone(), more.into_values().collect()))
            }
            other => Err(Fault::new(&first.name, "SDE_Operation", format!("operation '{other}' is not served"))),
        }
    }

    fn log_in(&mut self, desk: &Desk, user: &Object) -> Result<Object, Fault> {
        let name = user.field("UserName").unwrap_or_default();
        let fault = |kind, why: &str| Fault::new("SDO_User", kind, why);
        // One message may hold several, before anybody looks whether the connection is to end.
        if self.is_guessing() {
            return Err(fault("SDE_Pwd", "too many log-ins have failed on this connection"));
        }
        let password = desk.users.get(name).ok_or_else(|| fault("SDE_UserName", "nobody has this name here"))?;
        if !password.is(user.field("Pwd").unwrap_or_default()) {
            return Err(fault("SDE_Pwd", "the password is another"));
        }
        (self.token, self.user) = (Some(super::service::token()), name.to_owned());
        Ok(Object::of("SDO_User", [Object::text("UserName", name), Object::text("Pwd", "")]))
    }

    fn set(&mut self, desk: &Desk, asked: &Object) -> Result<Vec<Notice>, Fault> {
        match asked.name.as_str() {
            "LockFlowDirection" if self.pending.is_full() => {
                let why = "too many locks wait for their stages: ask again when some are answered";
                return Err(Fault::new("LockFlowDirection", "SDE_Failure", why));
            }
            "LockFlowDirection" => self.asked.push(lock::lock(desk, asked, &self.user)?),
            "UnlockFlowDirection" | "UnLockFlowDirection" => self.asked.push(lock::unlock(desk, asked, &self.user)?),
            "CrossReportCtrl" => return self.report(desk, asked),
            other => {
                let why = format!("{other} cannot be set here: signals are timed by the engine");
                return Err(Fault::new(other, "SDE_NotAllow", why));
            }
        }
        Ok(Vec::new())
    }

    fn report(&mut self, desk: &Desk, asked: &Object) -> Result<Vec<Notice>, Fault> {
        let unknown = |what: &str| Fault::new("CrossReportCtrl", "SDE_NotAllow", format!("{what} is not served"));
        let name = asked.field("Type").unwrap_or_default();
        let topic = Topic::named(name).ok_or_else(|| unknown(name))?;
        let list = asked.fields.iter().find(|field| field.name == "CrossIDList");
        let ids = list.into_iter().flat_map(|list| &list.fields).map(|id| desk.junction_named(&asked.name, &id.text));
        let only: BTreeSet<JunctionId> = ids.collect::<Result<_, _>>()?;
        let only = (!only.is_empty()).then_some(only);
        match asked.field("Cmd") {
            Some("Start") => {
                let more = desk.all_now(&[topic], only.as_ref());
                self.wanted.insert(topic, only);
                Ok(more)
            }
            Some("Stop") => {
                self.wanted.remove(&topic);
                Ok(Vec::new())
            }
            other => Err(unknown(other.unwrap_or("a report without Cmd"))),
        }
    }

    fn fault(&mut self, desk: &Desk, to: Option<&Message>, operation: &str, fault: &Fault) -> Vec<u8> {
        let order = "1".into();
        let operation = Operation { order, name: operation.into(), objects: Vec::new() };
        self.answer(desk, to, Kind::Error, &operation, vec![fault.object()])
    }

    fn answer(
        &mut self,
        desk: &Desk,
        to: Option<&Message>,
        kind: Kind,
        operation: &Operation,
        objects: Vec<Object>,
    ) -> Vec<u8> {
        self.count += 1;
        let operations = vec![Operation { objects, ..operation.clone() }];
        let seq = to.map_or_else(|| desk.seq(self.count), |message| message.seq.clone());
        let (token, from) = (self.token.clone().unwrap_or_default(), desk.system.clone());
        Message { token, from, to: self.system.clone(), kind, seq, operations }.write(&desk.version)
    }
}

/// The topics that entities of a subscription name; without any, all.
fn topics(entities: &[Object]) -> Result<Vec<Topic>, Fault> {
    let names: Vec<&str> = entities.iter().filter_map(|entity| entity.field("ObjName")).collect();
    if names.is_empty() {
        return Ok(Topic::ALL.to_vec());
    }
    let topic = |name: &str| {
        let why = format!("there is no subscription to {name}");
        Topic::named(name).ok_or_else(|| Fault::new("SDO_MsgEntity", "SDE_NotAllow", why))
    };
    names.into_iter().map(topic).collect()
}

#[cfg(test)]
mod tests;
