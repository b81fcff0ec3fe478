//! What is written: the scored rows, the bad rows beside them, and how far that has come, so that a run which was killed
//! can go on.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::Context;
use serde::{Deserialize, Serialize};

/// How often the state is made durable.
const PACE: Duration = Duration::from_secs(1);

/// How far a run has come. What is behind these lengths in its files is of no account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Progress {
    /// The file that is read, the model that scores, and whether through the result table: a run goes on only as it began.
    pub(super) run: String,
    /// Rows of the input that are done.
    pub(super) rows: u64,
    out_bytes: u64,
    bad_bytes: u64,
}

/// The files of a run.
pub(super) enum Output {
    /// Standard output; bad rows go to standard error.
    Stdout(BufWriter<io::Stdout>),
    /// A file, which gets its name when it is whole.
    Files(Box<Files>),
}

/// A run's files: what is good, what is bad, and how far it has come.
pub(super) struct Files {
    out: Part,
    bad: Part,
    progress: Progress,
    progress_path: PathBuf,
    saved: Instant,
}

/// A file under its name for the time being.
pub(super) struct Part {
    file: BufWriter<File>,
    part: PathBuf,
    path: PathBuf,
    bytes: u64,
}

impl Part {
    fn open(path: PathBuf, bytes: u64) -> anyhow::Result<Self> {
        let part = with_suffix(&path, ".part");
        let cannot = || format!("cannot write {}", part.display());
        let file = OpenOptions::new().create(true).append(true).open(&part).with_context(cannot)?;
        anyhow::ensure!(
            file.metadata().with_context(cannot)?.len() >= bytes,
            "{} is shorter than what the run that was broken off had written: remove the .progress file to begin anew",
            part.display()
        );
        file.set_len(bytes).with_context(cannot)?;
        Ok(Self { file: BufWriter::with_capacity(1 << 16, file), part, path, bytes })
    }

    fn write(&mut self, text: &[u8]) -> io::Result<()> {
        self.bytes += text.len() as u64;
        self.file.write_all(text)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.file.flush()?;
        self.file.get_ref().sync_data()
    }
}

impl Output {
    /// Begins a run, or goes on with one that was broken off. `-` is standard output.
    ///
    /// # Errors
    /// One sentence: it cannot be written, or another run was broken off there.
    pub(super) fn open(path: &Path, run: String) -> anyhow::Result<Self> {
        if path == Path::new("-") {
            return Ok(Self::Stdout(BufWriter::new(io::stdout())));
        }
        let progress_path = with_suffix(path, ".progress");
        let progress = match fs::read(&progress_path) {
            Ok(text) => serde_json::from_slice(&text)
                .ok()
                .filter(|old: &Progress| old.run == run)
                .with_context(|| format!("{} is of another run: remove it to begin anew", progress_path.display()))?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Progress { run, rows: 0, out_bytes: 0, bad_bytes: 0 }
            }
            Err(error) => return Err(error).with_context(|| format!("cannot read {}", progress_path.display())),
        };
        Ok(Self::Files(Box::new(Files {
            out: Part::open(path.to_owned(), progress.out_bytes)?,
            bad: Part::open(with_suffix(path, ".bad"), progress.bad_bytes)?,
            progress,
            progress_path,
            saved: Instant::now(),
        })))
    }

    /// Rows of the input that an earlier run has done.
    pub(super) fn rows_done(&self) -> u64 {
        match self {
            Self::Stdout(_) => 0,
            Self::Files(files) => files.progress.rows,
        }
    }

    /// Writes what became of the rows up to `rows`.
    ///
    /// # Errors
    /// As the system says.
    pub(super) fn write(&mut self, scored: &[u8], bad_rows: &[u8], rows: u64) -> anyhow::Result<()> {
        match self {
            Self::Stdout(stdout) => {
                stdout.write_all(scored)?;
                io::stderr().write_all(bad_rows)?;
            }
            Self::Files(files) => {
                let Files { out, bad, progress, progress_path, saved } = &mut **files;
                out.write(scored)?;
                bad.write(bad_rows)?;
                progress.rows = rows;
                if saved.elapsed() >= PACE {
                    // In this order: what the state speaks of is on disk before it.
                    out.sync()?;
                    bad.sync()?;
                    progress.out_bytes = out.bytes;
                    progress.bad_bytes = bad.bytes;
                    let new = with_suffix(progress_path, ".new");
                    fs::write(&new, serde_json::to_vec(progress)?)?;
                    fs::rename(&new, progress_path)?;
                    *saved = Instant::now();
                }
            }
        }
        Ok(())
    }

    /// Gives the files their names; that of the bad rows only where there are any.
    ///
    /// # Errors
    /// As the system says.
    pub(super) fn finish(self) -> anyhow::Result<()> {
        match self {
            Self::Stdout(mut stdout) => stdout.flush()?,
            Self::Files(files) => {
                let Files { mut out, mut bad, progress_path, .. } = *files;
                out.sync()?;
                bad.sync()?;
                // First: what goes on from here must find the files under the names that they have by then.
                match fs::remove_file(&progress_path) {
                    Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
                    _ => {}
                }
                if bad.bytes > 0 {
                    fs::rename(&bad.part, &bad.path)?;
                } else {
                    fs::remove_file(&bad.part)?;
                }
                fs::rename(&out.part, &out.path)?;
            }
        }
        Ok(())
    }
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}
