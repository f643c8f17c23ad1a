//! Names of companies, compared as people would.

/// Legal forms that follow a company's name.
const FORMS: [&str; 21] = [
    "inc",
    "incorporated",
    "ltd",
    "limited",
    "co",
    "company",
    "corp",
    "corporation",
    "llc",
    "plc",
    "gmbh",
    "ag",
    "kg",
    "sa",
    "sas",
    "srl",
    "bv",
    "ab",
    "oy",
    "pte",
    "pty",
];

/// The same in Chinese, longest first.
const CHINESE_FORMS: [&str; 5] = ["股份有限公司", "有限责任公司", "集团有限公司", "有限公司", "公司"];

/// The name in the form in which names are compared: lower case, without punctuation and legal form.
/// Empty for a name without a letter or digit.
pub(crate) fn plain(name: &str) -> String {
    let lower = name.to_lowercase();
    let mut words: Vec<&str> = lower.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    while words.len() > 1 && words.last().is_some_and(|word| FORMS.contains(word)) {
        words.pop();
    }
    let joined = words.join(" ");
    let stripped = CHINESE_FORMS.iter().find_map(|form| joined.strip_suffix(form)).filter(|rest| !rest.is_empty());
    stripped.map(str::to_owned).unwrap_or(joined)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn legal_forms_and_punctuation_do_not_distinguish() {
        assert_eq!(plain("Example Smart Home Co., Ltd."), plain("example smart home"));
        assert_eq!(plain("Xiaomi Inc."), plain("XIAOMI CORPORATION"));
        assert_eq!(plain("杭州涂鸦信息技术有限公司"), plain("杭州涂鸦信息技术"));
        assert_ne!(plain("Example Home"), plain("Example Smart Home"));
        assert_eq!(plain("Co"), "co");
        assert_eq!(plain(" ., "), "");
    }

    proptest! {
        #[test]
        fn comparing_twice_changes_nothing(name in ".{0,40}") {
            let once = plain(&name);
            // Some letters are two characters in lower case, and one of them is a mark.
            prop_assume!(once.is_ascii());
            prop_assert_eq!(plain(&once), once);
        }
    }
}
