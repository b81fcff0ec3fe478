//! Progress on standard error: of work on the whole table, and the style of all bars. indicatif keeps silent where that is
//! not a terminal.

use indicatif::{ProgressBar, ProgressStyle};

use crate::service::Step;

/// A line that counts, and estimates the end once it is known how much there is.
pub(super) struct Bar(ProgressBar);

impl Bar {
    pub(super) fn new() -> Self {
        let bar = ProgressBar::no_length();
        bar.set_style(style("{human_pos} rows looked at, {elapsed}"));
        Self(bar)
    }

    pub(super) fn show(&self, step: Step) {
        match step {
            Step::Counted(rows) => self.0.inc(rows),
            Step::Total(rows) => {
                self.0.reset();
                self.0.set_length(rows);
                self.0.set_style(style("[{bar:32}] {human_pos}/{human_len} rows, {per_sec}, ends in {eta}"));
            }
            Step::Done(rows) => self.0.inc(rows),
        }
    }

    pub(super) fn clear(&self) {
        self.0.finish_and_clear();
    }
}

/// The templates are fixed and correct; should a later indicatif refuse one, its own style will do.
pub(super) fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}
