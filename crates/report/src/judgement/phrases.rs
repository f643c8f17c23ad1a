//! What terminal and page say alike of claims and practices.

use super::{actions, consent};
use crate::text::clean;
use crate::words::{Lang, term};
use dyetrace_case::{JudgedClaim, JudgedPart, Judgement, Practice, Statement};

/// The words that were judged, in the reader's language where the file has them.
pub(crate) fn said(statement: &Statement, lang: Lang) -> &str {
    let chinese = statement.says_zh.as_deref().filter(|_| lang == Lang::Chinese);
    chinese.unwrap_or(&statement.says)
}

/// Questions that only a person can answer and nobody has, in the reader's language where the file has them.
pub(crate) fn questions(claim: &JudgedClaim, lang: Lang) -> impl Iterator<Item = &str> {
    let chinese = move |question: &String| claim.statement.questions_zh.get(question).filter(|_| lang == Lang::Chinese);
    claim.review.iter().map(move |question| chinese(question).unwrap_or(question).as_str())
}

/// `run reported, variant softap`; `all of it` for a part without labels.
pub(crate) fn labels(part: &JudgedPart, lang: Lang) -> String {
    if part.labels.is_empty() {
        return lang.pick("all of it", "整体").to_owned();
    }
    label_words(&part.labels, lang)
}

/// `run reported, variant softap`.
pub(crate) fn label_words(labels: &[(&'static str, String)], lang: Lang) -> String {
    let label = |(name, value): &(&str, String)| format!("{} {}", term(name, lang), clean(term(value, lang)));
    labels.iter().map(label).collect::<Vec<_>>().join(lang.comma())
}

/// The consent state, the possible ones where the clocks do not decide, or that nobody recorded it.
pub(crate) fn consent_words(judgement: &Judgement, practice: &Practice, lang: Lang) -> String {
    let states: Vec<&str> = consent(judgement, practice).0.into_iter().map(|state| term(state.name(), lang)).collect();
    match states.as_slice() {
        [] => lang.pick("consent not recorded", "未记录同意情况").to_owned(),
        [one] => (*one).to_owned(),
        several => {
            let possible = several.join(lang.pick(" or ", "或"));
            format!("{}{possible}", lang.pick("ambiguous: ", "无法确定："))
        }
    }
}

/// What the user did meanwhile; `None` where no action went on.
pub(crate) fn action_words(judgement: &Judgement, practice: &Practice, lang: Lang) -> Option<String> {
    let perhaps = lang.pick(" (perhaps)", "（可能）");
    let named = |(name, certainly): (&str, bool)| format!("{}{}", clean(name), if certainly { "" } else { perhaps });
    let actions: Vec<String> = actions(judgement, practice).into_iter().map(named).collect();
    (!actions.is_empty()).then(|| format!("{}{}", lang.pick("during ", "操作："), actions.join(lang.comma())))
}
