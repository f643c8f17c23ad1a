//! Looks for originals: `look ORIGINALS-FOLDER PICTURE…`; names are compared up to the first dot or double underscore.
#![allow(clippy::print_stdout, clippy::unwrap_used, missing_docs)]
/// Nanoseconds that this thread was on a processor.
fn busy() -> f64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    text.split(' ').next().unwrap().parse::<f64>().unwrap() / 1e9
}
fn main() {
    let mut args = std::env::args().skip(1);
    let folder = args.next().unwrap();
    let mut names: Vec<_> = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    names.sort();
    let mut gallery = dyetrace_pictures::Gallery::new();
    let start = busy();
    for (id, path) in names.iter().enumerate() {
        gallery.add(id as u32, &std::fs::read(path).unwrap()).unwrap();
    }
    println!("# added {} in {:?}", names.len(), busy() - start);
    let stem = |p: &std::path::Path| p.file_stem().unwrap().to_string_lossy().split("__").next().unwrap().to_string();
    let mut files: Vec<std::path::PathBuf> = Vec::new();
    for a in args {
        if std::path::Path::new(&a).is_dir() {
            let mut inner: Vec<_> = std::fs::read_dir(a).unwrap().map(|e| e.unwrap().path()).collect();
            inner.sort();
            files.extend(inner);
        } else {
            files.push(a.into());
        }
    }
    let (mut decode, mut look) = (0.0, 0.0);
    let count = files.len();
    for path in files {
        let bytes = std::fs::read(&path).unwrap();
        let s = busy();
        let luma = dyetrace_pictures::decode(&bytes, &dyetrace_pictures::Limits::default());
        decode += busy() - s;
        let Ok(luma) = luma else {
            println!("{}\tunreadable", path.display());
            continue;
        };
        let s = busy();
        let found = gallery.look(&luma);
        look += busy() - s;
        let own = stem(&path);
        println!("{}\t{}", path.file_name().unwrap().to_string_lossy(), found.len());
        for m in found {
            let name = stem(&names[m.original as usize]);
            println!(
                "\t{}\t{}\t{:?}\tbad {:.3} of {}\td {}\tcorners {}\tworst {:.2}\tcorr {:.3}\tmir {} deg {:.0} scale {:.2} shown {:.2} filled {:.2}",
                if name == own { "OWN" } else { "other" },
                name,
                m.likeness,
                m.bad_tiles,
                m.tiles,
                m.distance,
                m.corners,
                m.worst_tile,
                m.correlation,
                m.view.mirrored,
                m.view.degrees,
                m.view.scale,
                m.view.shown,
                m.view.filled
            );
        }
    }
    println!("# {count} decode {:.2} ms look {:.2} ms each", decode * 1e3 / count as f64, look * 1e3 / count as f64);
}
