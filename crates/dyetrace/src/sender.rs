//! Was it the product that sent something? What the recorder says of the app, held against the apps of the run.

use dyetrace_case::App;

/// Who sent something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sender<'a> {
    /// One of the product's apps, by the name that the case gives it.
    Own(&'a str),
    /// Certainly another app.
    Other,
    /// Nobody can tell.
    Unknown,
}

/// The sender, by the names and packages of the product's own apps.
///
/// A name cannot be told from a package: then nobody knows, rather than that it was somebody else.
pub(crate) fn sender<'a>(own: &'a [String], app: &App) -> Sender<'a> {
    let is =
        |own: &str| app.package.as_deref() == Some(own) || app.name.as_deref().is_some_and(|name| is_name(name, own));
    if let Some(found) = own.iter().find(|own| is(own)) {
        return Sender::Own(found);
    }
    let comparable = |own: &String| if is_package(own) { app.package.is_some() } else { app.name.is_some() };
    if own.iter().any(comparable) { Sender::Other } else { Sender::Unknown }
}

/// `com.example.home`, as Android's packages and Apple's bundles are called.
fn is_package(text: &str) -> bool {
    text.contains('.') && !text.contains(char::is_whitespace)
}

/// PCAPdroid cuts names to 20 bytes, one of them for the end, or before a character that does not fit whole.
const CUT: std::ops::RangeInclusive<usize> = 16..=20;

fn is_name(recorded: &str, own: &str) -> bool {
    recorded == own || CUT.contains(&recorded.len()) && own.starts_with(recorded)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn app(name: Option<&str>, package: Option<&str>) -> App {
        App { name: name.map(str::to_owned), package: package.map(str::to_owned), uid: Some(10_077) }
    }

    #[test]
    fn what_is_not_comparable_is_not_another_app() {
        let package = ["com.example.home".to_owned()];
        let name = ["Example Home for Everybody".to_owned()];
        let of = |own, name, package| sender(own, &app(name, package));
        assert_eq!(of(&package, Some("Home"), Some("com.example.home")), Sender::Own("com.example.home"));
        assert_eq!(of(&package, Some("Home"), Some("com.example.home.evil")), Sender::Other);
        assert_eq!(of(&package, Some("Home"), None), Sender::Unknown, "a name says nothing about a package");
        assert_eq!(of(&package, None, None), Sender::Unknown);
        assert_eq!(of(&name, Some("Example Home for Ev"), None), Sender::Own("Example Home for Everybody"), "cut");
        assert_eq!(of(&name, Some("Example Home"), None), Sender::Other, "another name, and not cut");
        assert_eq!(of(&name, None, Some("com.example.home")), Sender::Unknown);
        assert_eq!(of(&[], Some("Home"), Some("com.example.home")), Sender::Unknown, "nobody said which are its own");
    }
}
