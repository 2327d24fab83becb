//! The pages: a static application from `web/dist`, built into the program or read from a folder.
//!
//! The server only hands out files. What the pages show they ask over REST and the live stream, as everybody does.

mod answer;
mod embedded;
mod index;
mod pages;
mod session;
mod ticket;

pub(crate) use answer::{file_in_assets, file_in_root, has_pages, page, page_or_redirect};
pub use pages::Pages;
pub(crate) use session::{is_signed_in, sign_in};
pub(crate) use ticket::TicketOffice;
