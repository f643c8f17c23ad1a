"""Cards and screens with the numbers that stand in them, each as it is, as a bad JPEG, small, and seen at a slant.

    text.py FOLDER [--count NUMBER]

writes a folder of pictures for each state and set.jsonl: kind, state, file, and the texts that are asked for. The same
count makes the same pictures.
"""

import argparse
import json
import random
import re
from pathlib import Path

import cards
import photos
import screens
from drawing import Canvas, Fonts
from PIL import Image

SEEN = []
FONTS = ["fonts-dejavu-core", "fonts-wqy-zenhei"]
# Templates of which each picture has a whole number: a receipt's, and a credit card's.
SCREENS = [1, 4]
NUMBER = re.compile(r"[0-9 ]{10,}[0-9X]")
STATES = ["clean", "JPEG 30", "360 pixels wide", "slant"]


class Recording(Canvas):
    """Remembers what is written."""

    def own(self, at, text, *rest, **more):
        """Text of this picture alone."""
        SEEN.append(text)
        super().own(at, text, *rest, **more)


def main():
    """Draws all of them."""
    words = argparse.ArgumentParser()
    words.add_argument("folder", type=Path)
    words.add_argument("--count", type=int, default=12)
    options = words.parse_args()
    packages = options.folder.parent / "packages"
    photos.fetch_packages(packages, FONTS)
    cards.Canvas = screens.Canvas = Recording
    fonts, lines = Fonts(packages), []
    for state in STATES:
        for kind in ("card", "screen"):
            folder = options.folder / f"{kind}-{state.replace(' ', '-')}"
            folder.mkdir(parents=True, exist_ok=True)
            for number in range(options.count):
                lines.append(_drawn(kind, state, number, folder, fonts))
    text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
    (options.folder / "set.jsonl").write_text(text, encoding="utf-8")


def _drawn(kind, state, number, folder, fonts):
    """One picture: in every state the same texts stand in it."""
    chance = random.Random(f"text/{kind}/{number}")
    SEEN.clear()
    if kind == "card":
        # Of four cards the first is a resident's, scanned, and the third one, photographed.
        _, picture, _ = cards.draw(2 if state == "slant" else 0, chance, fonts)
    else:
        _, picture, _ = screens.draw(SCREENS[number % len(SCREENS)], chance, fonts)
        picture = _slanted(picture, chance) if state == "slant" else picture
    if state == "360 pixels wide":
        picture = picture.resize((360, round(picture.height * 360 / picture.width)), Image.Resampling.LANCZOS)
    path = folder / (f"{number:03}.png" if state == "clean" else f"{number:03}.jpg")
    picture.save(path, **({} if state == "clean" else {"quality": 30 if state == "JPEG 30" else 85}))
    numbers = [text for text in SEEN if NUMBER.fullmatch(text)]
    return {"kind": kind, "state": state, "file": f"{folder.name}/{path.name}", "numbers": numbers}


def _slanted(picture, chance):
    """Seen a little from the side: every corner moves by up to a twenty-fifth of the width."""
    most = picture.width // 25
    size = picture.size
    source = [(0, 0), (size[0], 0), (size[0], size[1]), (0, size[1])]
    seen = [(x + chance.randint(-most, most), y + chance.randint(-most, most)) for x, y in source]
    return picture.transform(
        size, Image.Transform.PERSPECTIVE, cards.homography(seen, source), Image.Resampling.BICUBIC
    )


if __name__ == "__main__":
    main()
