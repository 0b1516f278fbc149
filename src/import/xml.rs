//! Elements of SUMO's large XML files, one after the other.

use std::path::{Path, PathBuf};

use nanming_dataflows::decision::Reason;
use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use super::input::Input;
use super::{ImportError, Unfit};

/// An element's tag, or the text between two, is never longer, bytes.
const LONGEST: usize = 1 << 20;

/// The elements of a file.
pub(super) struct Elements {
    path: PathBuf,
    reader: Reader<Input>,
    buffer: Vec<u8>,
    depth: usize,
}

/// An element begins or ends.
pub(super) enum Tag {
    Begin(Element),
    End(String),
}

/// An element and its attributes.
pub(super) struct Element(BytesStart<'static>);

impl Elements {
    /// Opens a file whose outermost element must have such a name.
    pub(super) fn open(path: &Path, root: &str, hint: &str) -> Result<Elements, ImportError> {
        let input = Input::open(path).map_err(|source| ImportError::File { path: path.into(), source })?;
        let mut elements =
            Elements { path: path.into(), reader: Reader::from_reader(input), buffer: Vec::new(), depth: 0 };
        let name = match elements.next()? {
            Some(Tag::Begin(element)) => element.name().to_owned(),
            _ => String::new(),
        };
        if name == root {
            return Ok(elements);
        }
        Err(elements.wrong(format!("its outermost element is '{name}' and not '{root}': {hint}")))
    }

    /// The next tag; none at the end.
    pub(super) fn next(&mut self) -> Result<Option<Tag>, ImportError> {
        loop {
            self.buffer.clear();
            self.reader.get_mut().allow(LONGEST);
            let line = self.line();
            let wrong = |what: String| ImportError::Content { path: self.path.clone(), line, what };
            match self.reader.read_event_into(&mut self.buffer) {
                Ok(Event::Start(start)) => {
                    self.depth += 1;
                    return Ok(Some(Tag::Begin(Element(start.into_owned()))));
                }
                Ok(Event::Empty(start)) => return Ok(Some(Tag::Begin(Element(start.into_owned())))),
                Ok(Event::End(end)) => {
                    self.depth = self.depth.saturating_sub(1);
                    return Ok(Some(Tag::End(end.name().as_ref().to_owned())));
                }
                Ok(Event::Eof) if self.depth > 0 => return Err(wrong("it ends in the middle: was it cut off?".into())),
                Ok(Event::Eof) => return Ok(None),
                Ok(_) => {}
                Err(error) => return Err(wrong(error.to_string())),
            }
        }
    }

    /// The line that is read.
    pub(super) fn line(&self) -> u64 {
        self.reader.get_ref().line
    }

    fn wrong(&self, what: String) -> ImportError {
        ImportError::Content { path: self.path.clone(), line: self.line(), what }
    }
}

impl Element {
    pub(super) fn name(&self) -> &str {
        self.0.local_name().into_inner()
    }

    /// An attribute's value.
    pub(super) fn text(&self, name: &str) -> Result<String, Unfit> {
        let wrong = |what: &str| (Reason::Malformed, format!("{what} '{name}'"));
        let attribute = self.0.try_get_attribute(name).map_err(|_| wrong("it has an ill-formed attribute beside"))?;
        let value = attribute.ok_or_else(|| wrong("it has no attribute"))?;
        quick_xml::escape::unescape(&value.value)
            .map(|text| text.into_owned())
            .map_err(|_| wrong("it cannot be read: attribute"))
    }

    /// An attribute's number.
    pub(super) fn number(&self, name: &str) -> Result<f64, Unfit> {
        super::times::number(&self.text(name)?)
    }
}
