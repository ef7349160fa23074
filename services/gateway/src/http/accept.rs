//! Which of the two forms of a GraphQL answer the client reads.
//!
//! Source: GraphQL over HTTP, "Accept" and "Legacy watershed".

use axum::http::{HeaderMap, HeaderName, header};

/// A form of answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Media {
    /// `application/graphql-response+json`: the status says whether the request was right.
    Response,
    /// `application/json`: 200 for whatever was asked in the right form.
    Json,
}

impl Media {
    pub(crate) fn header(self) -> [(HeaderName, &'static str); 1] {
        let value = match self {
            Self::Response => "application/graphql-response+json; charset=utf-8",
            Self::Json => "application/json; charset=utf-8",
        };
        [(header::CONTENT_TYPE, value)]
    }
}

/// The form that `headers` ask for; none when neither is accepted.
pub(crate) fn negotiate(headers: &HeaderMap) -> Option<Media> {
    let mut asked = headers.get_all(header::ACCEPT).iter().peekable();
    asked.peek()?;
    let mut best: Option<(u32, Media)> = None;
    for value in asked {
        for range in value.to_str().ok()?.split(',') {
            let Some((media, quality)) = range_of(range) else { continue };
            // Of equals the first stands: clients write what they like best first.
            if quality > 0 && best.is_none_or(|(so_far, _)| quality > so_far) {
                best = Some((quality, media));
            }
        }
    }
    best.map(|(_, media)| media)
}

/// Whether `headers` ask for events, whatever else they take.
pub(crate) fn takes_events(headers: &HeaderMap) -> bool {
    let values = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|range| {
        let essence = range.split(';').next().unwrap_or_default();
        essence.trim().eq_ignore_ascii_case("text/event-stream")
    })
}

/// A media range and its quality in thousandths; none for what we do not write.
fn range_of(range: &str) -> Option<(Media, u32)> {
    let mut parts = range.split(';').map(str::trim);
    let media = match parts.next()?.to_ascii_lowercase().as_str() {
        "application/graphql-response+json" => Media::Response,
        "application/json" | "application/*" | "*/*" => Media::Json,
        _ => return None,
    };
    let mut quality = 1000;
    for part in parts {
        let (name, value) = part.split_once('=')?;
        match name.trim().to_ascii_lowercase().as_str() {
            "q" => quality = thousandths(value.trim())?,
            "charset" if !value.trim().trim_matches('"').eq_ignore_ascii_case("utf-8") => return None,
            _ => {}
        }
    }
    Some((media, quality))
}

/// `0.85` as 850. Source: RFC 9110, section 12.4.2.
fn thousandths(text: &str) -> Option<u32> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if fraction.len() > 3 || !fraction.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let whole: u32 = whole.parse().ok().filter(|whole| *whole <= 1)?;
    let fraction: u32 = format!("{fraction:0<3}").parse().ok()?;
    Some((whole * 1000 + fraction).min(1000))
}

/// What [`negotiate`] gives when there is no `Accept` at all: the older form, as clients of before the standard expect.
pub(crate) fn negotiate_or_json(headers: &HeaderMap) -> Option<Media> {
    if headers.contains_key(header::ACCEPT) { negotiate(headers) } else { Some(Media::Json) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(accept: &str) -> Option<Media> {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT, accept.parse().unwrap());
        negotiate_or_json(&headers)
    }

    #[test]
    fn the_form_liked_best_is_written() {
        assert_eq!(
            of("application/graphql-response+json; charset=utf-8, application/json; charset=utf-8"),
            Some(Media::Response)
        );
        assert_eq!(of("application/graphql-response+json;q=0.5, application/json;q=0.9"), Some(Media::Json));
        assert_eq!(of("text/html, application/graphql-response+json;q=0.001"), Some(Media::Response));
        assert_eq!(of("*/*"), Some(Media::Json));
        assert_eq!(negotiate_or_json(&HeaderMap::new()), Some(Media::Json));
    }

    #[test]
    fn what_we_do_not_write_is_not_acceptable() {
        for accept in ["text/html", "application/json;q=0", "application/json;charset=iso-8859-1", ""] {
            assert_eq!(of(accept), None, "{accept:?}");
        }
    }
}
