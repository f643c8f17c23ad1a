//! Progress on long work, at a terminal only.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::cell::Cell;
use std::io::IsTerminal;
use std::time::Duration;

/// A bar over a number of bytes. Without a terminal it draws nothing.
#[derive(Clone)]
pub(crate) struct Progress {
    bar: ProgressBar,
    start: Cell<u64>,
}

impl Progress {
    /// A bar for work over that many bytes.
    pub(crate) fn new(bytes: u64) -> Self {
        if !std::io::stderr().is_terminal() {
            return Self { bar: ProgressBar::hidden(), start: Cell::new(0) };
        }
        let template = "{msg} {bar:30} {bytes}/{total_bytes} {bytes_per_sec} {eta}";
        let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
        let bar = ProgressBar::with_draw_target(Some(bytes), ProgressDrawTarget::stderr_with_hz(10)).with_style(style);
        // Short work shows nothing: the first tick comes after the pause.
        bar.enable_steady_tick(Duration::from_millis(500));
        Self { bar, start: Cell::new(0) }
    }

    /// Begins to work over a file of that many bytes.
    pub(crate) fn begin(&self, what: &str, file: &str) {
        self.start.set(self.bar.position());
        let name = std::path::Path::new(file).file_name().map_or(file.into(), |name| name.to_string_lossy());
        self.bar.set_message(format!("{what} {name}"));
    }

    /// That many bytes of the file are done.
    pub(crate) fn at(&self, bytes: u64) {
        self.bar.set_position(self.start.get() + bytes);
    }

    /// Removes the bar.
    pub(crate) fn done(&self) {
        self.bar.finish_and_clear();
    }
}
