use axum::Json;
use axum::extract::State;
use graflow_wire::{ErrorBody, Ticket};

use super::ReadErrors;
use crate::state::Api;
use crate::web::TicketOffice;

/// A ticket for the live stream
///
/// A browser cannot set headers on a WebSocket. It gets a ticket with its token or its cookie, and says it within half a minute as a
/// subprotocol: `["graflow", "ticket." + ticket]`. A ticket opens the live stream and nothing else.
#[utoipa::path(
    post,
    path = "/api/session/ticket",
    tag = "live",
    responses(
        (status = 200, description = "The ticket; null when the server has no token.", body = Ticket),
        (status = 401, description = "The token is missing or wrong.", body = ErrorBody),
        ReadErrors,
    )
)]
pub(crate) async fn issue_ticket(State(api): State<Api>) -> Json<Ticket> {
    let now = api.manager.clock().now();
    let ticket = api.settings.token.as_ref().map(|token| TicketOffice::new(token).issue(now));
    Json(Ticket { ticket, expires_in: TicketOffice::SECONDS })
}
