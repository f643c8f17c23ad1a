//! What is seen, on the whole terminal, with one key for each milestone.

use super::guard::Control;
use super::view::{Seen, View, guard_words};
use super::watcher::Totals;
use dyetrace_case::{ActionOutcome, ConsentChange, Event, Phase, Side, Time};
use dyetrace_live::guard::{Answer, Guarded};
use dyetrace_live::watch::Unread;
use ratatui::Frame;
use ratatui::crossterm::event::{self as terminal, KeyCode, KeyEventKind, KeyModifiers};
use ratatui::layout::{Constraint, Layout};
use ratatui::style::{Color, Style};
use ratatui::text::Line;
use ratatui::widgets::{Block, Borders, Cell, Paragraph, Row, Table};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Notify;

/// Ways and hosts that are told apart; the rest is in the recording.
const TOLD_APART: usize = 500;
/// Letters of an action's name.
const NAME: usize = 60;

/// Writes a milestone down; says what was written, or why not.
pub(super) type WriteDown = Box<dyn Fn(Event) -> Result<String, String> + Send>;

/// The whole terminal. It is given back when this is dropped.
pub(super) struct Screen {
    terminal: ratatui::DefaultTerminal,
    state: State,
    write_down: WriteDown,
    quit: Arc<Notify>,
    guard: Option<Arc<Control>>,
}

impl Screen {
    /// Takes the terminal. `quit` is told when the user wants to end; `guard` has questions for the user.
    pub(super) fn new(
        title: String,
        write_down: WriteDown,
        quit: Arc<Notify>,
        guard: Option<Arc<Control>>,
    ) -> std::io::Result<Self> {
        let terminal = ratatui::try_init()?;
        if let Some(guard) = &guard {
            guard.is_asked_here();
        }
        Ok(Self { terminal, state: State::new(title), write_down, quit, guard })
    }

    fn keys(&mut self) {
        // A terminal that cannot be asked has no keys.
        while terminal::poll(Duration::ZERO).unwrap_or(false) {
            let Ok(terminal::Event::Key(key)) = terminal::read() else { continue };
            if key.kind == KeyEventKind::Release {
                continue;
            }
            let control = key.modifiers.contains(KeyModifiers::CONTROL);
            match self.state.key(key.code, control) {
                Some(Wish::Quit) => self.quit.notify_one(),
                Some(Wish::Mark(event)) => {
                    self.state.said = (self.write_down)(event).unwrap_or_else(|error| format!("not written: {error}"));
                }
                Some(Wish::Answer(number, answer)) => {
                    let sent = self.guard.as_ref().map(|guard| guard.answer(number, answer));
                    self.state.said = sent.and_then(Result::err).unwrap_or_default();
                    self.state.question = None;
                }
                None => {}
            }
        }
    }
}

impl View for Screen {
    fn seen(&mut self, seen: &Seen) {
        self.state.seen(seen);
    }

    fn unread(&mut self, _: Time, host: &str, unread: &Unread) {
        self.state.unread(host, unread);
    }

    fn guarded(&mut self, _: Time, host: &str, guarded: &Guarded) {
        self.state.said = guard_words(host, guarded);
    }

    fn tick(&mut self, totals: &Totals) {
        self.state.question = self.guard.as_ref().and_then(|guard| guard.question());
        self.keys();
        self.state.totals = totals.clone();
        let state = &self.state;
        // A terminal that went away does not end the recording.
        let _ = self.terminal.draw(|frame| draw(frame, state));
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        ratatui::restore();
    }
}

/// What the user wants.
#[derive(Debug, PartialEq)]
enum Wish {
    Quit,
    Mark(Event),
    /// To the guard's question of that number.
    Answer(u64, Answer),
}

struct State {
    title: String,
    began: Instant,
    totals: Totals,
    /// Way of a datum, how often, and when last.
    ways: BTreeMap<Way, (u64, Option<Time>)>,
    unread: BTreeMap<(String, &'static str), u64>,
    consent: Option<ConsentChange>,
    /// The action that goes on.
    action: Option<String>,
    /// The name that is being typed.
    typing: Option<String>,
    /// What the guard asks, and the question's number.
    question: Option<(u64, String)>,
    /// What came of the last key.
    said: String,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Way {
    is_hint: bool,
    datum: String,
    host: String,
    is_answer: bool,
    protection: String,
    trail: String,
}

impl State {
    fn new(title: String) -> Self {
        Self {
            title,
            began: Instant::now(),
            totals: Totals::default(),
            ways: BTreeMap::new(),
            unread: BTreeMap::new(),
            consent: None,
            action: None,
            typing: None,
            question: None,
            said: String::new(),
        }
    }

    fn seen(&mut self, seen: &Seen) {
        let way = Way {
            is_hint: seen.is_hint,
            datum: seen.datum.clone(),
            host: seen.host.clone(),
            is_answer: seen.side == Side::Response,
            protection: seen.protection.clone(),
            trail: seen.trail.clone(),
        };
        if self.ways.len() < TOLD_APART || self.ways.contains_key(&way) {
            let (times, last) = self.ways.entry(way).or_default();
            *times += 1;
            *last = seen.time;
        }
    }

    fn unread(&mut self, host: &str, unread: &Unread) {
        let key = (dyetrace_report::clean(host), unread.reason.words());
        if self.unread.len() < TOLD_APART || self.unread.contains_key(&key) {
            *self.unread.entry(key).or_default() += 1;
        }
    }

    fn key(&mut self, code: KeyCode, control: bool) -> Option<Wish> {
        if control {
            return (code == KeyCode::Char('c')).then_some(Wish::Quit);
        }
        if self.typing.is_some() {
            return self.type_name(code);
        }
        if let Some(answer) = self.answer(code) {
            return Some(answer);
        }
        let consent = |change| Some(Wish::Mark(Event::Consent { change, purpose: None }));
        let wish = match code {
            KeyCode::Char('q') => Some(Wish::Quit),
            KeyCode::Char('s') => consent(ConsentChange::Shown),
            KeyCode::Char('g') => consent(ConsentChange::Given),
            KeyCode::Char('r') => consent(ConsentChange::Refused),
            KeyCode::Char('w') => consent(ConsentChange::Withdrawn),
            KeyCode::Char('b') => Some(Wish::Mark(Event::Phase(Phase::RecordingBegan))),
            KeyCode::Char('z') => Some(Wish::Mark(Event::Phase(Phase::QuietBegan))),
            KeyCode::Char('Z') => Some(Wish::Mark(Event::Phase(Phase::QuietEnded))),
            KeyCode::Char('e') => Some(Wish::Mark(Event::Phase(Phase::RecordingEnded))),
            KeyCode::Char('a') if self.action.is_none() => {
                self.typing = Some(String::new());
                None
            }
            KeyCode::Char('a') => self.end_action(ActionOutcome::Succeeded),
            KeyCode::Char('f') => self.end_action(ActionOutcome::Failed),
            _ => None,
        };
        if let Some(Wish::Mark(Event::Consent { change, .. })) = &wish {
            self.consent = Some(*change);
        }
        wish
    }

    fn answer(&self, code: KeyCode) -> Option<Wish> {
        let (number, _) = self.question.as_ref()?;
        let answer = match code {
            KeyCode::Char('1') => Answer::Once,
            KeyCode::Char('2') => Answer::Always,
            KeyCode::Char('3') => Answer::Redact,
            KeyCode::Char('4') => Answer::Block,
            _ => return None,
        };
        Some(Wish::Answer(*number, answer))
    }

    fn type_name(&mut self, code: KeyCode) -> Option<Wish> {
        let name = self.typing.as_mut()?;
        match code {
            KeyCode::Char(letter) if name.len() < NAME && !letter.is_control() => name.push(letter),
            KeyCode::Backspace => drop(name.pop()),
            KeyCode::Esc => self.typing = None,
            KeyCode::Enter if !name.is_empty() => {
                let action = std::mem::take(name);
                (self.typing, self.action) = (None, Some(action.clone()));
                return Some(Wish::Mark(Event::ActionBegan { action, variant: None, conditions: Vec::new() }));
            }
            _ => {}
        }
        None
    }

    fn end_action(&mut self, outcome: ActionOutcome) -> Option<Wish> {
        self.action.take().map(|action| Wish::Mark(Event::ActionEnded { action, outcome }))
    }
}

fn draw(frame: &mut Frame<'_>, state: &State) {
    let rows =
        [Constraint::Length(2), Constraint::Min(4), Constraint::Length(unread_height(state)), Constraint::Length(2)];
    let [head, ways, unread, foot] = Layout::vertical(rows).areas(frame.area());
    frame.render_widget(Paragraph::new(head_lines(state)), head);
    frame.render_widget(ways_table(state, ways.height), ways);
    if !state.unread.is_empty() {
        frame.render_widget(unread_table(state), unread);
    }
    frame.render_widget(Paragraph::new(foot_lines(state)), foot);
}

fn unread_height(state: &State) -> u16 {
    if state.unread.is_empty() { 0 } else { state.unread.len().min(6) as u16 + 1 }
}

fn head_lines(state: &State) -> Vec<Line<'_>> {
    let seconds = state.began.elapsed().as_secs();
    let consent = state.consent.map_or("no mark yet", ConsentChange::name);
    let action = state.action.as_deref().map(|action| format!(", during {action}")).unwrap_or_default();
    let totals = &state.totals;
    vec![
        Line::from(format!("{}  {:02}:{:02}  consent: {consent}{action}", state.title, seconds / 60, seconds % 60)),
        Line::from(format!(
            "{} connections, {} records, {} sightings, {} hints, {} unread",
            totals.connections, totals.records, totals.sightings, totals.hints, totals.unread
        )),
    ]
}

fn ways_table(state: &State, height: u16) -> Table<'_> {
    let mut ways: Vec<_> = state.ways.iter().collect();
    // Sightings before hints, the latest first.
    ways.sort_by(|(a, (_, a_last)), (b, (_, b_last))| (a.is_hint, b_last, a).cmp(&(b.is_hint, a_last, b)));
    let rows = ways.into_iter().take(usize::from(height)).map(|(way, (times, _))| {
        let color = match (way.is_hint, way.protection.as_str()) {
            (true, _) => Color::DarkGray,
            (false, "clear") => Color::Red,
            (false, _) => Color::Yellow,
        };
        let arrow = if way.is_answer { "←" } else { "→" };
        let datum = if way.is_hint { format!("{} ?", way.datum) } else { way.datum.clone() };
        let cells =
            [datum, format!("{arrow} {}", way.host), way.protection.clone(), format!("{times}×"), way.trail.clone()];
        Row::new(cells.map(Cell::from)).style(Style::default().fg(color))
    });
    let widths = [20, 36, 8, 6].map(Constraint::Length).into_iter().chain([Constraint::Min(10)]);
    let empty = if state.ways.is_empty() { "no planted value seen yet" } else { "what left" };
    Table::new(rows, widths).block(Block::new().borders(Borders::TOP).title(empty))
}

fn unread_table(state: &State) -> Table<'_> {
    let rows = state.unread.iter().take(6).map(|((host, reason), times)| {
        Row::new([Cell::from(host.as_str()), Cell::from(format!("{times}×")), Cell::from(*reason)])
    });
    let widths = [Constraint::Length(36), Constraint::Length(6), Constraint::Min(10)];
    Table::new(rows, widths).block(Block::new().borders(Borders::TOP).title("could not be read"))
}

fn foot_lines(state: &State) -> Vec<Line<'_>> {
    let keys = match (&state.typing, &state.action) {
        (Some(name), _) => format!("action: {name}_   (Enter begins it, Esc does not)"),
        (None, Some(action)) => format!("a {action} succeeded  f it failed  ·  consent: s g r w  ·  q end"),
        (None, None) => "consent: s shown g given r refused w withdrawn  ·  a action  ·  b began z quiet Z quiet over e ended  ·  q end".to_owned(),
    };
    let said = match &state.question {
        Some((_, question)) => Line::from(format!("{question}   1 once  2 always  3 redact  4 block"))
            .style(Style::default().fg(Color::Red)),
        None => Line::from(state.said.as_str()),
    };
    vec![said, Line::from(keys)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use dyetrace_live::watch::UnreadReason;
    use ratatui::Terminal;
    use ratatui::backend::TestBackend;

    fn seen(datum: &str, is_hint: bool, second: i64) -> Seen {
        Seen {
            time: Some(Time(second * 1_000_000_000)),
            datum: datum.to_owned(),
            side: Side::Request,
            host: "api.example.test".to_owned(),
            port: Some(443),
            protection: "TLS 1.3".to_owned(),
            protocol: "h2",
            record: "tcp:0/tls/h2:0".to_owned(),
            trail: "json /p > base64".to_owned(),
            form: "as typed".to_owned(),
            bits: 76.0,
            is_hint,
        }
    }

    fn shown(state: &State) -> String {
        let mut terminal = Terminal::new(TestBackend::new(100, 16)).unwrap();
        terminal.draw(|frame| draw(frame, state)).unwrap();
        terminal.backend().to_string()
    }

    #[test]
    fn what_left_is_on_the_screen_with_its_way_and_what_could_not_be_read() {
        let mut state = State::new("my-case, run first".to_owned());
        assert!(shown(&state).contains("no planted value seen yet"));
        state.seen(&seen("phone", true, 1));
        state.seen(&seen("wifi.password", false, 2));
        state.seen(&seen("wifi.password", false, 3));
        let unread = Unread { name: None, reason: UnreadReason::ClientRefused, detail: String::new() };
        state.unread("pinned.example.test", &unread);
        let text = shown(&state);
        let at = |what: &str| text.find(what).unwrap_or_else(|| panic!("{what} is not in\n{text}"));
        assert!(at("wifi.password") < at("phone ?"), "sightings come before hints");
        assert!(at("2×") < at("json /p > base64"));
        at("pinned.example.test");
        at("refused our certificate");
    }

    #[test]
    fn each_milestone_has_its_key() {
        let mut state = State::new(String::new());
        let given = state.key(KeyCode::Char('g'), false);
        assert_eq!(given, Some(Wish::Mark(Event::Consent { change: ConsentChange::Given, purpose: None })));
        assert!(shown(&state).contains("consent: given"));
        assert_eq!(state.key(KeyCode::Char('a'), false), None);
        for letter in "log-inq".chars() {
            assert_eq!(state.key(KeyCode::Char(letter), false), None, "letters are the name's now");
        }
        state.key(KeyCode::Backspace, false);
        let Some(Wish::Mark(Event::ActionBegan { action, .. })) = state.key(KeyCode::Enter, false) else {
            panic!("the action begins")
        };
        assert_eq!(action, "log-in");
        assert!(shown(&state).contains("during log-in"));
        let ended = Event::ActionEnded { action, outcome: ActionOutcome::Failed };
        assert_eq!(state.key(KeyCode::Char('f'), false), Some(Wish::Mark(ended)));
        assert_eq!(state.key(KeyCode::Char('c'), true), Some(Wish::Quit));
    }

    #[test]
    fn the_guards_question_is_answered_with_a_key() {
        let mut state = State::new(String::new());
        assert_eq!(state.key(KeyCode::Char('2'), false), None);
        state.question = Some((7, "may wifi.password go to api.example.test?".to_owned()));
        assert!(shown(&state).contains("may wifi.password go to api.example.test?   1 once"));
        assert_eq!(state.key(KeyCode::Char('2'), false), Some(Wish::Answer(7, Answer::Always)));
        assert_eq!(state.key(KeyCode::Char('4'), false), Some(Wish::Answer(7, Answer::Block)));
    }

    #[test]
    fn many_hosts_do_not_fill_the_memory() {
        let mut state = State::new(String::new());
        for number in 0..10_000 {
            state.seen(&Seen { host: format!("{number}.example"), ..seen("phone", false, 1) });
        }
        assert_eq!(state.ways.len(), TOLD_APART);
    }
}
