//! Files that are compressed or not, by how their names end.

use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use crate::exit::Exit;
use crate::failure::Failure;

/// A zstd level that keeps up with a disk.
const ZSTD_LEVEL: i32 = 3;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Compression {
    None,
    Gzip,
    Zstd,
}

fn of_name(path: &Path) -> Compression {
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("gz") => Compression::Gzip,
        Some("zst" | "zstd") => Compression::Zstd,
        _ => Compression::None,
    }
}

/// A file that is written, or standard output. Unless it is finished, the file does not come to be.
pub(crate) struct Writer {
    target: Target,
    /// Where it is written, and what it will be called.
    names: Option<(PathBuf, PathBuf)>,
}

enum Target {
    Plain(BufWriter<Box<dyn Write>>),
    Gzip(flate2::write::GzEncoder<BufWriter<File>>),
    Zstd(zstd::Encoder<'static, BufWriter<File>>),
}

impl Writer {
    /// Begins the file, or standard output.
    pub(crate) fn create(path: Option<&Path>) -> anyhow::Result<Self> {
        let Some(path) = path else {
            return Ok(Self {
                target: Target::Plain(BufWriter::new(Box::new(std::io::stdout()))),
                names: None,
            });
        };
        let mut partial = path.as_os_str().to_owned();
        partial.push(".partial");
        let partial = PathBuf::from(partial);
        let file = File::create(&partial).map_err(|error| cannot(path, "written", &error))?;
        let target = match of_name(path) {
            Compression::None => Target::Plain(BufWriter::new(Box::new(file))),
            Compression::Gzip => Target::Gzip(flate2::write::GzEncoder::new(
                BufWriter::new(file),
                flate2::Compression::default(),
            )),
            Compression::Zstd => Target::Zstd(zstd::Encoder::new(BufWriter::new(file), ZSTD_LEVEL)?),
        };
        Ok(Self { target, names: Some((partial, path.to_owned())) })
    }

    /// Writes what is still held and gives the file its name.
    pub(crate) fn finish(self) -> anyhow::Result<()> {
        match self.target {
            Target::Plain(mut writer) => writer.flush()?,
            Target::Gzip(writer) => writer.finish()?.flush()?,
            Target::Zstd(writer) => writer.finish()?.flush()?,
        }
        if let Some((partial, path)) = self.names {
            std::fs::rename(&partial, &path).map_err(|error| cannot(&path, "written", &error))?;
        }
        Ok(())
    }
}

impl Write for Writer {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        match &mut self.target {
            Target::Plain(writer) => writer.write(bytes),
            Target::Gzip(writer) => writer.write(bytes),
            Target::Zstd(writer) => writer.write(bytes),
        }
    }

    fn flush(&mut self) -> std::io::Result<()> {
        match &mut self.target {
            Target::Plain(writer) => writer.flush(),
            Target::Gzip(writer) => writer.flush(),
            Target::Zstd(writer) => writer.flush(),
        }
    }
}

/// A file that is read, or standard input for `-`.
pub(crate) fn reader(path: &Path) -> anyhow::Result<Box<dyn BufRead>> {
    if path == Path::new("-") {
        return Ok(Box::new(BufReader::new(std::io::stdin())));
    }
    let file = File::open(path).map_err(|error| cannot(path, "read", &error))?;
    let inflated: Box<dyn Read> = match of_name(path) {
        Compression::None => Box::new(file),
        // A file that was appended to is several streams one after the other.
        Compression::Gzip => Box::new(flate2::read::MultiGzDecoder::new(BufReader::new(file))),
        Compression::Zstd => Box::new(zstd::Decoder::new(file).context("failed to set up zstd")?),
    };
    Ok(Box::new(BufReader::with_capacity(1 << 20, inflated)))
}

fn cannot(path: &Path, what: &str, error: &std::io::Error) -> Failure {
    let exit = if error.kind() == std::io::ErrorKind::NotFound { Exit::NotFound } else { Exit::Unexpected };
    Failure::new(exit, format!("{} cannot be {what}: {error}", path.display()))
}
