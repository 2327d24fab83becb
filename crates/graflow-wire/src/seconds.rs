use graflow_model::row::Span;

/// Microseconds as the wire says them: seconds.
///
/// ```
/// assert_eq!(graflow_wire::seconds(1_500_000), 1.5);
/// ```
#[expect(clippy::cast_precision_loss, reason = "exact up to 285 years")]
pub fn seconds(micros: u64) -> f64 {
    micros as f64 / 1e6
}

/// The length of a span in seconds.
pub(crate) fn span_seconds(span: Option<&Span>) -> Option<f64> {
    span.map(|span| seconds(span.micros))
}
