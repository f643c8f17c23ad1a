"""Makes the set of pictures: originals, and what transformations make of them. The same seed makes the same set.

    make.py FOLDER [--small] [--seed TEXT] [--workers NUMBER]

writes originals/, queries/ and set.jsonl, one line for each original and each query. README.md says what is in it.
"""

import argparse
import hashlib
import io
import json
import multiprocessing
import os
import random
from itertools import islice
from pathlib import Path

import cards
import photos
import pillow_heif
import screens
from drawing import Fonts
from PIL import Image, ImageOps
from transformations import TRANSFORMATIONS

FULL = {"every": 1, "screen": 150, "card": 100}
SMALL = {"every": 6, "screen": 24, "card": 16}
# The withheld half only has to be told from the others: one query in so many is enough of it.
WITHHELD_SHARE = 3
# One in so many of a template is another one's picture with a single field changed, and is withheld.
NEAR_SHARE = 6


def main():
    """Makes whatever is not there yet."""
    words = argparse.ArgumentParser()
    words.add_argument("folder", type=Path)
    words.add_argument("--small", action="store_true")
    words.add_argument("--seed", default="dyetrace")
    words.add_argument("--workers", type=int, default=os.cpu_count())
    options = words.parse_args()
    packages = options.folder.parent / "packages"
    packages.mkdir(parents=True, exist_ok=True)
    photos.fetch(packages)
    for name in ("originals", "queries"):
        (options.folder / name).mkdir(parents=True, exist_ok=True)
    originals = made_originals(options, packages)
    lines = [line for line, _ in originals] + transformed(originals, options, packages)
    text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
    (options.folder / "set.jsonl").write_text(text, encoding="utf-8")


def made_originals(options, packages):
    """Lines of the originals, each with the boxes in which it differs from others of its template."""
    sizes, fonts, made = SMALL if options.small else FULL, Fonts(packages), []
    for number, (name, picture) in enumerate(islice(photos.all_photos(packages), 0, None, sizes["every"])):
        identity, chance = len(made), random.Random(f"{options.seed}/photo/{number}")
        path = options.folder / f"originals/{identity:04}.jpg"
        photos.save_photo(picture, path, chance)
        made.append((_line(identity, "photo", name, number % 2 == 1, path), None))
    for kind, module, turns in (("screen", screens, len(screens.TEMPLATES)), ("card", cards, 4)):
        first = len(made)
        for number in range(sizes[kind]):
            made.append(_drawn(options, (kind, module, turns), number, first, fonts))
    return made


def _drawn(options, sort, number, first, fonts):
    """A drawn original. Of each template half is withheld, and a third of these differ from another in one field."""
    kind, module, turns = sort
    near = number // turns % NEAR_SHARE == 1
    chance = random.Random(f"{options.seed}/{kind}/{number - turns if near else number}")
    changed = 1 + number // turns // NEAR_SHARE % 4 if near else None
    template, picture, boxes = module.draw(number, chance, fonts, changed)
    path = options.folder / f"originals/{first + number:04}.{'png' if kind == 'screen' else 'jpg'}"
    picture.save(path, **({} if kind == "screen" else {"quality": 92}))
    line = _line(first + number, kind, template, number // turns % 2 == 1, path)
    if near:
        line |= {"near": first + number - turns, "changed": boxes[changed]}
    return line, boxes


def _line(identity, kind, name, withheld, path):
    return {
        "original": identity,
        "class": kind,
        "template": name,
        "withheld": withheld,
        "file": f"originals/{path.name}",
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
    }


def transformed(originals, options, packages):
    """Lines of the queries; several originals are worked on at a time."""
    jobs = [(line, boxes, options.folder, options.seed, packages) for line, boxes in originals]
    # Encoders start threads of their own, which do not survive a fork.
    with multiprocessing.get_context("spawn").Pool(
        options.workers, initializer=pillow_heif.register_heif_opener
    ) as pool:
        return [line for lines in pool.imap(_queries, jobs) for line in lines]


def _queries(job):
    line, boxes, folder, seed, packages = job
    fonts, identity = Fonts(packages), line["original"]
    with Image.open(folder / line["file"]) as opened:
        picture = ImageOps.exif_transpose(opened).convert("RGB")
    lines = [_stripped(line, folder)] if line["class"] == "photo" else []
    for at, (name, change) in enumerate(TRANSFORMATIONS.items()):
        if line["withheld"] and (at + identity // 2) % WITHHELD_SHARE:
            continue
        chance = random.Random(f"{seed}/{identity}/{name}")
        result, (extension, saving), seen = change(picture, chance, fonts)
        path = folder / f"queries/{identity:04}-{at:02}.{extension}"
        if not path.exists():
            result.save(path, **saving)
        entry = _query(identity, name, path, telling(boxes, seen))
        if "near" in line and not telling([line["changed"]], seen):
            entry["equal"] = line["near"]
        lines.append(entry)
    return lines


def _query(identity, name, path, tells):
    return {"query": f"queries/{path.name}", "original": identity, "transformation": name, "tells": tells}


def _stripped(line, folder):
    """The original's own coefficients without its tags, as a messenger strips them; an upright tag goes, too."""
    data = (folder / line["file"]).read_bytes()
    path = folder / f"queries/{line['original']:04}-exif.jpg"
    path.write_bytes(without_tags(data))
    return _query(line["original"], "EXIF stripped", path, True)


def without_tags(jpeg):
    """The JPEG without its APP1 segments (ITU-T T.81, B.1.1.4)."""
    out, at = io.BytesIO(), 2
    out.write(jpeg[:2])
    while jpeg[at] == 0xFF and jpeg[at + 1] != 0xDA:
        length = 2 + int.from_bytes(jpeg[at + 2 : at + 4], "big")
        if jpeg[at + 1] != 0xE1:
            out.write(jpeg[at : at + length])
        at += length
    out.write(jpeg[at:])
    return out.getvalue()


def telling(boxes, seen):
    """Whether what is still to be seen holds anything by which the picture differs from others of its template."""
    if boxes is None:
        return True
    left, top, right, bottom = seen
    return any(left <= box[0] and top <= box[1] and box[2] <= right and box[3] <= bottom for box in boxes)


if __name__ == "__main__":
    main()
