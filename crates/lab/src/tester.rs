//! Whoever holds the phone: does what the script says and writes down when.

use dyetrace_case::{ActionOutcome, ConsentChange, Event, Mark, Phase, Time};
use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// What may fail in a story.
pub type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

/// How long writing a mark may take. Marks are written by the clock of the recording.
const MARK_ERROR: Duration = Duration::from_millis(100);

/// Whoever holds the phone.
pub trait Tester {
    /// Writes down what happens now.
    fn mark(&mut self, event: Event);

    /// Connects the home to the Internet or cuts it off.
    ///
    /// # Errors
    /// The connection could not be switched.
    fn internet(&mut self, connected: bool) -> Outcome<()>;

    /// Collects the files of a folder as they are, and writes down that it did.
    ///
    /// # Errors
    /// They could not be collected.
    fn collect(&mut self, folder: &Path) -> Outcome<()>;
}

/// How a run is paced.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// The pause before and after each mark, longer than the error of the marks' clock.
    pub beat: Duration,
    /// How often each thing is done.
    pub times: usize,
    /// How long the product is left alone at the end.
    pub quiet: Duration,
}

/// The run as it is performed: the script's words, turned into marks with enough time around each.
pub struct Performance<'a> {
    tester: &'a mut dyn Tester,
    /// How the run is paced.
    pub pace: Pace,
}

impl<'a> Performance<'a> {
    /// Begins the recording.
    pub fn begin(tester: &'a mut dyn Tester, pace: Pace) -> Self {
        let mut performance = Self { tester, pace };
        performance.mark(Event::Phase(Phase::RecordingBegan));
        performance
    }

    /// Nothing happens within the clock error of a mark.
    pub fn mark(&mut self, event: Event) {
        self.pause();
        self.tester.mark(event);
        self.pause();
    }

    /// One beat.
    pub fn pause(&self) {
        std::thread::sleep(self.pace.beat);
    }

    /// The user was asked, or answered.
    pub fn consent(&mut self, change: ConsentChange) {
        self.mark(Event::Consent { change, purpose: None });
    }

    /// The product is given values.
    pub fn planted(&mut self, data: &[&str]) {
        self.mark(Event::Planted { data: data.iter().map(|&name| name.to_owned()).collect() });
    }

    /// An action in one of several ways; it succeeds when the product does what it is there for.
    ///
    /// # Errors
    /// Those of the product that the lab does not expect.
    pub fn action(
        &mut self,
        name: &str,
        variant: Option<&str>,
        product: impl FnOnce(&mut Self) -> Outcome<bool>,
    ) -> Outcome<()> {
        self.action_under(name, variant, &[], product)
    }

    /// The same under conditions.
    ///
    /// # Errors
    /// Those of the product that the lab does not expect.
    pub fn action_under(
        &mut self,
        name: &str,
        variant: Option<&str>,
        conditions: &[&str],
        product: impl FnOnce(&mut Self) -> Outcome<bool>,
    ) -> Outcome<()> {
        let conditions = conditions.iter().map(|&condition| condition.to_owned()).collect();
        self.mark(Event::ActionBegan { action: name.to_owned(), variant: variant.map(str::to_owned), conditions });
        let outcome = if product(self)? { ActionOutcome::Succeeded } else { ActionOutcome::Failed };
        self.mark(Event::ActionEnded { action: name.to_owned(), outcome });
        Ok(())
    }

    /// Something that is done as often as the pace says.
    ///
    /// # Errors
    /// Those of the product that the lab does not expect.
    pub fn repeat(&mut self, mut what: impl FnMut(&mut Self) -> Outcome<()>) -> Outcome<()> {
        (0..self.pace.times).try_for_each(|_| what(self))
    }

    /// Connects the home to the Internet or cuts it off.
    ///
    /// # Errors
    /// The connection could not be switched.
    pub fn internet(&mut self, connected: bool) -> Outcome<()> {
        self.tester.internet(connected)
    }

    /// The product's files are collected.
    ///
    /// # Errors
    /// They could not be.
    pub fn collect(&mut self, folder: &Path) -> Outcome<()> {
        self.pause();
        self.tester.collect(folder)?;
        self.pause();
        Ok(())
    }

    /// The product is left alone; in the middle of that time it may do what it does by itself. Then the recording ends.
    ///
    /// # Errors
    /// Those of the product.
    pub fn end(mut self, by_itself: impl FnOnce() -> Outcome<()>) -> Outcome<()> {
        self.mark(Event::Phase(Phase::QuietBegan));
        std::thread::sleep(self.pace.quiet / 2);
        by_itself()?;
        std::thread::sleep(self.pace.quiet / 2);
        self.mark(Event::Phase(Phase::QuietEnded));
        self.mark(Event::Phase(Phase::RecordingEnded));
        Ok(())
    }
}

/// A tester who writes a marks file and has programs for the home's connection and for the phone's files.
pub struct Scribe {
    /// The marks file.
    pub marks: File,
    /// `PROGRAM connected|cut-off`.
    pub internet: String,
    /// `PROGRAM FOLDER EXHIBIT` writes the files of a folder into an exhibit of the case.
    pub collect: String,
    /// The path of an exhibit without its number and ending.
    pub exhibit: String,
    /// How many there are.
    pub collected: usize,
}

impl Tester for Scribe {
    fn mark(&mut self, event: Event) {
        let error = u64::try_from(MARK_ERROR.as_nanos()).ok();
        // A mark that is missing is seen by whoever reads the marks.
        drop(writeln!(self.marks, "{}", Mark { at: now(), error, event }.line()));
    }

    fn internet(&mut self, connected: bool) -> Outcome<()> {
        let state = if connected { "connected" } else { "cut-off" };
        let status = Command::new(&self.internet).arg(state).status()?;
        if status.success() { Ok(()) } else { Err("the Internet could not be switched".into()) }
    }

    fn collect(&mut self, folder: &Path) -> Outcome<()> {
        self.collected += 1;
        let exhibit = format!("{}-{}.tar", self.exhibit, self.collected);
        let status = Command::new(&self.collect).arg(folder).arg(&exhibit).status()?;
        if !status.success() {
            return Err("the files could not be collected".into());
        }
        self.mark(Event::Snapshot { exhibit });
        Ok(())
    }
}

/// The time of the machine that records, to the millisecond.
pub fn now() -> Time {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Time::from_parts(now.as_secs() as i64, now.subsec_millis() * 1_000_000).unwrap_or(Time(0))
}
