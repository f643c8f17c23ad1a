//! `dyetrace new`: a case folder with a minted subject.

use crate::cli::NewArguments;
use crate::exit::{Exit, Fault};
use crate::{custody, mint, output};
use dyetrace_case::FORMAT_VERSION;
use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// Makes the folder. Nothing is ever overwritten.
pub(crate) fn run(arguments: &NewArguments) -> Result<Exit, Fault> {
    let folder = &arguments.folder;
    refuse_if_in_use(folder)?;
    let subject = mint::subject(&mut mint::System)?;
    for part in ["", "evidence", "keys"] {
        let path = folder.join(part);
        fs::create_dir_all(&path).map_err(|error| Fault::file(&path, &error))?;
    }
    let name = folder.file_name().map_or_else(|| "my case".into(), |name| name.to_string_lossy());
    let title = arguments.title.as_deref().unwrap_or(&name);
    write_new(&folder.join("case.yaml"), &case_yaml(title))?;
    write_new(&folder.join("subject.yaml"), &subject.to_yaml())?;
    custody::note(folder, None, "made the case".to_owned(), BTreeMap::new())?;
    let kinds: Vec<&str> = subject.data.iter().map(|datum| datum.kind.as_str()).collect();
    output::print(next_steps(folder, &kinds).as_bytes())?;
    Ok(Exit::Fine)
}

fn refuse_if_in_use(folder: &Path) -> Result<(), Fault> {
    let in_use = match fs::read_dir(folder) {
        Ok(mut entries) => entries.next().is_some(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => false,
        Err(error) => return Err(Fault::file(folder, &error)),
    };
    if in_use {
        let fault = Fault::new(format!("{} is not empty; a new case never overwrites anything", folder.display()));
        return Err(fault.hint("name a folder that does not exist yet: dyetrace new my-case-2"));
    }
    Ok(())
}

/// Readable by its owner only: the subject's values are in clear there.
fn write_new(path: &Path, text: &str) -> Result<(), Fault> {
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    file.and_then(|mut file| file.write_all(text.as_bytes())).map_err(|error| Fault::file(path, &error))
}

fn case_yaml(title: &str) -> String {
    let title = title.replace('\\', "\\\\").replace('"', "\\\"").replace(char::is_control, " ");
    format!(
        "format: {FORMAT_VERSION}
title: \"{title}\"
# What is this case to answer?
# question: Does the app send the home's Wi-Fi password to its maker?
# Who is asking?
# investigator: your name
# One run for each recorded use of a product. Without exhibits, everything in evidence/ is read.
runs:
  - id: first
#     product: {{ vendor: Example Co., name: Example Home, version: 3.1.0, platform: android }}
#     exhibits: [evidence/app.pcapng]
#     channels: [phone-wifi]
"
    )
}

fn next_steps(folder: &Path, kinds: &[&str]) -> String {
    let folder = folder.display();
    format!(
        "Made {folder} with a made-up subject: {}.

Next:
  1. Type the values of {folder}/subject.yaml into the app, and record its traffic.
     Write down what you do:  dyetrace mark {folder} first consent given
  2. Copy the recording into {folder}/evidence/ and the key log into {folder}/keys/.
  3. Fix what you collected:  cd {folder} && find evidence -type f -exec sha256sum {{}} + > manifest-sha256.txt
     Write down who did it:  dyetrace custody add {folder} --who 'your name' 'collected the recording'
  4. Look:  dyetrace audit {folder}
",
        kinds.join(", ")
    )
}
