//! A server behind nginx, as `packaging/nginx.conf` sets it up.
//!
//! Where nginx is not installed there is nothing to test, which the test says; `GRAFLOW_TEST_NGINX=1` makes that a failure.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::harness::{Graflow, fixture};

/// nginx in the foreground, ended when dropped.
struct Nginx(Child);

impl Drop for Nginx {
    fn drop(&mut self) {
        // SIGTERM to the master, which takes its workers along; killed they would stay.
        let _ = Command::new("kill").args(["-TERM", &self.0.id().to_string()]).status();
        let _ = self.0.wait();
    }
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// The packaged configuration, with other ports and without TLS.
fn configuration(folder: &Path, server: &str, port: u16) -> String {
    let packaged = std::fs::read_to_string(fixture("../../../../packaging/nginx.conf")).unwrap();
    let mut site = packaged
        .replace("server 127.0.0.1:8000;", &format!("server {server};"))
        .replace("listen 443 ssl;", &format!("listen 127.0.0.1:{port};"));
    site = site.lines().filter(|line| !line.trim_start().starts_with("ssl_")).collect::<Vec<_>>().join("\n");
    let place = folder.display();
    format!(
        "daemon off; pid {place}/nginx.pid; error_log {place}/error.log; worker_processes 1;\n\
         events {{ worker_connections 128; }}\n\
         http {{ access_log off; client_body_temp_path {place}/body; proxy_temp_path {place}/proxy;\n\
         fastcgi_temp_path {place}/fastcgi; uwsgi_temp_path {place}/uwsgi; scgi_temp_path {place}/scgi;\n{site}\n}}\n"
    )
}

/// Sends a request and reads the answer, up to where it is known.
fn ask(port: u16, request: &str, enough: impl Fn(&str) -> bool) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let (mut answer, mut piece) = (Vec::new(), [0; 4_096]);
    while let Ok(read) = stream.read(&mut piece) {
        answer.extend_from_slice(&piece[..read]);
        if read == 0 || enough(&String::from_utf8_lossy(&answer)) {
            break;
        }
    }
    String::from_utf8_lossy(&answer).into_owned()
}

fn get(port: u16, path: &str, host: &str) -> String {
    ask(port, &format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"), |_| false)
}

#[test]
fn rest_pages_and_the_live_stream_go_through_nginx_below_a_path() {
    const HOST: &str = "lineage.example.org";
    let found = Command::new("nginx").arg("-v").stderr(Stdio::null()).status();
    if !found.is_ok_and(|status| status.success()) {
        assert!(std::env::var_os("GRAFLOW_TEST_NGINX").is_none(), "nginx is not installed");
        println!("nginx is not installed: nothing was tested");
        return;
    }
    let graflow = Graflow::with_runs();
    let server = graflow.serve(&["--prefix", "/lineage", "--allowed-host", HOST]);
    let address = server.url.strip_prefix("http://").unwrap().trim_end_matches("/lineage").to_owned();
    let place = tempfile::tempdir().unwrap();
    let port = free_port();
    let file = place.path().join("nginx.conf");
    std::fs::write(&file, configuration(place.path(), &address, port)).unwrap();
    let nginx =
        Command::new("nginx").arg("-p").arg(place.path()).arg("-c").arg(&file).stderr(Stdio::null()).spawn();
    let _nginx = Nginx(nginx.unwrap());
    let began = Instant::now();
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        let told = std::fs::read_to_string(place.path().join("error.log")).unwrap_or_default();
        assert!(began.elapsed() < Duration::from_secs(20), "nginx does not answer: {told}");
        std::thread::sleep(Duration::from_millis(20));
    }

    assert!(get(port, "/lineage/health", HOST).contains("\"healthy\""));
    let listed = get(port, "/lineage/api/executions", HOST);
    assert!(listed.starts_with("HTTP/1.1 200") && listed.contains("orders"), "{listed}");
    assert!(get(port, "/lineage/", HOST).starts_with("HTTP/1.1 200"));
    assert!(get(port, "/lineage", HOST).starts_with("HTTP/1.1 301"));
    let foreign = get(port, "/lineage/api/executions", "evil.example.net");
    assert!(foreign.starts_with("HTTP/1.1 403") || foreign.starts_with("HTTP/1.1 421"), "{foreign}");

    // Producers and commands use the same address.
    let upgrade = format!(
        "GET /lineage/ws/lineage HTTP/1.1\r\nHost: {HOST}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nOrigin: http://{HOST}\r\n\r\n"
    );
    let stream = ask(port, &upgrade, |answer| answer.contains("\"hello\""));
    assert!(stream.starts_with("HTTP/1.1 101") && stream.contains("\"hello\""), "{stream}");
}
