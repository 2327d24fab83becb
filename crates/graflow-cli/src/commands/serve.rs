//! `graflow lineage serve`

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use graflow_api::{BindError, Pages, Settings, Token};
use graflow_lineage::retention::RetentionLimits;
use graflow_lineage::store::Store as _;
use graflow_local::DataFolder;
use graflow_store::EmbeddedStore;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::config::Config;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::gauges::{self, Gauges};
use crate::logging::{self, LogFormat};
use crate::owned_folder::{Tables, TakenFolder};
use crate::time_argument::parse_duration;

/// Ports that are tried after the first with `--or-next-port`.
const MORE_PORTS: u16 = 99;

/// Between two looks at the limits.
const LOOK_AT_LIMITS: Duration = Duration::from_mins(1);

/// What a producer leaves in the spool at the most.
const SPOOL_BYTES: u64 = 1 << 30;

/// Where and for whom.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// The address to listen on; beyond this machine a token is needed.
    #[arg(long, default_value = "127.0.0.1")]
    host: String,
    /// The port to listen on; 0 = any that is free.
    #[arg(long, default_value_t = 8000)]
    port: u16,
    /// When the port is in use, take the next one that is free, up to a hundred further on.
    #[arg(long)]
    or_next_port: bool,
    /// Stop after this time, such as 30m, without a request or a viewer.
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    idle_exit: Option<Duration>,
    /// An origin whose pages may ask from a browser, such as `https://lineage.example.org`; may be given several times.
    #[arg(long, value_name = "ORIGIN")]
    cors_origin: Vec<String>,
    /// A name that is answered to besides this machine's own, as behind a proxy; may be given several times.
    #[arg(long, value_name = "HOST")]
    allowed_host: Vec<String>,
    /// Put before every path, as behind a proxy, such as `/lineage`.
    #[arg(long, value_name = "PATH", default_value = "", value_parser = parse_prefix)]
    prefix: String,
    /// Serve the pages from `web/dist` and load them again in open browsers when they change.
    #[arg(long)]
    reload: bool,
    #[command(flatten)]
    keep: Keep,
    /// How log lines are written.
    #[arg(long, value_enum, default_value_t = LogFormat::Text)]
    log_format: LogFormat,
}

/// What is kept. The execution that ended first goes first, and one that has not ended never does.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "What is kept")]
struct Keep {
    /// Delete executions so long after their end; `off` = never.
    #[arg(long = "keep-age", value_name = "DURATION", default_value = "365d", env = "GRAFLOW_LINEAGE_KEEP_AGE", value_parser = parse_age)]
    age: Limit<Duration>,
    /// Keep so many executions; `off` = any number.
    #[arg(long = "keep-executions", value_name = "NUMBER", default_value = "1000000", env = "GRAFLOW_LINEAGE_KEEP_EXECUTIONS", value_parser = parse_executions)]
    executions: Limit<u64>,
    /// Keep the data folder within so many bytes, such as 500M or 20G, at least 64M; `off` = any size.
    #[arg(long = "keep-bytes", value_name = "SIZE", default_value = "20G", env = "GRAFLOW_LINEAGE_KEEP_BYTES", value_parser = parse_size)]
    bytes: Limit<u64>,
}

/// A limit, or none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Limit<T>(Option<T>);

impl Keep {
    fn limits(&self) -> RetentionLimits {
        RetentionLimits { age: self.age.0, executions: self.executions.0, bytes: self.bytes.0 }
    }
}

fn parse_age(text: &str) -> Result<Limit<Duration>, String> {
    if text == "off" {
        return Ok(Limit(None));
    }
    parse_duration(text).map(|age| Limit(Some(age)))
}

fn parse_executions(text: &str) -> Result<Limit<u64>, String> {
    if text == "off" {
        return Ok(Limit(None));
    }
    let number = text.parse().ok().filter(|number| *number > 0);
    number
        .map(|number| Limit(Some(number)))
        .ok_or_else(|| format!("`{text}` is no number of executions; write one above 0, or off"))
}

fn parse_size(text: &str) -> Result<Limit<u64>, String> {
    if text == "off" {
        return Ok(Limit(None));
    }
    let wrong =
        || format!("`{text}` is no size; write a whole number and a unit (M, G, T), at least 64M, or off");
    let unit_at = text.find(|character: char| !character.is_ascii_digit()).ok_or_else(wrong)?;
    let (number, unit) = text.split_at(unit_at);
    let shift = match unit.trim_end_matches("iB").trim_end_matches('B') {
        "M" => 20,
        "G" => 30,
        "T" => 40,
        _ => return Err(wrong()),
    };
    let number: u64 = number.parse().map_err(|_| wrong())?;
    let bytes = number.checked_mul(1 << shift).filter(|bytes| *bytes >= 64 << 20);
    bytes.map(|bytes| Limit(Some(bytes))).ok_or_else(wrong)
}

fn parse_prefix(text: &str) -> Result<String, String> {
    let trimmed = text.trim_end_matches('/');
    let fits = trimmed.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/-._~".contains(&byte));
    if trimmed.is_empty() || (trimmed.starts_with('/') && !trimmed.contains("//") && fits) {
        Ok(trimmed.to_owned())
    } else {
        Err(format!("`{text}` is no path; write it as /lineage"))
    }
}

/// Serves until Ctrl-C, or until the system says so.
pub(crate) async fn run(config: &Config, options: Options) -> anyhow::Result<Exit> {
    let pages = pages(options.reload)?;
    logging::for_server(options.log_format);
    // Whoever owns the folder is the better reason for a port that is in use.
    let limits = options.keep.limits();
    let folder = TakenFolder::take(config).await?.keeping(limits);
    let mut settings = Settings {
        host: options.host.clone(),
        port: options.port,
        token: config
            .token
            .as_deref()
            .map(Token::new)
            .transpose()
            .map_err(|error| Failure::of(Exit::Usage, &error))?,
        cors_origins: options.cors_origin,
        allowed_hosts: options.allowed_host,
        path_prefix: options.prefix,
        idle_exit: options.idle_exit,
        pages,
        ..Settings::local(String::new())
    };
    let listener = bind(&mut settings, options.or_next_port).await?;
    let url =
        format!("http://{}{}", shown(&options.host, listener.local_addr()?.port()), settings.path_prefix);
    let mut folder = folder.open(Tables::CatchUp).await?;
    settings.instance_id.clone_from(&folder.instance_id);
    folder.announce(&url)?;
    config.print_lines(std::slice::from_ref(&url))?;
    tracing::info!(url, data_dir = %config.data_dir.display(), "serving {} at {url}", config.data_dir.display());

    tracing::info!("keeping executions: {}", gauges::retention_words(limits));
    for gauge in gauges::look(&config.data_dir, SPOOL_BYTES, None) {
        tracing::info!(
            limit = gauge.what,
            used = gauge.used,
            of = gauge.limit,
            "{}: {}",
            gauge.what,
            gauge.shown()
        );
    }
    if let Err(error) = graflow_local::set_retention_limits(&DataFolder::at(&config.data_dir), limits) {
        tracing::warn!(
            "programs that own the folder after this server keep the limits that they knew: {error}"
        );
    }
    folder.store.keep_within_limits().context("failed to start a thread")?;

    let shutdown = CancellationToken::new();
    let stopping = tokio::spawn(stop_on_signal(shutdown.clone()));
    let taking_in = folder.keep_taking_in();
    let watching = tokio::spawn(watch_limits(config.data_dir.clone(), Arc::clone(&folder.store)));
    let served = graflow_api::serve(listener, Arc::clone(&folder.manager), settings, shutdown).await;
    taking_in.abort();
    watching.abort();
    stopping.abort();
    folder.close().await?;
    served.context("the server failed")?;
    tracing::info!("stopped");
    Ok(Exit::Ok)
}

/// Looks at the limits once a minute, and tells of those that come near.
async fn watch_limits(folder: std::path::PathBuf, store: Arc<EmbeddedStore>) {
    let mut gauges = Gauges::default();
    let mut ticks = tokio::time::interval(LOOK_AT_LIMITS);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let (folder, store) = (folder.clone(), Arc::clone(&store));
        let look = move || gauges::look(&folder, SPOOL_BYTES, store.statistics().retention);
        if let Ok(seen) = tokio::task::spawn_blocking(look).await {
            gauges.warn(seen);
        }
    }
}

/// Listens on the port, or on the first that is free after it.
async fn bind(settings: &mut Settings, or_next: bool) -> Result<TcpListener, Failure> {
    let last = settings.port.saturating_add(if or_next { MORE_PORTS } else { 0 });
    loop {
        match graflow_api::bind(settings).await {
            Err(BindError::InUse(_)) if settings.port < last => settings.port += 1,
            bound => return bound.map_err(|error| cannot_bind(&error)),
        }
    }
}

/// The pages in this program, or those in the checkout that somebody is working on.
fn pages(reload: bool) -> Result<Pages, Failure> {
    if !reload {
        return Ok(Pages::BuiltIn);
    }
    let folder = std::path::absolute("web/dist").unwrap_or_else(|_| "web/dist".into());
    if folder.join("index.html").is_file() {
        return Ok(Pages::Folder(folder));
    }
    Err(Failure::new(Exit::Usage, "there are no pages in `web/dist`")
        .hint("start it in the checkout, after `cargo xtask web`; or leave out --reload"))
}

/// Host and port, as they stand in an address that can be opened on this machine.
fn shown(host: &str, port: u16) -> String {
    let host = match host {
        "0.0.0.0" => "127.0.0.1",
        "::" | "[::]" => "[::1]",
        host => host,
    };
    if host.contains(':') && !host.starts_with('[') {
        format!("[{host}]:{port}")
    } else {
        format!("{host}:{port}")
    }
}

fn cannot_bind(error: &BindError) -> Failure {
    let exit = match error {
        BindError::PublicWithoutToken(_) => Exit::Refused,
        BindError::InUse(_) | BindError::Io { .. } => Exit::Unexpected,
    };
    Failure::of(exit, error)
}

/// Ctrl-C, or what a service manager sends.
async fn stop_on_signal(shutdown: CancellationToken) {
    #[cfg(unix)]
    let terminated = async {
        match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
            Ok(mut signal) => drop(signal.recv().await),
            Err(_) => std::future::pending().await,
        }
    };
    #[cfg(not(unix))]
    let terminated = std::future::pending::<()>();
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        () = terminated => {}
    }
    tracing::info!("stopping");
    shutdown.cancel();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_can_be_opened() {
        assert_eq!(shown("localhost", 80), "localhost:80");
        assert_eq!(shown("0.0.0.0", 80), "127.0.0.1:80");
        assert_eq!(shown("fe80::1", 80), "[fe80::1]:80");
    }

    #[test]
    fn what_is_kept() {
        assert_eq!(parse_size("500M"), Ok(Limit(Some(500 << 20))));
        assert_eq!(parse_size("2GiB"), Ok(Limit(Some(2 << 30))));
        assert_eq!(parse_age("30d"), Ok(Limit(Some(Duration::from_hours(720)))));
        assert_eq!((parse_size("off"), parse_executions("off")), (Ok(Limit(None)), Ok(Limit(None))));
        for wrong in ["", "5", "63M", "-1G", "1.5G", "99999999999T", "G"] {
            assert!(parse_size(wrong).is_err(), "{wrong}");
        }
        for wrong in ["0", "-1", "many"] {
            assert!(parse_executions(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn prefixes() {
        assert_eq!(parse_prefix("/lineage/"), Ok("/lineage".to_owned()));
        assert_eq!(parse_prefix(""), Ok(String::new()));
        for wrong in ["lineage", "//x", "/a b", "/a?b"] {
            assert!(parse_prefix(wrong).is_err(), "{wrong}");
        }
    }
}
