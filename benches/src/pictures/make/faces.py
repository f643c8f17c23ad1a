"""Pictures with faces and without, for the detector of faces.

    faces.py FOLDER

writes a folder of pictures for each kind and set.jsonl: kind, file, and the boxes of the faces that are in it. The
portraits are photographs of officials in the public domain (benches/README.md).
"""

import argparse
import array
import functools
import io
import json
import random
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import cards
import photos
import screens
from drawing import Fonts
from PIL import Image, ImageEnhance, ImageOps

PACKAGE = "face_recognition==1.3.0"
# File and box of the face, as left, top and side.
PORTRAITS = [
    ("astronaut.png", (176, 67, 96)),
    ("biden.jpg", (400, 216, 310)),
    ("obama.jpg", (355, 106, 275)),
    ("obama2.jpg", (161, 286, 313)),
    ("obama3.jpg", (622, 260, 312)),
]
# Photographs of the set in which people are seen.
PEOPLE = ["astronaut.png", "camera.png", "explore_world_music"]
CARDS = 12
SCREENS = 24


class Set:
    """What was written."""

    def __init__(self, folder):
        self.folder, self.lines = folder, []

    def add(self, kind, picture, boxes, quality=90):
        """A picture and the boxes of its faces: left, top, right, bottom."""
        folder = self.folder / kind.replace(" ", "-").replace("°", "").replace("%", "")
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{len(list(folder.iterdir())):03}.jpg"
        picture.convert("RGB").save(path, quality=quality)
        boxes = [[round(edge) for edge in box] for box in boxes]
        self.lines.append({"kind": kind, "file": f"{folder.name}/{path.name}", "faces": boxes})


def main():
    """Makes all of them."""
    words = argparse.ArgumentParser()
    words.add_argument("folder", type=Path)
    options = words.parse_args()
    packages = options.folder.parent / "packages"
    photos.fetch(packages)
    made = Set(options.folder)
    portraits = list(_portraits(packages))
    for picture, box in portraits:
        _states(made, picture, box)
        _at_sizes(made, picture, box)
    fonts = Fonts(packages)
    _on_cards(made, portraits, fonts)
    _patches(made, packages)
    _without(made, packages, fonts)
    text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in made.lines)
    (options.folder / "set.jsonl").write_text(text, encoding="utf-8")


def _portraits(packages):
    place = packages / "portraits"
    if not place.exists():
        place.mkdir(parents=True)
        # The wheel does not have them. Nothing of it is built or run but what says its name and version.
        pip = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--no-binary", ":all:", "-d", place]
        subprocess.run([*pip, PACKAGE], check=True)
    with tarfile.open(next(place.glob("*.tar.gz"))) as archive:
        files = {Path(member.name).name: archive.extractfile(member).read() for member in archive if member.isfile()}
    with zipfile.ZipFile(next((packages / "wheels").glob("scikit_image-*.whl"))) as archive:
        files["astronaut.png"] = archive.read("skimage/data/astronaut.png")
    for name, (left, top, side) in PORTRAITS:
        picture = Image.open(io.BytesIO(files[name])).convert("RGB")
        yield picture, (left, top, left + side, top + side)


def _states(made, picture, box):
    """As it is, and what is done to it."""
    width, height = picture.size
    left, top, right, bottom = box
    made.add("as it is", picture, [box])
    made.add("JPEG 30", picture, [box], 30)
    made.add("JPEG 10", picture, [box], 10)
    made.add("mirrored", ImageOps.mirror(picture), [(width - right, top, width - left, bottom)])
    made.add("dark", ImageEnhance.Brightness(picture).enhance(0.3), [box])
    made.add("bright", ImageEnhance.Brightness(picture).enhance(1.7), [box])
    made.add("little contrast", ImageEnhance.Contrast(picture).enhance(0.3), [box])
    side = right - left
    around = (max(0, left - side // 4), max(0, top - side // 4), right + side // 4, bottom + side // 4)
    shift = (around[0], around[1], around[0], around[1])
    made.add("cropped to the head", picture.crop(around), [[a - b for a, b in zip(box, shift, strict=True)]])
    middle = (left + right) // 2
    made.add("right half of the face cut off", picture.crop((0, 0, middle, height)), [(left, top, middle, bottom)])
    covered = picture.copy()
    covered.paste((40, 90, 150), (left, top + side * 55 // 100, right, bottom))
    made.add("lower half covered", covered, [box])
    for angle in (10, 20, 30, 45):
        made.add(f"tilted {angle}°", *_tilted(picture, box, angle))
    made.add("quarter turn", picture.transpose(Image.Transpose.ROTATE_90), [(top, width - right, bottom, width - left)])
    turned = (width - right, height - bottom, width - left, height - top)
    made.add("upside down", picture.transpose(Image.Transpose.ROTATE_180), [turned])


def _tilted(picture, box, angle):
    """Turned around the middle of the face, which stays where it is."""
    middle = ((box[0] + box[2]) / 2, (box[1] + box[3]) / 2)
    turned = picture.rotate(angle, Image.Resampling.BICUBIC, center=middle)
    return turned, [box]


def _at_sizes(made, picture, box):
    """The whole picture with a face of so many pixels, as in a group or far away."""
    for side in (120, 60, 40, 30, 24, 20, 16):
        scale = side / (box[2] - box[0])
        size = (round(picture.width * scale), round(picture.height * scale))
        small = picture.resize(size, Image.Resampling.LANCZOS)
        made.add(f"face {side} pixels wide", small, [[edge * scale for edge in box]])


def _on_cards(made, portraits, fonts):
    """Cards with a portrait, as scanned and as photographed; with the face that the set draws; and with none."""
    for number in range(CARDS):
        picture, box = portraits[number % len(portraits)]
        kinds = ["scanned card with a portrait", "card with a portrait, photographed"]
        for template, kind in zip((number % 2, 2 + number % 2), kinds, strict=True):
            card, boxes = _card(template, number, fonts, functools.partial(_pasted, picture=picture, face=box))
            made.add(kind, card, boxes)
            scale = 360 / card.width
            small = card.resize((360, round(card.height * scale)), Image.Resampling.LANCZOS)
            made.add(f"{kind}, 360 pixels wide", small, [[edge * scale for edge in box] for box in boxes])
        made.add("no face: card", _card(number % 4, number, fonts, lambda canvas, place: None)[0], [])
        made.add("drawn face on a card", *_card(number % 4, number, fonts, None))


def _card(template, number, fonts, portrait):
    """A card, and where the portrait's face is on it."""
    drawn, seen = cards._face, []

    def face(canvas, place, chance):
        if portrait is None:
            drawn(canvas, place, chance)
            canvas.boxes[-1] = _inner(place)
            seen.append(len(canvas.boxes) - 1)
        elif inner := portrait(canvas, place):
            canvas.boxes.append(inner)
            seen.append(len(canvas.boxes) - 1)

    cards._face = face
    try:
        _, picture, boxes = cards.draw(template, random.Random(f"faces/{number}"), fonts)
    finally:
        cards._face = drawn
    return picture, [boxes[at] for at in seen]


def _pasted(canvas, place, picture, face):
    """A passport photograph: the face takes half of its width."""
    left, top, right, bottom = place
    width, height = right - left, bottom - top
    scale = width / 2 / (face[2] - face[0])
    x, y = (face[0] + face[2]) / 2 - width / 2 / scale, (face[1] + face[3]) / 2 - height * 0.45 / scale
    cut = picture.crop((round(x), round(y), round(x + width / scale), round(y + height / scale)))
    canvas.picture.paste(cut.resize((width, height), Image.Resampling.LANCZOS), (left, top))
    return _inner(place)


def _inner(place):
    """Where the face is in a passport photograph."""
    left, top, right, bottom = place
    width, height = right - left, bottom - top
    x, y = left + width // 2, round(top + height * 0.45)
    return [x - width // 4, y - width // 4, x + width // 4, y + width // 4]


def _patches(made, packages):
    """LFW's 100 faces and 100 other patches of 25 pixels, four times as large, in the middle of grey."""
    with zipfile.ZipFile(next((packages / "wheels").glob("scikit_image-*.whl"))) as archive:
        data = archive.read("skimage/data/lfw_subset.npy")
    # NumPy's format: a head of that length, then numbers from 0 to 1.
    numbers = array.array("d", data[10 + int.from_bytes(data[8:10], "little") :])
    for number in range(200):
        patch = numbers[625 * number : 625 * (number + 1)]
        pixels = Image.frombytes("L", (25, 25), bytes(round(255 * value / max(patch)) for value in patch))
        picture = Image.new("L", (160, 160), 128)
        picture.paste(pixels.resize((100, 100), Image.Resampling.BICUBIC), (30, 30))
        if number < 100:
            made.add("patch of LFW", picture, [(30, 30, 130, 130)])
        else:
            made.add("no face: patch of LFW", picture, [])


def _without(made, packages, fonts):
    """What may be mistaken for faces."""
    for name, picture in photos.all_photos(packages):
        if not any(people in name for people in PEOPLE):
            made.add("no face: photograph", picture, [])
    for number in range(SCREENS):
        _, picture, _ = screens.draw(number, random.Random(f"faces/{number}"), fonts)
        made.add("no face: screen", picture, [])


if __name__ == "__main__":
    main()
