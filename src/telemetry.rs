//! Logging: env_logger with one line a record, as text or as JSON.

mod sink;

use std::cell::RefCell;
use std::fmt::Write as _;
use std::io::{self, Write as _};

use log::kv::{self, Key, Value, VisitSource};
use serde::Deserialize;
pub use sink::flush;

/// What a line takes, roughly.
const LINE_BYTES: usize = 256;

/// `log.*`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogSettings {
    /// A level, and after commas `TARGET=LEVEL`: no more of env_logger's syntax.
    pub level: String,
    /// Form of a line.
    pub format: LogFormat,
}

/// Form of a log line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// `time level target message key=value ...`
    Text,
    /// One JSON object.
    Json,
}

/// Starts logging to standard error.
///
/// # Errors
/// Where `log.level` is no filter, or logging was started before.
pub fn start(settings: &LogSettings) -> anyhow::Result<()> {
    let mut builder = env_logger::Builder::new();
    // The framework tells at info what we tell ourselves, and as errors what are clients' faults; what the operator sets
    // comes after and wins.
    builder.filter(Some("actix_server"), log::LevelFilter::Warn).filter(Some("actix_http"), log::LevelFilter::Off);
    // Who sets `warn` for the sake of quiet means no gap in the audit log.
    builder.filter(Some("augur::audit"), log::LevelFilter::Info);
    let filter = parse_filter(&settings.level).map_err(anyhow::Error::msg)?;
    for (target, level) in filter {
        builder.filter(target.as_deref(), level);
    }
    match settings.format {
        LogFormat::Text => builder.format(write_text),
        LogFormat::Json => builder.format(write_json),
    };
    builder.target(env_logger::Target::Pipe(Box::new(sink::Sink::start()?)));
    builder.try_init()?;
    Ok(())
}

/// A filter: a level for each target, or for all where none is named.
type Filter = Vec<(Option<String>, log::LevelFilter)>;

/// Parses `info,augur::access=off` strictly: env_logger itself only warns of what it does not understand.
///
/// # Errors
/// One sentence that names the key.
pub fn parse_filter(text: &str) -> Result<Filter, String> {
    let level = |text: &str| {
        text.trim()
            .parse::<log::LevelFilter>()
            .map_err(|_| format!("log.level: `{text}` is none of off, error, warn, info, debug, trace"))
    };
    text.split(',')
        .map(|part| match part.split_once('=') {
            Some((target, text)) => Ok((Some(target.trim().to_owned()), level(text)?)),
            None => Ok((None, level(part)?)),
        })
        .collect()
}

fn write_text(out: &mut env_logger::fmt::Formatter, record: &log::Record<'_>) -> io::Result<()> {
    struct Pairs<'a>(&'a mut String);
    impl<'kvs> VisitSource<'kvs> for Pairs<'_> {
        fn visit_pair(&mut self, key: Key<'kvs>, value: Value<'kvs>) -> Result<(), kv::Error> {
            self.0.push(' ');
            self.0.push_str(key.as_str());
            self.0.push('=');
            // Text is most of a line: what formats all kinds of values takes several times as long for it.
            match value.to_borrowed_str() {
                Some(text) => self.0.push_str(text),
                None => write!(self.0, "{value}").map_err(kv::Error::from)?,
            }
            Ok(())
        }
    }
    // One write of the whole line: the formatter's many small ones cost more than making it.
    let mut line = String::with_capacity(LINE_BYTES);
    push_time(&mut line, jiff::Timestamp::now());
    let level = match record.level() {
        log::Level::Error => " ERROR ",
        log::Level::Warn => " WARN  ",
        log::Level::Info => " INFO  ",
        log::Level::Debug => " DEBUG ",
        log::Level::Trace => " TRACE ",
    };
    line.push_str(level);
    line.push_str(record.target());
    line.push(' ');
    match record.args().as_str() {
        Some(text) if !text.contains(char::is_control) => line.push_str(text),
        _ => write!(line, "{}", OneLine(record.args())).map_err(io::Error::other)?,
    }
    record.key_values().visit(&mut Pairs(&mut line)).map_err(io::Error::other)?;
    line.push('\n');
    out.write_all(line.as_bytes())
}

/// The time in UTC, to the millisecond. The text of a second is made once, in each thread.
fn push_time(line: &mut String, now: jiff::Timestamp) {
    thread_local! {
        static SECOND: RefCell<(jiff::Timestamp, String)> = const { RefCell::new((jiff::Timestamp::MIN, String::new())) };
    }
    SECOND.with_borrow_mut(|(second, text)| {
        if second.as_second() != now.as_second() {
            *second = now;
            *text = format!("{now:.0}");
            // its Z
            text.pop();
        }
        line.push_str(text);
    });
    let ms = now.subsec_millisecond().unsigned_abs();
    let digit = |of: u32| char::from(b'0' + (of % 10) as u8);
    line.extend(['.', digit(ms / 100), digit(ms / 10), digit(ms), 'Z']);
}

fn write_json(out: &mut env_logger::fmt::Formatter, record: &log::Record<'_>) -> io::Result<()> {
    struct Pairs(serde_json::Map<String, serde_json::Value>);
    impl<'kvs> VisitSource<'kvs> for Pairs {
        fn visit_pair(&mut self, key: Key<'kvs>, value: Value<'kvs>) -> Result<(), kv::Error> {
            let value = match (value.to_i64(), value.to_f64()) {
                (Some(integer), _) => integer.into(),
                (None, Some(x)) => x.into(),
                (None, None) => value.to_string().into(),
            };
            self.0.insert(key.to_string(), value);
            Ok(())
        }
    }
    let mut pairs = Pairs(serde_json::Map::new());
    pairs.0.insert("time".into(), format!("{:.3}", jiff::Timestamp::now()).into());
    pairs.0.insert("level".into(), record.level().as_str().into());
    pairs.0.insert("target".into(), record.target().into());
    pairs.0.insert("message".into(), record.args().to_string().into());
    record.key_values().visit(&mut pairs).map_err(io::Error::other)?;
    serde_json::to_writer(&mut *out, &pairs.0)?;
    writeln!(out)
}

/// A message with its control characters escaped: what comes from outside cannot forge a line.
struct OneLine<'a>(&'a std::fmt::Arguments<'a>);

impl std::fmt::Display for OneLine<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        struct Escape<'a, 'b>(&'a mut std::fmt::Formatter<'b>);
        impl std::fmt::Write for Escape<'_, '_> {
            fn write_str(&mut self, text: &str) -> std::fmt::Result {
                if !text.contains(char::is_control) {
                    return self.0.write_str(text);
                }
                text.chars().try_for_each(|c| {
                    if c.is_control() { write!(self.0, "{}", c.escape_default()) } else { self.0.write_char(c) }
                })
            }
        }
        write!(Escape(f), "{}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_those_of_the_clock_whatever_second_came_before() {
        for nanoseconds in [1_795_897_126_754_999_999, 1_795_897_126_000_000_000, 1_795_897_127_001_000_000, 999_999, 0]
        {
            let time = jiff::Timestamp::from_nanosecond(nanoseconds).expect("a time");
            let mut line = String::new();
            push_time(&mut line, time);
            assert_eq!(line, format!("{time:.3}"));
        }
    }
}
