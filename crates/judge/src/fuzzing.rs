//! Entry points for the fuzz targets, replayed by ordinary tests. Not part of the interface.

use crate::{Answers, Evidence, examine, judge_all, read_claims, read_measured, read_pack};

/// Most examples of a pack that are judged: more would only take longer.
const MOST: usize = 20;

/// Claims and measured numbers as anybody may write them. With no evidence at all nothing is decided.
pub fn claims(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    if let Err(error) = read_measured("measured.yaml", &text) {
        let _ = error.to_string();
    }
    match read_claims("claims.yaml", &text) {
        Ok(file) => {
            let judgement = judge_all(&Evidence::default(), &file.claims, &[], &Answers::new());
            assert_eq!(judgement.claims.len(), file.claims.len(), "every claim gets an answer");
            let decided = |verdict| verdict != dyetrace_case::Verdict::NotExercised;
            assert!(!judgement.claims.iter().any(|claim| claim.applies && decided(claim.verdict)), "nothing was seen");
        }
        Err(error) => assert!(error.to_string().starts_with("claims.yaml"), "an error has a place"),
    }
}

/// A rule pack as anybody may write it, and its examples.
pub fn rules(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    match read_pack("pack.yaml", &text) {
        Ok(pack) => {
            let mut examples = 0;
            for rule in &pack.rules {
                examples += rule.tests.len();
                if examples <= MOST {
                    let _ = examine(rule);
                }
            }
        }
        Err(error) => assert!(error.to_string().starts_with("pack.yaml"), "an error has a place"),
    }
}
