//! The JSON of a comparison against its published schema.
#![allow(clippy::unwrap_used, reason = "a test's helpers may panic as the test itself")]

mod schema;

use serde_json::Value;
use std::path::Path;

#[test]
fn the_shipped_comparisons_follow_the_published_schema() {
    let published: Value = serde_json::from_str(include_str!("../../../docs/comparison.schema.json")).unwrap();
    for case in ["story1-as-promised", "story2-consent", "story5-updated"] {
        let path =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("../../cases").join(case).join("expected-comparison.json");
        let document: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        assert_eq!(schema::faults(&published, &document, &published), Vec::<String>::new(), "{case}");
    }
    assert!(
        !schema::faults(&published, &serde_json::json!({"schema": "dyetrace-comparison/0"}), &published).is_empty()
    );
}
