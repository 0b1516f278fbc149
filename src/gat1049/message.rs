//! Messages, to XML and back. Objects are trees of names: what they mean is for others to know.

use std::borrow::Cow;
use std::io;

use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesText, Event};
use roxmltree::{Document, Node, ParsingOptions};

/// Nodes of a message at most.
const MOST_NODES: u32 = 20_000;
/// Elements stand at most so deep in each other: objects are read, written and dropped one inside the other, on a stack that ends.
const MOST_DEPTH: usize = 32;
/// Operations of a message at most: each is answered, and some with all that is known.
const MOST_OPERATIONS: usize = 20;
/// Longest message, bytes.
pub(super) const MAX_MESSAGE: usize = 256 << 10;
const END: &[u8] = b"</Message>";

/// What a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Wants an answer.
    Request,
    /// Is one.
    Response,
    /// Wants none.
    Push,
    /// Says that a request failed.
    Error,
}

impl Kind {
    const ALL: [(&'static str, Kind); 4] =
        [("REQUEST", Kind::Request), ("RESPONSE", Kind::Response), ("PUSH", Kind::Push), ("ERROR", Kind::Error)];

    fn as_str(self) -> &'static str {
        Kind::ALL.iter().find(|(_, kind)| *kind == self).map_or("", |(name, _)| name)
    }
}

/// Something with a name: text, or things with names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Object {
    /// Its name.
    pub name: String,
    /// Its text, where it holds nothing else.
    pub text: String,
    /// What it holds.
    pub fields: Vec<Object>,
}

impl Object {
    /// Something with fields.
    pub fn of(name: &str, fields: impl IntoIterator<Item = Object>) -> Object {
        Object { name: name.into(), text: String::new(), fields: fields.into_iter().collect() }
    }

    /// Something with a text.
    pub fn text(name: &str, text: impl ToString) -> Object {
        Object { name: name.into(), text: text.to_string(), fields: Vec::new() }
    }

    /// The text of a field; none where it is missing or empty.
    pub fn field(&self, name: &str) -> Option<&str> {
        let field = self.fields.iter().find(|field| field.name == name);
        field.map(|field| field.text.as_str()).filter(|text| !text.is_empty())
    }

    /// The number in a field; none where it is missing or empty.
    pub fn number<N: std::str::FromStr>(&self, name: &str) -> Result<Option<N>, Fault> {
        let number = |text: &str| {
            text.parse().map_err(|_| {
                Fault::new(&self.name, "SDE_Failure", format!("{name} '{text}' is no number in its range"))
            })
        };
        self.field(name).map(number).transpose()
    }

    fn write(&self, to: &mut Writer<Vec<u8>>) -> io::Result<()> {
        let element = to.create_element(self.name.as_str());
        if self.fields.is_empty() {
            element.write_text_content(BytesText::new(&fit(&self.text)))?;
        } else {
            element.write_inner_content(|to| self.fields.iter().try_for_each(|field| field.write(to)))?;
        }
        Ok(())
    }
}

/// Something to be done, or done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operation {
    /// Its place in the message.
    pub order: String,
    /// What, such as `Notify`.
    pub name: String,
    /// With what.
    pub objects: Vec<Object>,
}

/// A message. `from` and `to` are systems, such as `UTCS`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Of the log-in; empty before.
    pub token: String,
    /// Who sends it.
    pub from: String,
    /// Whom it is for.
    pub to: String,
    /// What it is.
    pub kind: Kind,
    /// Which; an answer bears the number of what it answers.
    pub seq: String,
    /// What it says.
    pub operations: Vec<Operation>,
}

/// Why a request fails.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// What it is about.
    pub object: String,
    /// Its kind, such as `SDE_Token`.
    pub kind: &'static str,
    /// In words.
    pub why: String,
}

impl Fault {
    /// About something.
    pub fn new(object: &str, kind: &'static str, why: impl Into<String>) -> Fault {
        Fault { object: object.into(), kind, why: why.into() }
    }

    /// As it is sent.
    pub fn object(&self) -> Object {
        let Fault { object, kind, why } = self;
        Object::of(
            "SDO_Error",
            [Object::text("ErrObj", object), Object::text("ErrType", kind), Object::text("ErrDesc", why)],
        )
    }
}

impl Message {
    /// Reads one.
    pub fn read(text: &[u8]) -> Result<Message, Fault> {
        let wrong = |why: String| Fault::new("Message", "SDE_MsgType", why);
        let text = std::str::from_utf8(text).map_err(|error| wrong(format!("it is not UTF-8: {error}")))?;
        let options = ParsingOptions { allow_dtd: false, nodes_limit: MOST_NODES, ..ParsingOptions::default() };
        let document = Document::parse_with_options(text.trim(), options).map_err(|error| wrong(error.to_string()))?;
        if document.descendants().any(|node| node.ancestors().nth(MOST_DEPTH).is_some()) {
            return Err(wrong(format!("its elements stand more than {MOST_DEPTH} deep in each other")));
        }
        let root = document.root_element();
        let child = |of: Node<'_, '_>, name: &str| child_text(of, name).unwrap_or_default();
        let system = |name: &str| {
            let at = find(root, name).and_then(|end| find(end, "Address"));
            at.map(|at| child(at, "Sys")).unwrap_or_default()
        };
        let kind = child(root, "Type");
        let known = Kind::ALL.iter().find(|(name, _)| name.eq_ignore_ascii_case(&kind)).map(|(_, kind)| *kind);
        let body = find(root, "Body").into_iter().flat_map(|body| body.children().filter(Node::is_element));
        let operations: Vec<Node<'_, '_>> = body.filter(|operation| operation.has_tag_name("Operation")).collect();
        if operations.len() > MOST_OPERATIONS {
            return Err(wrong(format!("it has {} operations, of at most {MOST_OPERATIONS}", operations.len())));
        }
        Ok(Message {
            token: child(root, "Token"),
            from: system("From"),
            to: system("To"),
            kind: known.ok_or_else(|| wrong(format!("<Type> '{kind}' is none of REQUEST, RESPONSE, PUSH, ERROR")))?,
            seq: child(root, "Seq"),
            operations: operations.into_iter().map(operation).collect(),
        })
    }

    /// What an answer to it needs.
    pub(super) fn head(&self) -> Message {
        let Message { token, from, to, kind, seq, .. } = self;
        let (token, from, to, seq) = (token.clone(), from.clone(), to.clone(), seq.clone());
        Message { token, from, to, kind: *kind, seq, operations: Vec::new() }
    }

    /// As it is sent.
    pub fn write(&self, version: &str) -> Vec<u8> {
        let address = |name: &str, system: &str| {
            let parts = [Object::text("Sys", system), Object::text("SubSys", ""), Object::text("Instance", "")];
            Object::of(name, [Object::of("Address", parts)])
        };
        let head = [
            Object::text("Version", version),
            Object::text("Token", &self.token),
            address("From", &self.from),
            address("To", &self.to),
            Object::text("Type", self.kind.as_str()),
            Object::text("Seq", &self.seq),
        ];
        let mut to = Writer::new(Vec::new());
        // Writing to memory cannot fail.
        let _ = to.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)));
        let _ = to.create_element("Message").write_inner_content(|to| {
            head.iter().try_for_each(|object| object.write(to))?;
            to.create_element("Body")
                .write_inner_content(|to| self.operations.iter().try_for_each(|operation| operation.write(to)))?;
            Ok(())
        });
        to.into_inner()
    }
}

impl Operation {
    fn write(&self, to: &mut Writer<Vec<u8>>) -> io::Result<()> {
        let element = to.create_element("Operation");
        let (order, name) = (fit(&self.order), fit(&self.name));
        let element = element.with_attribute(("order", &*order)).with_attribute(("name", &*name));
        element.write_inner_content(|to| self.objects.iter().try_for_each(|object| object.write(to)))?;
        Ok(())
    }
}

/// A text with only what XML can hold.
fn fit(text: &str) -> Cow<'_, str> {
    let fits = |c: char| matches!(c, '\t' | '\n' | '\r') || (c >= ' ' && !matches!(c, '\u{fffe}' | '\u{ffff}'));
    if text.chars().all(fits) { text.into() } else { text.chars().map(|c| if fits(c) { c } else { '?' }).collect() }
}

fn operation(node: Node<'_, '_>) -> Operation {
    let attribute = |name: &str| {
        let found = node.attributes().find(|attribute| attribute.name().eq_ignore_ascii_case(name));
        found.map(|attribute| attribute.value().to_owned()).unwrap_or_default()
    };
    let objects = node.children().filter(Node::is_element).map(object).collect();
    Operation { order: attribute("order"), name: attribute("name"), objects }
}

fn object(node: Node<'_, '_>) -> Object {
    let fields: Vec<Object> = node.children().filter(Node::is_element).map(object).collect();
    let text = if fields.is_empty() { node.text().unwrap_or_default().trim().to_owned() } else { String::new() };
    Object { name: node.tag_name().name().into(), text, fields }
}

fn find<'a, 'input>(of: Node<'a, 'input>, name: &str) -> Option<Node<'a, 'input>> {
    of.children().find(|child| child.has_tag_name(name))
}

fn child_text(of: Node<'_, '_>, name: &str) -> Option<String> {
    find(of, name)?.text().map(|text| text.trim().to_owned())
}

/// Messages out of a stream of bytes.
#[derive(Debug, Default)]
pub struct Split(Vec<u8>);

impl Split {
    /// Takes bytes; the messages that end in them. None: what has come is longer than any message.
    pub fn take(&mut self, bytes: &[u8]) -> Option<Vec<Vec<u8>>> {
        let mut messages = Vec::new();
        let mut searched = self.0.len().saturating_sub(END.len());
        self.0.extend_from_slice(bytes);
        while let Some(at) = self.0[searched..].windows(END.len()).position(|window| window == END) {
            let rest = self.0.split_off(searched + at + END.len());
            messages.push(std::mem::replace(&mut self.0, rest));
            searched = 0;
        }
        (self.0.len() <= MAX_MESSAGE).then_some(messages)
    }
}

#[cfg(test)]
mod tests;
