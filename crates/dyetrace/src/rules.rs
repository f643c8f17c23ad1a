//! `dyetrace rules`: the rule packs that a case can be held against.

use crate::cli::{Language, RulesCheckArguments, RulesCommand, RulesExplainArguments, RulesListArguments};
use crate::exit::{Exit, Fault};
use crate::output;
use dyetrace_case::Citation;
use dyetrace_judge::{PACKS, Pack, Rule, Text, built_in, examine, read_pack};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// Lists, explains or checks rules.
pub(crate) fn run(command: &RulesCommand) -> Result<Exit, Fault> {
    match command {
        RulesCommand::List(arguments) => list(arguments),
        RulesCommand::Explain(arguments) => explain(arguments),
        RulesCommand::Check(arguments) => check(arguments),
    }
}

/// The packs of these names, compiled in, and every pack of the folders; each once.
pub(crate) fn packs(names: &[String], folders: &[PathBuf]) -> Result<Vec<Pack>, Fault> {
    let mut own = below(folders)?;
    let mut chosen: Vec<Pack> = Vec::new();
    for name in names {
        if chosen.iter().chain(&own).any(|pack| pack.id == *name) {
            continue;
        }
        let Some(pack) = built_in(name) else {
            let known: Vec<&str> = PACKS.iter().map(|(name, _)| *name).collect();
            return Err(Fault::new(format!("there is no rule pack {name}"))
                .hint(format!("the packs are {}; your own are named with --rules FOLDER", known.join(", "))));
        };
        chosen.push(pack.map_err(Fault::new)?);
    }
    chosen.append(&mut own);
    Ok(chosen)
}

/// The packs of folders, by name of the file.
fn below(folders: &[PathBuf]) -> Result<Vec<Pack>, Fault> {
    let mut packs: Vec<Pack> = Vec::new();
    for folder in folders {
        let paths = yaml_files(folder)?;
        if paths.is_empty() {
            return Err(Fault::new(format!("{}: no rule pack (*.yaml) is in this folder", folder.display())));
        }
        for path in paths {
            let text = std::fs::read_to_string(&path).map_err(|error| Fault::file(&path, &error))?;
            let shown = path.display().to_string().replace('\\', "/");
            let pack = read_pack(&shown, &text).map_err(Fault::new)?;
            if packs.iter().any(|other| other.id == pack.id) {
                return Err(Fault::new(format!("{shown}: another file has the pack {}", pack.id)));
            }
            packs.push(pack);
        }
    }
    Ok(packs)
}

fn yaml_files(folder: &Path) -> Result<Vec<PathBuf>, Fault> {
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(|error| Fault::file(folder, &error))? {
        let path = entry.map_err(|error| Fault::file(folder, &error))?.path();
        paths.extend(
            path.extension().is_some_and(|extension| extension == "yaml" || extension == "yml").then_some(path),
        );
    }
    paths.sort();
    Ok(paths)
}

/// Everything there is: compiled in, then of the folders.
fn all(folders: &[PathBuf]) -> Result<Vec<Pack>, Fault> {
    let names: Vec<String> = PACKS.iter().map(|(name, _)| (*name).to_owned()).collect();
    packs(&names, folders)
}

fn said(text: &Text, lang: Language) -> &str {
    match lang {
        Language::En => &text.en,
        Language::Zh => &text.zh,
    }
}

fn list(arguments: &RulesListArguments) -> Result<Exit, Fault> {
    let packs = all(&arguments.rules)?;
    let wanted: Vec<&Pack> =
        packs.iter().filter(|pack| arguments.pack.as_ref().is_none_or(|name| pack.id == *name)).collect();
    if wanted.is_empty() {
        let known: Vec<&str> = packs.iter().map(|pack| pack.id.as_str()).collect();
        return Err(Fault::new("there is no such rule pack").hint(format!("the packs are {}", known.join(", "))));
    }
    let mut text = String::new();
    for pack in wanted {
        let _ = writeln!(text, "{}  {}", pack.id, said(&pack.title, arguments.lang));
        for rule in &pack.rules {
            let mark = if rule.cites.iter().any(|cite| !cite.confirmed) { " *" } else { "" };
            let _ = writeln!(text, "  {:<32} {}{mark}", rule.id, said(&rule.title, arguments.lang));
        }
        text.push('\n');
    }
    text.push_str(word("unconfirmed", arguments.lang));
    text.push('\n');
    output::print(text.as_bytes())?;
    Ok(Exit::Fine)
}

fn explain(arguments: &RulesExplainArguments) -> Result<Exit, Fault> {
    let packs = all(&arguments.rules)?;
    let found = packs.iter().find_map(|pack| Some((pack, pack.rules.iter().find(|rule| rule.id == arguments.id)?)));
    let Some((pack, rule)) = found else {
        return Err(Fault::new(format!("there is no rule {}", arguments.id)).hint("dyetrace rules list names all"));
    };
    output::print(explanation(pack, rule, arguments.lang).as_bytes())?;
    Ok(Exit::Fine)
}

fn explanation(pack: &Pack, rule: &Rule, lang: Language) -> String {
    let mut text = format!("{}  {}\n\n{}\n\n", rule.id, said(&rule.title, lang), said(&rule.reason, lang));
    let _ = writeln!(text, "{}: {}", word("pack", lang), said(&pack.title, lang));
    if let Some(source) = &pack.source {
        let url = source.url.as_ref().map(|url| format!(" <{url}>")).unwrap_or_default();
        let _ = writeln!(text, "{}: {}{url}", word("source", lang), source.title);
    }
    for cite in &rule.cites {
        let _ = writeln!(text, "{}: {}", word("cites", lang), citation(cite, lang));
    }
    let _ = writeln!(text, "{}: {}", word("checks", lang), rule.checks());
    let applies = &rule.applies_to;
    for (name, values) in
        [("platform", &applies.platforms), ("region", &applies.regions), ("app-type", &applies.app_types)]
    {
        if !values.is_empty() {
            let _ = writeln!(text, "{}: {}", word(name, lang), values.join(", "));
        }
    }
    for (cite, kinds) in rule.sensitive_lists() {
        let _ = writeln!(text, "{}: {}: {}", word("sensitive", lang), citation(cite, lang), kinds.join(", "));
    }
    for question in &rule.human {
        let needed = word(if question.applies_if { "if-yes" } else { "if-no" }, lang);
        let _ = writeln!(text, "{}: {} ({}; {needed})", word("asks", lang), said(&question.text, lang), question.id);
    }
    if let Some(note) = &pack.note {
        let _ = writeln!(text, "\n{}", said(note, lang));
    }
    let _ = writeln!(text, "\n{}\n{}", word("contradicted", lang), rule.place);
    text
}

fn citation(cite: &Citation, lang: Language) -> String {
    let from = cite.from.as_deref().unwrap_or("…");
    let to = cite.to.as_deref().unwrap_or("…");
    let dates = if cite.from.is_none() && cite.to.is_none() { String::new() } else { format!(" ({from} – {to})") };
    let confirmed = if cite.confirmed { "" } else { word("not-confirmed", lang) };
    format!("{}{dates}{confirmed}", cite.text)
}

/// What the command says beside the rules' own words.
const WORDS: &[(&str, &str, &str)] = &[
    ("pack", "Pack", "规则集"),
    ("source", "Source", "来源"),
    ("cites", "Rests on", "依据"),
    ("checks", "Checked by", "检查方式"),
    ("platform", "Platform", "平台"),
    ("region", "Region", "地区"),
    ("app-type", "Type of app", "应用类型"),
    ("sensitive", "Sensitive under", "敏感信息依据"),
    ("asks", "A person must answer", "须由人回答"),
    ("if-yes", "the rule applies if yes", "回答“是”时适用"),
    ("if-no", "the rule applies if no", "回答“否”时适用"),
    (
        "not-confirmed",
        " — wording or number not confirmed, check it against the text",
        " — 文字或条号未经核对，请对照原文",
    ),
    (
        "unconfirmed",
        "* rests on a text whose wording or number was not confirmed: check it before relying on it",
        "* 所依据的文字或条号未经核对：使用前请对照原文",
    ),
    (
        "contradicted",
        "A contradicted rule is an indication. A supported one means that nothing was found in what was exercised. Neither is a legal judgement.",
        "“与证据矛盾”只是线索；“获证据支持”表示在已测试的范围内未发现问题。两者都不是法律判断。",
    ),
];

fn word(name: &str, lang: Language) -> &'static str {
    let found = WORDS.iter().find(|(other, ..)| *other == name);
    found.map_or("", |(_, en, zh)| if lang == Language::En { en } else { zh })
}

fn check(arguments: &RulesCheckArguments) -> Result<Exit, Fault> {
    let packs = match &arguments.folder {
        Some(folder) => below(std::slice::from_ref(folder))?,
        None => all(&[])?,
    };
    let (mut text, mut rules, mut examples, mut faults) = (String::new(), 0usize, 0usize, 0usize);
    for rule in packs.iter().flat_map(|pack| &pack.rules) {
        let examined = examine(rule);
        rules += 1;
        examples += examined.examples;
        faults += examined.faults.len();
        for fault in &examined.faults {
            let _ = writeln!(text, "{fault}");
        }
    }
    let _ = writeln!(text, "{} packs, {rules} rules, {examples} examples, {faults} faults", packs.len());
    output::print(text.as_bytes())?;
    Ok(if faults == 0 { Exit::Fine } else { Exit::Found })
}
