//! Every fact that the judge may state: its code and the names of its values.
//!
//! Reports put each into the reader's language; [`ALL`] is what they must know.

use dyetrace_case::Fact;
use std::fmt::Display;

/// A code with the names of its values.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Code<const N: usize> {
    pub(crate) name: &'static str,
    values: [&'static str; N],
}

impl<const N: usize> Code<N> {
    /// The fact with these values, in the order of the code.
    pub(crate) fn fact(&self, values: [&dyn Display; N]) -> Fact {
        let start = Fact::new(self.name);
        self.values.iter().zip(values).fold(start, |fact, (name, value)| fact.with(name, value))
    }
}

/// Works for no values too, where `[].len()` has no type.
const fn count(values: &[&str]) -> usize {
    values.len()
}

macro_rules! codes {
    ($($(#[$doc:meta])* $constant:ident = $name:literal [$($value:literal),*];)*) => {
        $($(#[$doc])* pub(crate) const $constant: Code<{ count(&[$($value),*]) }> =
            Code { name: $name, values: [$($value),*] };)*

        /// Every code with the names of its values.
        pub const ALL: &[(&str, &[&str])] = &[$(($name, &[$($value),*])),*];
    };
}

codes! {
    // Reasons of verdicts.
    /// Practices contradict the claim.
    WITNESSED = "witnessed" ["practices", "sightings", "recipients"];
    /// Nothing contradicts it in so many tries.
    NOTHING_SEEN = "nothing-seen" ["tries"];
    /// Practices would contradict it if something more were known.
    UNDECIDED = "undecided" ["practices", "why"];
    /// A success was seen.
    SHOWN_TO_WORK = "shown-to-work" ["action", "times"];
    /// A success was seen without the traffic that was said to be needed.
    SHOWN_WITHOUT = "shown-without" ["action", "times"];
    /// It was tried and never shown.
    NOT_SHOWN = "not-shown" ["action", "tries"];
    /// A success does not count.
    SUCCESS_DISCOUNTED = "success-discounted" ["action", "run", "why"];
    /// Failed tries do not support that something is needed.
    FAILURES_DECIDE_NOTHING = "failures-decide-nothing" ["action", "tries"];
    /// No observation from outside can support this kind of claim.
    NEVER_SUPPORTED = "never-supported" ["kind"];
    /// A planted value came back.
    CANARY_RETURNED = "canary-returned" ["datum", "about", "how"];
    /// A canary came back before the time that the claim allows.
    CANARY_TOO_EARLY = "canary-too-early" ["datum", "how"];
    /// The measured interval lies outside of the claimed one.
    EXCLUDED = "measured-excludes" ["measure", "low", "high", "claimed-low", "claimed-high"];
    /// It lies inside.
    INCLUDED = "measured-includes" ["measure", "low", "high", "claimed-low", "claimed-high"];
    /// It lies partly inside.
    UNDECIDED_NUMBER = "measured-undecided" ["measure", "low", "high", "claimed-low", "claimed-high"];
    /// A rule rests on the maker's own claims of these kinds, and the case has none.
    NO_OWN_CLAIMS = "no-own-claims" ["kinds"];
    /// It rests on so many of them.
    OWN_CLAIMS = "own-claims" ["claims", "kinds"];
    /// Nobody measured it.
    NOT_MEASURED = "not-measured" ["measure"];

    // Scope.
    /// The product is in scope.
    IN_SCOPE = "in-scope" ["product", "runs"];
    /// It is not known whether it is.
    SCOPE_UNKNOWN = "scope-unknown" ["product", "condition"];
    /// No run is in scope.
    OUT_OF_SCOPE = "out-of-scope" ["runs"];

    // Held.
    /// The product had so many of the planted data that the selector means.
    HELD = "held" ["selector", "held", "planted"];
    /// Nothing shows that it had any.
    NOT_HELD = "not-held" ["selector", "planted"];
    /// The case has no such data.
    NOTHING_PLANTED = "nothing-planted" ["selector"];

    // Exercised.
    /// Tried often enough.
    EXERCISED = "exercised" ["action", "state", "variant", "done", "wanted"];
    /// Not tried often enough.
    EXERCISE_MISSING = "exercise-missing" ["action", "state", "variant", "done", "wanted"];
    /// The claim does not say what must be tried.
    NO_EXERCISE_STATED = "no-exercise-stated" [];

    // Visible.
    /// So much was read.
    READ = "read" ["records", "sent", "received"];
    /// A channel was not recorded.
    CHANNEL_MISSING = "channel-missing" ["channel", "run"];
    /// A channel was recorded.
    CHANNEL_RECORDED = "channel-recorded" ["channel", "run"];
    /// The run has no records.
    NO_RECORDS = "no-records" ["run"];
    /// The claim speaks of stored files, and none were read.
    STORAGE_UNREAD = "storage-unread" ["runs"];
    /// Recording began after the first action, or nobody can tell.
    STARTS_LATE = "starts-late" ["run"];
    /// Recording ended before the last action did, or nobody can tell.
    ENDS_EARLY = "ends-early" ["run"];
    /// The recording has a request that the tester made on purpose.
    RECORDING_SHOWN = "recording-shown" ["canary", "run"];
    /// It has it not, or not readable.
    RECORDING_NOT_SHOWN = "recording-not-shown" ["canary", "run"];
    /// The recorder dropped packets.
    DROPPED = "dropped" ["run", "packets"];
    /// The recorder does not say whether it dropped any.
    DROPS_UNKNOWN = "drops-unknown" ["run"];
    /// Outbound bytes that could not be read.
    OPAQUE = "opaque" ["recipient", "sent", "times", "reason"];
    /// Outbound bytes that could not be read and whose number is not known.
    OPAQUE_UNCOUNTED = "opaque-uncounted" ["recipient", "times", "reason"];
    /// All of them, beside the limit.
    OPAQUE_TOTAL = "opaque-total" ["sent", "limit"];
    /// Unread outbound bytes under the protection that the claim promises: they are no fault whatever they hold.
    OPAQUE_PROTECTED = "opaque-protected" ["sent", "protection"];

    /// Unread outbound bytes of other apps than the product's.
    OPAQUE_OTHER_APPS = "opaque-other-apps" ["sent"];

    // Detectable.
    /// The hidden values that the claim is about were found again, each often enough.
    RECOVERY = "recovery" ["form", "found", "hidden", "at-least"];
    /// One of them was not.
    RECOVERY_LOW = "recovery-low" ["datum", "form", "found", "hidden", "at-least"];
    /// Not all of them were hidden in this form in every run.
    NOT_SPIKED = "not-spiked" ["form"];

    // Positive control.
    /// The data was seen inside the action.
    CONTROL_SEEN = "control-seen" ["action", "sightings"];
    /// It was not.
    CONTROL_MISSING = "control-missing" ["action"];

    // Quiet time.
    /// Long enough.
    QUIET = "quiet" ["run", "seconds", "wanted"];
    /// Too short.
    QUIET_SHORT = "quiet-short" ["run", "seconds", "wanted"];
    /// Not marked.
    QUIET_UNKNOWN = "quiet-unknown" ["run", "wanted"];

    // Damage.
    /// Something broke.
    DAMAGE = "damage" ["recipient", "bytes", "reason"];
    /// More of that.
    DAMAGES_MORE = "damages-more" ["number"];

    // Not vacuous.
    /// Transmissions that were judged.
    JUDGED_TRANSMISSIONS = "judged-transmissions" ["practices", "sightings"];
    /// There were none.
    VACUOUS = "vacuous" [];

    // Why a practice does not count against a claim.
    /// Chance alone could explain it.
    CHANCE = "chance" [];
    /// It happened within the clock error of a milestone.
    WITHIN_CLOCK_ERROR = "within-clock-error" [];
    /// The run has no marks of consent.
    CONSENT_UNKNOWN = "consent-unknown" [];
    /// It has no time.
    TIME_UNKNOWN = "time-unknown" [];
    /// It happened in another consent state.
    OTHER_STATE = "other-state" [];
    /// It happened inside the action that the claim allows.
    INSIDE_ACTION = "inside-action" ["action"];
    /// The recipient sent it, and was not seen to get it.
    RECEIVED = "received-not-sent" [];
    /// The guard of the recording stopped it.
    HELD_BACK = "held-back" [];
    /// Only part of the message left.
    ATTEMPTED_ONLY = "attempted-only" [];
    /// The claim does not speak of this form.
    FORM_NOT_CLAIMED = "form-not-claimed" ["form"];
    /// It is not known who or where the recipient is.
    RECIPIENT_UNKNOWN = "recipient-unknown" ["recipient"];
    /// The recipient's country is not known.
    COUNTRY_UNKNOWN = "country-unknown" ["recipient"];
    /// The evidence does not say how it was protected.
    PROTECTION_UNKNOWN = "protection-unknown" [];
    /// Another app sent it.
    OTHER_APP = "other-app" ["app"];
    /// The value is not made up, and nothing says which app sent it.
    ACTOR_UNKNOWN = "actor-unknown" [];
    /// It is not known whether the product is in scope.
    PRODUCT_UNKNOWN = "product-unknown" [];
    /// It is not known in which way of doing the action it happened.
    VARIANT_UNKNOWN = "variant-unknown" [];
    /// Whether it is kept, as the definition asks, cannot be seen on the way.
    KEEPING_UNKNOWN = "keeping-unknown" [];

    // Numbers.
    /// No hit in so many tries: at 95 % confidence the rate per try is at most this.
    BOUND = "bound" ["tries", "percent"];
    /// How far the contradicting transfers came, in sightings.
    TRANSFERS = "transfers" ["answered", "sent", "attempted", "kept"];
    /// Practices that do not count, by reason.
    DISCOUNTED = "discounted" ["why", "practices"];
    /// How many values an unkeyed digest can hide among, and the time to try them all on one core.
    DIGEST_SPACE = "digest-space" ["kind", "values", "seconds"];
    /// What the tester did to the product and its surroundings.
    INTERVENTION = "intervention" ["run", "what"];
    /// A share with its interval at 95 % confidence (Clopper and Pearson 1934).
    SHARE = "share" ["hits", "of", "low", "high"];
    /// The readings of the claim do not get the same verdict.
    READINGS_DIFFER = "readings-differ" [];

    // What the tester can do.
    /// Do it so many times more.
    DO_ACTION = "do-action" ["action", "state", "variant", "times"];
    /// Say in the claim what must be tried.
    STATE_EXERCISE = "state-exercise" [];
    /// Record this channel too.
    RECORD_CHANNEL = "record-channel" ["channel"];
    /// Record from before the first action to after the quiet time.
    RECORD_WHOLE = "record-whole" ["run"];
    /// Record so that the tester's own request is in it.
    RECORD_CANARY = "record-canary" ["canary", "run"];
    /// Record without dropped packets or other damage.
    RECORD_CLEANLY = "record-cleanly" ["run"];
    /// Make readable what this recipient gets: keys, an unpinned app.
    MAKE_READABLE = "make-readable" ["recipient", "reason"];
    /// Plant data of that kind and mark when.
    PLANT = "plant" ["selector"];
    /// Run `dyetrace spike`.
    RUN_SPIKE = "run-spike" ["form"];
    /// Do the allowed action and see the data in it.
    SHOW_PATH = "show-path" ["action"];
    /// Leave the product alone for so long.
    WAIT = "wait" ["seconds"];
    /// Say this of the product: when it was made, its version.
    DESCRIBE_PRODUCT = "describe-product" ["product", "condition"];
    /// Make the product transmit it at all.
    CAUSE_TRANSMISSION = "cause-transmission" [];
    /// Stored files or the dump must be read.
    READ_STORAGE = "read-storage" [];
    /// Find out who this is.
    IDENTIFY = "identify-recipient" ["recipient"];
    /// Mark consent, or set the clocks more exactly.
    MARK_CONSENT = "mark-consent" [];
    /// Measure it.
    MEASURE = "measure" ["measure"];
    /// Answer this question.
    ANSWER = "answer" ["question"];
    /// Find out which app sent it.
    NAME_APP = "name-app" [];
    /// Do it again without a guard.
    RECORD_UNGUARDED = "record-unguarded" [];
    /// Look at practices that may contradict.
    LOOK_AT = "look-at" ["why"];
    /// Test a product in scope.
    TEST_IN_SCOPE = "test-in-scope" [];

    // Exceptions.
    /// Findings are suppressed.
    SUPPRESSED = "suppressed" ["findings", "reason", "expires", "who", "place"];
    /// Contradictions that an earlier judgement had too.
    IN_BASELINE = "in-baseline" ["findings", "of"];
    /// A suppression's last day is past.
    SUPPRESSION_EXPIRED = "suppression-expired" ["place", "expires", "date"];
    /// A suppression covers nothing.
    SUPPRESSION_UNUSED = "suppression-unused" ["place"];
    /// The evidence has no date by which a suppression could be in force.
    SUPPRESSION_UNDATED = "suppression-undated" ["place"];

    // Notes.
    /// A claim names an action that no run has.
    ACTION_NOT_IN_CASE = "action-not-in-case" ["claim", "action"];
    /// A rule cites a text whose wording nobody confirmed.
    CITE_UNCONFIRMED = "cite-unconfirmed" ["rule", "cite"];
    /// A person's answer takes the case out of a rule.
    ANSWERED_OUT = "answered-out" ["rule", "question", "answer"];
    /// An answer names a rule or a question that there is not.
    ANSWER_UNUSED = "answer-unused" ["rule", "question"];
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn no_code_stands_twice_and_all_are_plain_words() {
        let names: BTreeSet<&str> = ALL.iter().map(|(name, _)| *name).collect();
        assert_eq!(names.len(), ALL.len());
        let words = ALL.iter().flat_map(|(name, values)| values.iter().chain([name]));
        assert!(words.into_iter().all(|word| word.bytes().all(|b| b.is_ascii_lowercase() || b == b'-')));
    }

    #[test]
    fn a_fact_has_the_values_of_its_code() {
        let fact = BOUND.fact([&3, &63.2]);
        assert_eq!((fact.value("tries"), fact.value("percent")), (Some("3"), Some("63.2")));
    }
}
