//! Starts the lineage server and waits until it answers.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};

use crate::process;

/// How long a server may take to start.
const PATIENCE: Duration = Duration::from_mins(1);

/// A server that runs; it is ended when this is dropped, whatever happened in between.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    url: String,
}

impl Server {
    /// Starts `graflow` as a server on a port of this machine; it answers when this returns.
    pub(crate) fn start(mut program: Command, port: u16) -> anyhow::Result<Self> {
        program.args(["lineage", "serve", "--host", "127.0.0.1", "--port", &port.to_string()]);
        let child = program
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .with_context(|| format!("failed to start `{}`", process::line_of(&program)))?;
        let mut server = Self { child, url: format!("http://127.0.0.1:{port}/") };
        let deadline = Instant::now() + PATIENCE;
        while !answers(port) {
            if let Some(status) = server.ended()? {
                bail!("the server ended before it answered: {status}");
            }
            if Instant::now() > deadline {
                bail!("the server did not answer within a minute");
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(server)
    }

    /// Its address.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// How it ended, if it has.
    pub(crate) fn ended(&mut self) -> anyhow::Result<Option<ExitStatus>> {
        self.child.try_wait().context("failed to wait for the server")
    }

    /// Asks it to end, and ends it when it does not.
    pub(crate) fn stop(mut self, patience: Duration) -> anyhow::Result<()> {
        process::stop(&mut self.child, patience)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Of one that was not stopped yet; nobody is left to hear what goes wrong.
        if matches!(self.ended(), Ok(None)) {
            drop(process::stop(&mut self.child, Duration::from_secs(1)));
        }
    }
}

/// A port that nobody uses now.
pub(crate) fn free_port() -> anyhow::Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("no port is free")?;
    Ok(listener.local_addr().context("failed to read a port's number")?.port())
}

/// Whether a server is up there.
fn answers(port: u16) -> bool {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let Ok(mut stream) = TcpStream::connect_timeout(&address, Duration::from_secs(1)) else { return false };
    let mut answer = [0; 12];
    let asked = stream
        .set_read_timeout(Some(Duration::from_secs(2)))
        .and_then(|()| {
            write!(stream, "GET /health HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n")
        })
        .and_then(|()| stream.read_exact(&mut answer));
    asked.is_ok() && &answer == b"HTTP/1.1 200"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_ends_is_no_server() {
        let error = Server::start(Command::new("false"), free_port().unwrap()).unwrap_err().to_string();
        assert!(error.starts_with("the server ended before it answered: "), "{error}");
    }
}
