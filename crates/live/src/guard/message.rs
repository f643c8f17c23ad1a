//! HTTP requests that were held as a whole, on any version of it.

use super::coding::{self, Decoder};
use super::decide::{Outcome, Progress, Warden};
use super::head::Fields;
use super::{LONG, Noticed, Share, aside, redact};
use dyetrace_case::{Blob, Message, Protocol};

/// Decoded bodies may be so many times as long as what is held.
const GROWTH: usize = 16;

/// What the server is to get of a request.
pub(super) enum Judged {
    /// The head as it came, with this content, which is as it came too.
    Pass(Vec<u8>),
    /// Target and fields of this message with this content. `true` where the content is not coded any more.
    Changed(Box<Message>, Vec<u8>, bool),
    /// Nothing. What was found.
    Stopped(Vec<Noticed>),
}

/// Judges a request. `content` is as it was sent; absent where there is none. What it is decoded to is counted in
/// `share`.
pub(super) async fn judge(
    warden: &Warden,
    protocol: Protocol,
    mut message: Message,
    content: Option<Vec<u8>>,
    share: &mut Share,
) -> Judged {
    let has_content = content.is_some();
    let mut content = content.unwrap_or_default();
    let codings = if content.is_empty() { Vec::new() } else { coding::codings(&message.headers) };
    let mut coded = None;
    if !codings.is_empty() {
        let most = warden.guarding.settings.hold_limit.saturating_mul(GROWTH);
        let decoded =
            aside(content.len() > LONG, || coding::decode(&content, &codings, most, &mut |bytes| share.take(bytes)));
        if decoded.is_whole {
            coded = Some(std::mem::replace(&mut content, decoded.bytes));
        } else if let Err(what) = broken(warden, protocol, Some(decoded.bytes).filter(|bytes| *bytes != content)).await
        {
            return Judged::Stopped(what);
        }
    }
    message.body = has_content.then(|| Blob::from(content));
    let mut record = warden.record(protocol, message);
    let outcome = warden.judge(&mut record, Progress::default()).await;
    let message = record.request.unwrap_or_default();
    match outcome {
        Outcome::Pass => Judged::Pass(coded.unwrap_or_else(|| redact::bytes_of(&message))),
        Outcome::Changed => {
            let content = redact::bytes_of(&message);
            Judged::Changed(Box::new(message), content, coded.is_some())
        }
        Outcome::Stopped(what) => Judged::Stopped(what),
    }
}

/// Tells of a body that cannot be decoded to its end, and looks at what came out before that.
async fn broken(warden: &Warden, protocol: Protocol, decoded: Option<Vec<u8>>) -> Result<(), Vec<Noticed>> {
    if !warden.unreadable(CODING, 0).await {
        return Err(Vec::new());
    }
    let Some(decoded) = decoded else { return Ok(()) };
    let mut record = warden.record_of(protocol, decoded);
    match warden.judge(&mut record, Progress { is_fixed: true, ..Progress::default() }).await {
        Outcome::Stopped(what) => Err(what),
        Outcome::Pass | Outcome::Changed => Ok(()),
    }
}

/// What undoes the coding of a body that is too long to be held. `Err` where it may not pass unread.
pub(super) async fn decoder(warden: &Warden, fields: &Fields) -> Result<Option<Decoder>, ()> {
    let codings = coding::codings(fields);
    let found = if let [coding] = codings.as_slice() { Decoder::new(coding) } else { None };
    if found.is_none() && !codings.is_empty() && !warden.unreadable(CODING, 0).await {
        return Err(());
    }
    Ok(found)
}

const CODING: &str = "the content coding cannot be undone";
