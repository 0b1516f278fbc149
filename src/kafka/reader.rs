//! From a message to valid events. What is not valid becomes a dead letter that tells its place, and the partition goes on.

use std::sync::Arc;

use nanming_dataflows::decision::Reason;
use nanming_dataflows::event::{CallChange, CallEvent, Event};
use rdkafka::Message;
use rdkafka::message::{BorrowedMessage, Headers};

use crate::config::KafkaConfig;
use crate::config::kafka::MessageFormat;
use crate::ingest::{DeadLetters, Taken, Unfit, Validator, sensed};
use crate::ledger::Book;
use crate::metrics::Metrics;

/// Reads messages.
pub struct Reader {
    /// What events are checked against.
    pub validator: Arc<Validator>,
    /// Calls that are known already. None: sensors' events alone are taken.
    pub book: Option<Book>,
    /// Where the rest goes.
    pub letters: Arc<DeadLetters>,
    /// Measures.
    pub metrics: Arc<Metrics>,
    format: MessageFormat,
    message_bytes: usize,
}

impl Reader {
    /// Of messages as the configuration says they are.
    pub fn new(
        config: &KafkaConfig,
        validator: Arc<Validator>,
        book: Option<Book>,
        letters: Arc<DeadLetters>,
        metrics: Arc<Metrics>,
    ) -> Reader {
        let (format, message_bytes) = (config.format, config.message_bytes);
        Reader { validator, book, letters, metrics, format, message_bytes }
    }

    /// What a message of a stream's topic holds.
    pub(super) fn read(&self, message: &BorrowedMessage<'_>, stream: &'static str, now_ms: u64) -> Taken {
        let raw = message.payload().unwrap_or_default();
        let mut is_whole = true;
        let mut refuse = |of: &str, unfit: Unfit, shown: &[u8]| {
            is_whole &= of != "unknown";
            self.bury(message, if of == "unknown" { stream } else { of }, &unfit, shown, now_ms);
        };
        let mut taken = match self.format_of(message, raw) {
            Ok(MessageFormat::Json) => self.validator.json_lines(raw, now_ms, &mut refuse),
            Ok(MessageFormat::Protobuf) => self.validator.protobuf(raw, now_ms, &mut refuse),
            Err(unfit) => {
                refuse("unknown", unfit, &[]);
                Taken::default()
            }
        };
        self.metrics.kafka.consumed(stream, is_whole);
        taken.events.retain(|event| {
            let refused = self.refusal(event);
            if let Some(unfit) = &refused {
                let shown = serde_json::to_vec(event).unwrap_or_default();
                self.bury(message, event.stream(), unfit, &shown, now_ms);
            }
            refused.is_none()
        });
        // What was said about a call that is refused must not be taken for words about another one of that number.
        let Taken { events, notes } = &mut taken;
        let is_opened = |call| events.iter().any(|event| matches!(event, Event::Call(e) if e.call == call));
        notes.retain(|(call, _)| is_opened(*call));
        taken
    }

    fn format_of(&self, message: &BorrowedMessage<'_>, raw: &[u8]) -> Result<MessageFormat, Unfit> {
        if raw.len() > self.message_bytes {
            let (is, may) = (raw.len(), self.message_bytes);
            return Err(Unfit::new(Reason::TooLarge, format!("{is} bytes, of which kafka.message_bytes allows {may}")));
        }
        if raw.is_empty() {
            return Err(Unfit::new(Reason::Malformed, "the message is empty"));
        }
        let headers = message.headers().into_iter().flat_map(|headers| headers.iter());
        let mut types = headers.filter(|header| header.key.eq_ignore_ascii_case("content-type"));
        match types.next().map(|header| String::from_utf8_lossy(header.value.unwrap_or_default()).into_owned()) {
            None => Ok(self.format),
            Some(named) if named.contains("protobuf") => Ok(MessageFormat::Protobuf),
            Some(named) if named.contains("json") => Ok(MessageFormat::Json),
            Some(named) => Err(Unfit::new(
                Reason::Malformed,
                format!("content-type '{named}' is neither application/json nor application/protobuf"),
            )),
        }
    }

    /// Why a valid event is not taken. A call that the ledger has is not opened again, also when the engine has forgotten it
    /// since.
    fn refusal(&self, event: &Event) -> Option<Unfit> {
        let Some(book) = &self.book else { return sensed(event).err() };
        let Event::Call(CallEvent { call, change: CallChange::Opened(_), .. }) = event else { return None };
        let known = book.page(*call).unwrap_or_else(|error| {
            tracing::error!(%error, %call, "the ledger cannot be asked whether it has a call; the engine will know");
            None
        });
        known.map(|_| Unfit::new(Reason::DuplicateCall, "the ledger has a call of this ID"))
    }

    fn bury(&self, message: &BorrowedMessage<'_>, stream: &str, unfit: &Unfit, shown: &[u8], now_ms: u64) {
        let (topic, partition, offset) = (message.topic(), message.partition(), message.offset());
        let detail = format!("{topic}[{partition}]@{offset}: {}", unfit.detail);
        self.letters.bury(now_ms, stream, unfit.reason, &detail, shown);
    }
}
