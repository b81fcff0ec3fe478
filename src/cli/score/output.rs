//! What is written: the scored rows, the bad rows beside them, and how far that has come, so that a run which was killed
//! can go on.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::Context;
use serde::{Deserialize, Serialize};

use crate::cli::{outputs, tell};
use crate::model;

/// How often the state is made durable: after this time, and after as many rows.
const PACE: Duration = Duration::from_secs(1);
const PACE_ROWS: u64 = 50_000;

/// How far a run has come. What is behind these lengths in its files is of no account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Progress {
    /// The file that is read and its form, the model that scores, and through which table: a run goes on only as it began.
    run: String,
    /// Rows of the input that are done.
    rows: u64,
    out_bytes: u64,
    bad_bytes: u64,
}

/// Where a run writes to.
pub(super) enum Target {
    /// Standard output.
    Stdout,
    /// A pipe or a terminal by its name.
    Stream(PathBuf),
    /// A file: where a link leads to.
    File(PathBuf),
}

impl Target {
    /// Looks at what `--out` names. `-` is standard output.
    ///
    /// # Errors
    /// One sentence: it cannot be written to, or one of the files would take the place of one of `inputs`.
    pub(super) fn of<'a>(out: &Path, inputs: impl IntoIterator<Item = (&'a str, &'a Path)>) -> anyhow::Result<Self> {
        if out == Path::new("-") {
            return Ok(Self::Stdout);
        }
        let is_stream = |kind: fs::FileType| kind.is_fifo() || kind.is_char_device();
        if fs::metadata(out).is_ok_and(|there| is_stream(there.file_type())) {
            return Ok(Self::Stream(out.to_owned()));
        }
        let path = model::destination(out).with_context(|| format!("cannot write --out {}", out.display()))?;
        let files = [
            ("--out", ""),
            ("the bad rows' file", ".bad"),
            ("--out's file for the time being", ".part"),
            ("the bad rows' file for the time being", ".bad.part"),
            ("the state of the run", ".progress"),
        ]
        .map(|(name, suffix)| (name, with_suffix(&path, suffix)));
        outputs::check(files.iter().map(|(name, file)| (*name, file.as_path())), inputs)?;
        Ok(Self::File(path))
    }
}

/// What a run writes.
pub(super) enum Output {
    /// Standard output or the like; bad rows go to standard error.
    Stream(BufWriter<Box<dyn Write>>),
    /// A file, which gets its name when it is whole.
    Files(Box<Files>),
}

/// A run's files: what is good, what is bad, and how far it has come.
pub(super) struct Files {
    out: Part,
    bad: Part,
    /// `None` for a run that cannot be gone on with.
    progress: Option<Progress>,
    progress_path: PathBuf,
    /// When the state was made durable, and at which row.
    saved: (Instant, u64),
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
    /// Begins a run, or goes on with the same `run` that was broken off. One that cannot be told from others is always begun
    /// anew.
    ///
    /// # Errors
    /// One sentence: it cannot be written, or another run was broken off there.
    pub(super) fn open(target: Target, run: Option<String>) -> anyhow::Result<Self> {
        let path = match target {
            Target::Stdout => return Ok(Self::Stream(BufWriter::new(Box::new(io::stdout())))),
            Target::Stream(path) => {
                let stream = OpenOptions::new().write(true).open(&path);
                let stream = stream.with_context(|| format!("cannot write {}", path.display()))?;
                return Ok(Self::Stream(BufWriter::new(Box::new(stream))));
            }
            Target::File(path) => path,
        };
        let progress_path = with_suffix(&path, ".progress");
        let progress = match fs::read(&progress_path) {
            Ok(text) => {
                let old = serde_json::from_slice(&text).ok().filter(|old: &Progress| Some(&old.run) == run.as_ref());
                let other = || format!("{} is of another run: remove it to begin anew", progress_path.display());
                Some(old.with_context(other)?)
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let part = with_suffix(&path, ".part");
                if fs::metadata(&part).is_ok_and(|left| left.len() > 0) {
                    tell(&format!("{} is of a run that cannot be gone on with: it is begun anew\n", part.display()))?;
                }
                run.map(|run| Progress { run, rows: 0, out_bytes: 0, bad_bytes: 0 })
            }
            Err(error) => return Err(error).with_context(|| format!("cannot read {}", progress_path.display())),
        };
        let (rows, out_bytes, bad_bytes) =
            progress.as_ref().map_or((0, 0, 0), |it| (it.rows, it.out_bytes, it.bad_bytes));
        Ok(Self::Files(Box::new(Files {
            bad: Part::open(with_suffix(&path, ".bad"), bad_bytes)?,
            out: Part::open(path, out_bytes)?,
            progress,
            progress_path,
            saved: (Instant::now(), rows),
        })))
    }

    /// Rows of the input that an earlier run has done.
    pub(super) fn rows_done(&self) -> u64 {
        match self {
            Self::Stream(_) => 0,
            Self::Files(files) => files.progress.as_ref().map_or(0, |progress| progress.rows),
        }
    }

    /// Writes what became of the rows up to `rows`.
    ///
    /// # Errors
    /// As the system says.
    pub(super) fn write(&mut self, scored: &[u8], bad_rows: &[u8], rows: u64) -> anyhow::Result<()> {
        match self {
            Self::Stream(stream) => {
                stream.write_all(scored)?;
                io::stderr().write_all(bad_rows)?;
            }
            Self::Files(files) => {
                let Files { out, bad, progress, progress_path, saved } = &mut **files;
                out.write(scored)?;
                bad.write(bad_rows)?;
                let Some(progress) = progress else { return Ok(()) };
                progress.rows = rows;
                if saved.0.elapsed() >= PACE || rows - saved.1 >= PACE_ROWS {
                    // In this order: what the state speaks of is on disk before it.
                    out.sync()?;
                    bad.sync()?;
                    progress.out_bytes = out.bytes;
                    progress.bad_bytes = bad.bytes;
                    model::write_atomically(progress_path, &serde_json::to_vec(progress)?)?;
                    *saved = (Instant::now(), rows);
                }
            }
        }
        Ok(())
    }

    /// Gives the files their names; answers that of the bad rows, where there are any. An earlier run's are removed.
    ///
    /// # Errors
    /// As the system says.
    pub(super) fn finish(self) -> anyhow::Result<Option<PathBuf>> {
        let Files { mut out, mut bad, progress_path, .. } = match self {
            Self::Stream(mut stream) => {
                stream.flush()?;
                return Ok(None);
            }
            Self::Files(files) => *files,
        };
        out.sync()?;
        bad.sync()?;
        // First: what goes on from here must find the files under the names that they have by then.
        remove(&progress_path)?;
        let has_bad = bad.bytes > 0;
        if has_bad {
            fs::rename(&bad.part, &bad.path)?;
        } else {
            fs::remove_file(&bad.part)?;
            remove(&bad.path)?;
        }
        fs::rename(&out.part, &out.path)?;
        Ok(has_bad.then_some(bad.path))
    }
}

/// Removes a file that need not be there.
fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}
