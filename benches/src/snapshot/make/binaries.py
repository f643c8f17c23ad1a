"""Files that are no text: programs, packages, models, videos."""

import io
import struct
import sys
import zipfile
from pathlib import Path

TIME = (2026, 11, 3, 11, 11, 10)
# Units of code with how often they come: most of a program is calls, moves and returns.
UNITS = 600


def libraries(wheels):
    """Name and bytes of the native libraries in the wheels and in the packages of this environment, always in one order."""
    found = {}
    for wheel in sorted(wheels.glob("*.whl")):
        with zipfile.ZipFile(wheel) as archive:
            for member in sorted(archive.namelist()):
                if ".so" in Path(member).name:
                    found[Path(member).name.split(".")[0]] = archive.read(member)
    for folder in sys.path:
        if folder.endswith("site-packages"):
            for path in sorted(Path(folder).rglob("*.so*")):
                found[path.name.split(".")[0]] = path.read_bytes()
    return sorted(found.items(), key=lambda item: (-len(item[1]), item[0]))


def dex(words, size, planted=None):
    """A program laid out as Dalvik's are: head, tables of numbers, units of code, names."""
    chance = words.chance
    names = [f"Lcom/{chance.choice(words.all)}/{chance.choice(words.all)}/{chance.choice(words.all).title()};" for _ in range(size // 160)]
    names += chance.choices(words.all, k=size // 200)
    if planted is not None:
        names.append(planted)
    data, places = bytearray(), []
    for name in sorted(set(names)):
        places.append(len(data))
        data += bytes([len(name)]) + name.encode() + b"\0"
    methods = b"".join(struct.pack("<HHI", chance.randint(0, 4000), chance.randint(0, 900), at) for at in range(size // 80))
    units = [struct.pack("<H", chance.getrandbits(16)) for _ in range(UNITS)]
    weights = [1 / (rank + 2) for rank in range(UNITS)]
    left = max(2, size - len(data) - len(methods) - 4 * len(places))
    code = b"".join(chance.choices(units, weights, k=left // 2))
    head = b"dex\n035\0" + chance.randbytes(24) + struct.pack("<20I", *range(20))
    start = len(head) + 4 * len(places) + len(methods) + len(code)
    return head + b"".join(struct.pack("<I", start + place) for place in places) + methods + code + bytes(data)


def package(words, pictures, size, planted=None):
    """A ZIP archive with a program, texts and pictures in it, as APK and bundles are."""
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        put = lambda name, content, how: archive.writestr(zipfile.ZipInfo(name, TIME), content, how, 6)
        put("classes.dex", dex(words, size // 2), zipfile.ZIP_DEFLATED)
        put("assets/config.json", words.json(size // 4, planted), zipfile.ZIP_DEFLATED)
        number = 0
        while held.tell() < size:
            put(f"res/drawable/{number}.webp", words.chance.choice(pictures), zipfile.ZIP_STORED)
            put(f"assets/page{number}.js", words.program(40_000), zipfile.ZIP_DEFLATED)
            number += 1
    return held.getvalue()


def video(words, size):
    """The boxes of an MP4 file around what nothing can make smaller."""
    box = lambda name, content: struct.pack(">I", len(content) + 8) + name + content
    chance = words.chance
    sizes = b"".join(struct.pack(">I", chance.randint(800, 9000)) for _ in range(size // 4000))
    moov = box(b"moov", box(b"mvhd", chance.randbytes(100)) + box(b"trak", box(b"stsz", sizes)))
    return box(b"ftyp", b"isom\0\0\2\0isomiso2avc1mp41") + moov + box(b"mdat", chance.randbytes(size))


def model(words, size):
    """Weights of a small model: numbers around nought."""
    gauss = words.chance.gauss
    numbers = [gauss(0, 0.05) for _ in range(4096)]
    weights = words.chance.choices(numbers, k=size // 4)
    return b"\x1c\0\0\0TFL3" + struct.pack(f"<{len(weights)}f", *weights)
