//! Finds pictures again as others do. `dyetrace-picture-peers plain|czkawka GALLERY QUERIES` reads two lists of
//! `number<TAB>path` and prints `query<TAB>original` for each pair.

use bk_tree::{BKTree, Metric};
use image::{DynamicImage, ImageDecoder as _, ImageReader};
use image_hasher::{FilterType, HashAlg, Hasher, HasherConfig, ImageHash};
use std::error::Error;
use std::path::Path;

/// Differing bits of 64 up to which the plain loop calls two pictures one: what tutorials of image_hasher use.
const PLAIN_ALIKE: u32 = 5;
/// Differing bits of 256: the default of czkawka's command.
const CZKAWKA_ALIKE: u32 = 5;

fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [who, gallery, queries] = words.as_slice() else { return Err("say: plain|czkawka GALLERY QUERIES".into()) };
    match who.as_str() {
        "plain" => plain(&list(gallery)?, &list(queries)?),
        "czkawka" => czkawka(&list(gallery)?, &list(queries)?),
        _ => Err("say plain or czkawka".into()),
    }
}

/// Hashes of 8 × 8 gradients, each compared with each.
fn plain(gallery: &[(u32, String)], queries: &[(u32, String)]) -> Result<(), Box<dyn Error>> {
    let hasher = HasherConfig::new().to_hasher();
    let hashes: Vec<(u32, ImageHash)> = hashed(&hasher, gallery).collect();
    for (query, hash) in hashed(&hasher, queries) {
        for (original, _) in hashes.iter().filter(|(_, other)| hash.dist(other) <= PLAIN_ALIKE) {
            println!("{query}\t{original}");
        }
    }
    Ok(())
}

/// Hashes of 16 × 16 gradients in a tree by Hamming distance.
fn czkawka(gallery: &[(u32, String)], queries: &[(u32, String)]) -> Result<(), Box<dyn Error>> {
    let hasher = HasherConfig::new()
        .hash_size(16, 16)
        .hash_alg(HashAlg::Gradient)
        .resize_filter(FilterType::Nearest)
        .to_hasher();
    let mut tree: BKTree<(u32, ImageHash), Hamming> = BKTree::new(Hamming);
    for entry in hashed(&hasher, gallery) {
        tree.add(entry);
    }
    for entry in hashed(&hasher, queries) {
        for (_, (original, _)) in tree.find(&entry, CZKAWKA_ALIKE) {
            println!("{}\t{original}", entry.0);
        }
    }
    Ok(())
}

struct Hamming;

impl Metric<(u32, ImageHash)> for Hamming {
    fn distance(&self, one: &(u32, ImageHash), other: &(u32, ImageHash)) -> u32 {
        one.1.dist(&other.1)
    }

    fn threshold_distance(&self, one: &(u32, ImageHash), other: &(u32, ImageHash), _: u32) -> Option<u32> {
        Some(self.distance(one, other))
    }
}

fn hashed<'a>(hasher: &'a Hasher, files: &'a [(u32, String)]) -> impl Iterator<Item = (u32, ImageHash)> + 'a {
    files.iter().filter_map(|(number, path)| Some((*number, hasher.hash_image(&upright(Path::new(path)).ok()?))))
}

/// The picture turned as its tags say, as czkawka does.
fn upright(path: &Path) -> Result<DynamicImage, Box<dyn Error>> {
    let mut decoder = ImageReader::open(path)?.with_guessed_format()?.into_decoder()?;
    let orientation = decoder.orientation()?;
    let mut picture = DynamicImage::from_decoder(decoder)?;
    picture.apply_orientation(orientation);
    Ok(picture)
}

fn list(path: &str) -> Result<Vec<(u32, String)>, Box<dyn Error>> {
    let lines = std::fs::read_to_string(path)?;
    let entry = |line: &str| {
        let (number, path) = line.split_once('\t').ok_or("a line without a tab")?;
        Ok((number.parse()?, path.to_owned()))
    };
    lines.lines().map(entry).collect()
}
