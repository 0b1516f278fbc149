//! The callback of a WeChat official account: `/wechat`. A sender's words and pictures wait for a place; the place makes
//! them a call. docs/alarms.md has the conversation as the sender sees it.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use nanming_dataflows::event::CallPhase;
use nanming_dataflows::ids::CallId;
use tokio::time::timeout;

use super::body::Whole;
use super::calls::{raise, set_aside};
use super::{App, Problem, Surface};
use crate::clock::wall_ms;
use crate::config::WechatConfig;
use crate::ingest::AlarmJson;
use crate::ingest::wechat::{Message, Said, read, reply};

pub(super) mod conversations;
pub(super) mod signed;

use conversations::{Conversations, Heard};
use signed::{Signed, Spent};

/// WeChat waits 5 s for an answer.
const PATIENCE: Duration = Duration::from_secs(4);

/// The account.
pub struct Wechat {
    token: crate::config::Secret,
    spent: Spent,
    conversations: Conversations,
}

impl Wechat {
    /// As it is configured; none without a token.
    pub fn new(config: &WechatConfig) -> Option<Wechat> {
        let token = config.token.clone();
        (!token.expose().is_empty()).then(|| Wechat {
            token,
            spent: Spent::default(),
            conversations: Conversations::default(),
        })
    }
}

/// The account, where there is one.
fn account(app: &App) -> Result<&Wechat, Problem> {
    let off = || Problem::new(StatusCode::NOT_FOUND, "not_enabled", "the WeChat callback is off: set wechat.token");
    app.wechat.as_ref().ok_or_else(off)
}

/// `GET /wechat`: WeChat asks whether this server knows the token.
pub(super) async fn get(signed: Signed) -> Response {
    signed.keep();
    ([(CONTENT_TYPE, "text/plain; charset=utf-8")], signed.echo.clone()).into_response()
}

/// `POST /wechat`: a message.
pub(super) async fn post(
    State(surface): State<Arc<Surface>>,
    signed: Signed,
    Whole(body): Whole,
) -> Result<Response, Problem> {
    let app = &surface.app;
    let message = read(&body).map_err(|unfit| {
        app.letters.bury(app.inbox.now_ms(), "calls", unfit.reason, &unfit.detail, &body);
        Problem::from(unfit)
    })?;
    let words = hear(app, account(app)?, &message, &body).await;
    signed.keep();
    let Some(words) = words else { return Ok("success".into_response()) };
    let answer = reply(&message, &words, wall_ms() / 1000);
    Ok(([(CONTENT_TYPE, "text/xml; charset=utf-8")], answer).into_response())
}

/// What its sender is told; nothing where a message is no alarm.
async fn hear(app: &App, account: &Wechat, message: &Message, body: &[u8]) -> Option<String> {
    let caller = app.validator.callers().pseudonym(&message.from);
    let (words, picture) = match &message.said {
        Said::Text(words) => (words.as_str(), ""),
        Said::Picture(reference) => ("", reference.as_str()),
        Said::Place { lon, lat, label } => {
            let heard = account.conversations.heard(&caller, wall_ms());
            let alarm = alarm(message, heard, (*lon, *lat), label);
            let answer = timeout(PATIENCE, call(app, alarm, &message.id, body)).await;
            return Some(match answer {
                Ok(Ok(call)) => {
                    account.conversations.forget(&caller);
                    if set_aside(app, call).is_ok_and(|page| page.is_some_and(|page| page.phase == CallPhase::Referred))
                    {
                        return Some(format!(
                            "您反映的事项已转交社区网格处理，编号 {call}。如有人身危险或情况紧急，请立即拨打110。"
                        ));
                    }
                    format!("您的报警已受理，警情编号 {call}。民警正在调派中，请保持通讯畅通；如情况变化请拨打110。")
                }
                Ok(Err(problem)) if problem.error() == "outside_city" => {
                    "您发送的位置不在本市接警范围内，请核对后重新发送位置，或直接拨打110。".into()
                }
                _ => "系统暂未确认您的报警，请立即拨打110。".into(),
            });
        }
        Said::Other => return Some("暂不能处理此类消息。请发送文字和位置，或直接拨打110。".into()),
        Said::Event => return None,
    };
    let kept = account.conversations.say(&caller, &message.id, words, picture, wall_ms());
    if let Err(reason) = kept {
        app.metrics.http_refused("wechat", reason);
        return Some("内容过多，未能全部记录。请发送您的位置以便出警，或直接拨打110。".into());
    }
    Some("已收到。请点击“+”并发送您的位置，收到位置后即为您报警。紧急情况请直接拨打110。".into())
}

pub(super) fn alarm(message: &Message, heard: Heard, (lon, lat): (f64, f64), label: &str) -> AlarmJson {
    let label = (!label.is_empty()).then(|| label.to_owned());
    let words: Vec<String> = Some(heard.words).filter(|words| !words.is_empty()).into_iter().chain(label).collect();
    AlarmJson {
        lon: Some(lon),
        lat: Some(lat),
        channel: Some("wechat".into()),
        caller: Some(message.from.clone()),
        words: Some(words.join("\n").chars().take(crate::ingest::alarm::MAX_WORDS).collect()),
        pictures: Some(heard.pictures),
        ..AlarmJson::default()
    }
}

/// Raises a call; a message that is passed on again is the call that it was.
async fn call(app: &App, alarm: AlarmJson, message: &str, body: &[u8]) -> Result<CallId, Problem> {
    let now_ms = app.inbox.now_ms();
    let key = format!("wechat:{message}");
    if let Some(call) = app.book.call_of_key(&key)? {
        return Ok(call);
    }
    let mut alarm = app.validator.alarm(alarm).map_err(|unfit| {
        app.letters.bury(now_ms, "calls", unfit.reason, &unfit.detail, body);
        Problem::from(unfit)
    })?;
    alarm.note.key = key;
    raise(app, alarm).await.map(|(call, _)| call)
}
