//! Bodies: bounded as they are sent, and bounded again as they are decompressed.

use std::error::Error;
use std::io::{self, Read};
use std::ops::Deref;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, StatusCode, header};
use graflow_lineage::ingest::BodyFormat;

use crate::error::ApiError;
use crate::state::Api;

/// A body that takes longer to arrive is given up.
const MOST_TIME: Duration = Duration::from_mins(1);
/// The largest window of zstd that is taken, 2^27 bytes: what its own command line takes.
const ZSTD_WINDOW: u32 = 27;
/// Bytes that a body may become without being asked for more: above what a batch of a producer becomes. What becomes
/// larger is measured first, which takes no memory, and then has its turn.
const INFLATED_AT_ONCE: usize = 4 << 20;

/// The body of `POST /api/events`, still compressed.
pub(crate) struct EventsBody {
    pub(crate) bytes: Bytes,
    pub(crate) encoding: Encoding,
    pub(crate) format: BodyFormat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encoding {
    Identity,
    Gzip,
    Zstd,
}

impl FromRequest<Api> for EventsBody {
    type Rejection = ApiError;

    async fn from_request(request: Request, api: &Api) -> Result<Self, ApiError> {
        let encoding = encoding(request.headers())?;
        let format = format(request.headers());
        let bytes = read_body(request, api.settings.limits.request_bytes).await?;
        Ok(Self { bytes, encoding, format })
    }
}

/// Reads a body of `most` bytes at most.
pub(super) async fn read_body(request: Request, most: usize) -> Result<Bytes, ApiError> {
    let too_large = || {
        ApiError::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "body_too_large",
            format!("the body has more than {most} bytes"),
            "nothing of it was taken; send it in several requests, or compressed (gzip, zstd)",
        )
    };
    let announced = request.headers().get(header::CONTENT_LENGTH);
    let announced = announced.and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    if announced.is_some_and(|length| length > most as u64) {
        return Err(too_large());
    }
    let body = axum::body::to_bytes(request.into_body(), most);
    match tokio::time::timeout(MOST_TIME, body).await {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(error)) if is_length_limit(&error) => Err(too_large()),
        Ok(Err(error)) => Err(ApiError::bad_request(
            "broken_body",
            format!("the body broke off: {error}"),
            "nothing of it was taken; send the same again",
        )),
        Err(_) => Err(ApiError::new(
            StatusCode::REQUEST_TIMEOUT,
            "slow_body",
            format!("the body took more than {} s", MOST_TIME.as_secs()),
            "nothing of it was taken; send smaller requests",
        )),
    }
}

/// Where large bodies wait for each other, so that only one of them is in memory decompressed.
#[derive(Debug, Default)]
pub(crate) struct LargeBodies(Mutex<()>);

/// A body as it was before it was compressed.
#[derive(Debug)]
pub(crate) struct Inflated<'a> {
    bytes: Bytes,
    /// Held by a large body until it is read.
    _turn: Option<MutexGuard<'a, ()>>,
}

impl Deref for Inflated<'_> {
    type Target = Bytes;
    fn deref(&self) -> &Bytes {
        &self.bytes
    }
}

/// Decompresses a body, up to `most` bytes. A large one waits for the others before it.
pub(crate) fn inflate<'a>(
    bytes: &Bytes,
    encoding: Encoding,
    most: usize,
    large: &'a LargeBodies,
) -> Result<Inflated<'a>, ApiError> {
    let inflated = match encoding {
        Encoding::Identity => return Ok(Inflated { bytes: bytes.clone(), _turn: None }),
        Encoding::Gzip => inflate_bounded(|| Ok(flate2::read::MultiGzDecoder::new(&**bytes)), most, large),
        Encoding::Zstd => inflate_bounded(
            || {
                let mut decoder = zstd::stream::read::Decoder::with_buffer(&**bytes)?;
                decoder.window_log_max(ZSTD_WINDOW)?;
                Ok(decoder)
            },
            most,
            large,
        ),
    };
    match inflated {
        Ok(Some(inflated)) => Ok(inflated),
        Ok(None) => Err(ApiError::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "inflated_too_large",
            format!("the body has more than {most} bytes when it is decompressed"),
            "nothing of it was taken; send it in several requests",
        )),
        Err(error) => Err(ApiError::bad_request(
            "broken_encoding",
            format!("the body cannot be decompressed: {error}"),
            "nothing of it was taken; Content-Encoding must say how the body was compressed",
        )),
    }
}

/// All bytes; none when there are more than `most`.
fn inflate_bounded<R: Read>(
    decoder: impl Fn() -> io::Result<R>,
    most: usize,
    large: &LargeBodies,
) -> io::Result<Option<Inflated<'_>>> {
    let mut inflated = Vec::new();
    let mut reader = decoder()?;
    let at_once = most.min(INFLATED_AT_ONCE) as u64;
    (&mut reader).take(at_once + 1).read_to_end(&mut inflated)?;
    let mut length = inflated.len() as u64;
    if length <= at_once {
        return Ok(Some(Inflated { bytes: inflated.into(), _turn: None }));
    }
    drop(inflated);
    let most = most as u64;
    length += io::copy(&mut reader.take((most + 1).saturating_sub(length)), &mut io::sink())?;
    if length > most {
        return Ok(None);
    }
    // A turn guards no data: one that panicked left nothing broken.
    let turn = large.0.lock().unwrap_or_else(PoisonError::into_inner);
    let mut inflated = Vec::with_capacity(usize::try_from(length).unwrap_or_default());
    decoder()?.take(length).read_to_end(&mut inflated)?;
    Ok(Some(Inflated { bytes: inflated.into(), _turn: Some(turn) }))
}

fn encoding(headers: &HeaderMap) -> Result<Encoding, ApiError> {
    let encodings: Vec<_> = headers.get_all(header::CONTENT_ENCODING).iter().collect();
    let word = match encodings.as_slice() {
        [] => return Ok(Encoding::Identity),
        [one] => one.to_str().unwrap_or("?").trim().to_ascii_lowercase(),
        _ => "several".to_owned(),
    };
    match word.as_str() {
        "" | "identity" => Ok(Encoding::Identity),
        "gzip" | "x-gzip" => Ok(Encoding::Gzip),
        "zstd" => Ok(Encoding::Zstd),
        _ => Err(ApiError::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "unknown_encoding",
            format!("Content-Encoding: {}", word.chars().take(64).collect::<String>()),
            "gzip, zstd or nothing",
        )),
    }
}

fn format(headers: &HeaderMap) -> BodyFormat {
    let media_type =
        headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let media_type = media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    match media_type.as_str() {
        "application/x-ndjson" | "application/ndjson" | "application/jsonl" | "application/x-jsonlines" => {
            BodyFormat::Ndjson
        }
        "application/json" => BodyFormat::Json,
        _ => BodyFormat::Unknown,
    }
}

fn is_length_limit(error: &axum::Error) -> bool {
    let mut source: Option<&dyn Error> = Some(error);
    while let Some(error) = source {
        // The type of it is not public here; its words are its contract.
        if error.to_string() == "length limit exceeded" {
            return true;
        }
        source = error.source();
    }
    false
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn gzip(bytes: &[u8]) -> Bytes {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap().into()
    }

    fn zstd(bytes: &[u8]) -> Bytes {
        zstd::encode_all(bytes, 3).unwrap().into()
    }

    #[test]
    fn gzip_and_zstd() {
        let large = LargeBodies::default();
        for most in [100, INFLATED_AT_ONCE, INFLATED_AT_ONCE + 1, 3 * INFLATED_AT_ONCE] {
            let text: Vec<_> = (0_u8..251).cycle().take(most).collect();
            for (bytes, encoding) in [(gzip(&text), Encoding::Gzip), (zstd(&text), Encoding::Zstd)] {
                assert!(
                    inflate(&bytes, encoding, most, &large).unwrap().bytes == text,
                    "{most} {encoding:?}"
                );
                assert!(inflate(&bytes, encoding, most - 1, &large).is_err());
                assert!(inflate(&bytes.slice(..bytes.len() / 2), encoding, most, &large).is_err());
            }
        }
    }

    #[test]
    fn a_bomb_is_stopped_at_the_limit() {
        let zeros = vec![0; 200 << 20];
        let large = LargeBodies::default();
        for (bomb, encoding) in [(gzip(&zeros), Encoding::Gzip), (zstd(&zeros), Encoding::Zstd)] {
            assert!(bomb.len() < 1 << 20);
            assert!(inflate(&bomb, encoding, 64 << 20, &large).is_err());
        }
    }

    #[test]
    fn a_large_body_waits_for_the_one_before_it_and_a_small_one_does_not() {
        let large = LargeBodies::default();
        let (many, few) = (gzip(&vec![0; INFLATED_AT_ONCE + 1]), gzip(b"[]"));
        let most = 2 * INFLATED_AT_ONCE;
        let (done, second) = std::sync::mpsc::channel();
        std::thread::scope(|scope| {
            let first = inflate(&many, Encoding::Gzip, most, &large).unwrap();
            assert_eq!(inflate(&few, Encoding::Gzip, most, &large).unwrap().len(), 2);
            let (many, large) = (&many, &large);
            scope.spawn(move || {
                let inflated = inflate(many, Encoding::Gzip, most, large).unwrap();
                done.send(inflated.len()).unwrap();
            });
            assert!(second.recv_timeout(Duration::from_millis(300)).is_err());
            drop(first);
            assert_eq!(second.recv().unwrap(), INFLATED_AT_ONCE + 1);
        });
    }
}
