"""Photographs with clear licences, out of Debian packages and two Python wheels (benches/README.md lists them)."""

import io
import random
import struct
import subprocess
import sys
import zipfile
from pathlib import Path

from PIL import Image, ImageFilter, ImageStat

DEBIAN = [
    "fonts-dejavu-core",
    "fonts-wqy-zenhei",
    "gcompris-qt-data",
    "lomiri-wallpapers-16.04",
    "lomiri-wallpapers-20.04",
    "lxqt-themes",
    "mate-backgrounds",
    "palapeli-data",
    "plasma-workspace-wallpapers",
]
WHEELS = ["scikit-image==0.26.0", "scikit-learn==1.9.1"]

# Only photographs: the packages hold drawings, gradients and several sizes of one picture, too.
FILES = [
    (
        "lomiri-wallpapers-16.04",
        "usr/share/backgrounds",
        [
            "Bridge_by_*",
            "Dragonfly_*",
            "Picture_*",
            "Wine_*",
            "aitzgorri_*",
            "free_*",
            "friends_*",
            "greentock_*",
            "life_*",
            "picosdeeuropa_*",
            "seeding_*",
            "sunset_*",
        ],
    ),
    ("lomiri-wallpapers-20.04", "usr/share/backgrounds", ["Kleiber_*"]),
    ("mate-backgrounds", "usr/share/backgrounds/mate/nature", ["*.jpg"]),
    (
        "plasma-workspace-wallpapers",
        "usr/share/wallpapers",
        [
            f"{name}/contents/images/2560x1600.jpg"
            for name in (
                "BytheWater",
                "ColdRipple",
                "ColorfulCups",
                "DarkestHour",
                "EveningGlow",
                "FallenLeaf",
                "Grey",
                "Kite",
                "OneStandsOut",
                "Path",
                "summer_1am",
            )
        ]
        + ["Volna/contents/images/5120x2880.jpg"],
    ),
    ("palapeli-data", "usr/share/palapeli/collection", ["*.jpg"]),
    (
        "lxqt-themes",
        "usr/share/lxqt/wallpapers",
        ["after-the-rain.jpg", "appleflower.png", "butterfly.png", "flowers.png", "fog.jpg", "this-is-not-windows.jpg"],
    ),
]
# Qt resource files, in which pictures lie uncompressed behind their length.
RESOURCES = [
    "clickgame",
    "erase",
    "explore_farm_animals",
    "explore_monuments",
    "explore_world_animals",
    "explore_world_music",
]
IN_WHEELS = {
    "scikit_image": [
        "astronaut.png",
        "brick.png",
        "camera.png",
        "cell.png",
        "chelsea.png",
        "coffee.png",
        "coins.png",
        "grass.png",
        "gravel.png",
        "hubble_deep_field.jpg",
        "ihc.png",
        "moon.png",
        "motorcycle_left.png",
        "retina.jpg",
        "rocket.jpg",
    ],
    "scikit_learn": ["china.jpg", "flower.jpg"],
}
LONGEST = 2016
# A picture from which two are cut: each half is still larger than most of the others.
WIDE = 2400


def fetch_packages(folder, packages):
    """Debian packages, downloaded by their ordinary client and unpacked once."""
    for package in packages:
        place = folder / package
        if not place.exists():
            archives = folder / "archives" / package
            archives.mkdir(parents=True, exist_ok=True)
            command = ["apt-get", "download", "-q", "-o", "APT::Sandbox::User=", package]
            subprocess.run(command, cwd=archives, check=True, stdout=subprocess.DEVNULL)
            subprocess.run(["dpkg-deb", "-x", next(archives.glob("*.deb")), place], check=True)


def fetch(folder):
    """Packages and wheels."""
    fetch_packages(folder, DEBIAN)
    fetch_wheels(folder)


def fetch_wheels(folder):
    """Wheels alone, into `wheels`."""
    wheels = folder / "wheels"
    if not wheels.exists():
        pip = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", wheels]
        subprocess.run(pip + WHEELS, check=True)


def all_photos(folder):
    """Name and picture of every photograph, in an order that is always the same."""
    for name, data in _files(folder):
        with Image.open(io.BytesIO(data)) as picture:
            picture = picture.convert("RGB")
        halves = _halves(picture) if picture.width >= WIDE and picture.height <= picture.width else [("", picture)]
        for suffix, part in halves:
            part.thumbnail((LONGEST, LONGEST), Image.Resampling.LANCZOS)
            if _has_detail(part):
                yield name + suffix, part


def _files(folder):
    for package, under, patterns in FILES:
        for pattern in patterns:
            for path in sorted((folder / package / under).glob(pattern)):
                yield f"{package}/{path.relative_to(folder / package / under)}", path.read_bytes()
    for resource in RESOURCES:
        path = folder / "gcompris-qt-data/usr/share/gcompris-qt/rcc" / f"{resource}.rcc"
        for at, data in _carved(path.read_bytes()):
            yield f"gcompris-qt-data/{resource}/{at}", data
    yield from _in_wheels(folder)


def of_wheels(folder):
    """Name and picture of the photographs in the wheels, as they are."""
    for name, data in _in_wheels(folder):
        with Image.open(io.BytesIO(data)) as picture:
            yield name, picture.convert("RGB")


def _in_wheels(folder):
    for wheel, names in IN_WHEELS.items():
        with zipfile.ZipFile(next((folder / "wheels").glob(f"{wheel}-*.whl"))) as archive:
            for member in sorted(archive.namelist()):
                if Path(member).name in names and "tests" not in member:
                    yield f"{wheel}/{Path(member).name}", archive.read(member)


def _carved(resource):
    at = resource.find(b"RIFF")
    while at >= 0:
        length = struct.unpack(">I", resource[at - 4 : at])[0] if at >= 4 else 0
        data = resource[at : at + length]
        if length > 20_000 and data[8:12] == b"WEBP" and _is_photo(data):
            yield at, data
        at = resource.find(b"RIFF", at + 4)


def _is_photo(data):
    with Image.open(io.BytesIO(data)) as picture:
        return picture.mode == "RGB" and min(picture.size) >= 400


def _halves(picture):
    middle = picture.width // 2
    yield "#left", picture.crop((0, 0, middle, picture.height))
    yield "#right", picture.crop((middle, 0, picture.width, picture.height))


def _has_detail(picture):
    """Whether there is anything to recognise: a cloudless sky looks like every other."""
    small = picture.convert("L").resize((128, 128), Image.Resampling.BOX)
    edges = small.filter(ImageFilter.Kernel((3, 3), [-1, -1, -1, -1, 8, -1, -1, -1, -1], 1, 128)).crop((1, 1, 127, 127))
    return ImageStat.Stat(edges).stddev[0] > 6


def camera_tags(chance, rotated):
    """What a phone writes into a photograph: camera, time, place and how it was held."""
    tags = Image.Exif()
    tags[0x010F], tags[0x0110] = "Example", "Phone 9"
    tags[0x0112] = 6 if rotated else 1
    day = f"2026:{chance.randint(1, 9):02}:{chance.randint(1, 28):02}"
    tags[0x8769] = {0x9003: f"{day} {chance.randint(7, 21):02}:{chance.randint(0, 59):02}:05"}
    tags[0x8825] = {
        1: "N",
        2: (31.0, float(chance.randint(0, 59)), 12.5),
        3: "E",
        4: (121.0, float(chance.randint(0, 59)), 3.25),
    }
    return tags


def save_photo(picture, path, chance):
    """As a phone stores it: one in five was held upright, and only a tag says so."""
    rotated = chance.random() < 0.2
    stored = picture.transpose(Image.Transpose.ROTATE_90) if rotated else picture
    stored.save(path, quality=chance.choice([88, 92, 95]), exif=camera_tags(random.Random(str(path.name)), rotated))
