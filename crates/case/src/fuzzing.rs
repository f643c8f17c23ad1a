//! Entry points for the fuzz targets, replayed by ordinary tests. Not part of the interface.

use crate::mark::marks_of_lines;
use crate::{Run, Subject, Timeline};

/// Marks of a run as somebody wrote them: what was read is written and read again as the same, and every moment lies in
/// a stretch of the run's time.
pub fn marks(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let Ok(marks) = marks_of_lines(&text, None) else { return };
    let lines: Vec<String> = marks.iter().map(crate::Mark::line).collect();
    assert_eq!(marks_of_lines(&lines.join("\n"), None).as_ref(), Ok(&marks), "what is written is read back");
    let mut run = Run::default();
    if run.add(marks).is_err() {
        return;
    }
    let times: Vec<_> = run.milestones.iter().map(|milestone| milestone.at).collect();
    let _ = crate::contradictions::contradictions(&run.milestones);
    let timeline = Timeline::new(run.milestones);
    assert!(times.iter().all(|at| timeline.segments.get(timeline.segment_at(Some(*at))).is_some()));
    let _ = timeline.quiet_time();
}

/// A subject as somebody wrote it: a refusal shows none of its values.
pub fn subject(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    match Subject::from_yaml(&text) {
        Ok(subject) => assert_eq!(Subject::from_yaml(&subject.to_yaml()).as_ref(), Ok(&subject), "it is read back"),
        Err(error) => assert!(error.to_string().len() < 500, "an error is a place and a reason"),
    }
}
