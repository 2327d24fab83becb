//! Bodies: bounded as they are sent, and bounded again as they are decompressed.

use std::error::Error;
use std::io::{self, Read};
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

/// Decompresses a body, up to `most` bytes.
pub(crate) fn inflate(bytes: &Bytes, encoding: Encoding, most: usize) -> Result<Bytes, ApiError> {
    let inflated = match encoding {
        Encoding::Identity => return Ok(bytes.clone()),
        Encoding::Gzip => read_bounded(flate2::read::MultiGzDecoder::new(&**bytes), most),
        Encoding::Zstd => zstd::stream::read::Decoder::with_buffer(&**bytes).and_then(|mut decoder| {
            decoder.window_log_max(ZSTD_WINDOW)?;
            read_bounded(decoder, most)
        }),
    };
    match inflated {
        Ok(Some(inflated)) => Ok(inflated.into()),
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
fn read_bounded(reader: impl Read, most: usize) -> io::Result<Option<Vec<u8>>> {
    let mut inflated = Vec::new();
    reader.take(most as u64 + 1).read_to_end(&mut inflated)?;
    Ok((inflated.len() <= most).then_some(inflated))
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

    #[test]
    fn gzip_and_zstd() {
        let text = b"[]".repeat(50);
        let zstd = Bytes::from(zstd::encode_all(&*text, 3).unwrap());
        for (bytes, encoding) in [(gzip(&text), Encoding::Gzip), (zstd, Encoding::Zstd)] {
            assert_eq!(inflate(&bytes, encoding, 100).unwrap(), text);
            assert!(inflate(&bytes, encoding, 99).is_err());
            assert!(inflate(&bytes.slice(..bytes.len() / 2), encoding, 100).is_err());
        }
    }

    #[test]
    fn a_bomb_is_stopped_at_the_limit() {
        let zeros = vec![0; 200 << 20];
        let bomb = gzip(&zeros);
        assert!(bomb.len() < 1 << 20);
        assert!(inflate(&bomb, Encoding::Gzip, 64 << 20).is_err());
        let bomb = Bytes::from(zstd::encode_all(&*zeros, 19).unwrap());
        assert!(inflate(&bomb, Encoding::Zstd, 64 << 20).is_err());
    }
}
