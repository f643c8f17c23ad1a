"""Photographs of twelve megapixels, as phones take them: the set's photographs enlarged, with noise as sensors have.

    large.py SET NUMBER

writes SET/large/ORIGINAL.jpg for so many photographs, half of which are in the gallery.
"""

import json
import random
import sys
from pathlib import Path

from PIL import Image, ImageOps

SIZE = (4000, 3000)


def main():
    """Makes whatever is not there yet."""
    folder, count = Path(sys.argv[1]), int(sys.argv[2])
    lines = [json.loads(line) for line in (folder / "set.jsonl").read_text(encoding="utf-8").splitlines()]
    photos = [line for line in lines if line.get("class") == "photo"]
    step = max(1, len(photos) // count // 2)
    (folder / "large").mkdir(exist_ok=True)
    for at in range(count):
        line = photos[min(len(photos) - 1, (2 * step * (at // 2) + at % 2))]
        path = folder / f"large/{line['original']:04}.jpg"
        if not path.exists():
            large(folder / line["file"], random.Random(f"large/{line['original']}")).save(path, quality=90)


def large(path, chance):
    """The middle of the photograph in the shape of a sensor."""
    with Image.open(path) as opened:
        picture = ImageOps.exif_transpose(opened).convert("RGB")
    picture = ImageOps.fit(picture, SIZE, Image.Resampling.BICUBIC)
    grain = Image.frombytes("L", (1000, 750), chance.randbytes(750_000))
    noise = Image.new("L", SIZE)
    for across in range(0, SIZE[0], 1000):
        for down in range(0, SIZE[1], 750):
            noise.paste(grain.transpose(chance.choice(list(Image.Transpose)[:4])).resize((1000, 750)), (across, down))
    return Image.blend(picture, noise.convert("RGB"), 0.04)


if __name__ == "__main__":
    main()
