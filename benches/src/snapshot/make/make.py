"""Makes an app's folder as it is on a phone, twice, with the second some days later; and expected.json beside them.

    make.py FOLDER WHEELS --seed TEXT [--small]

Everything comes from the seed, but for what libraries put into their own files."""

import argparse
import gzip
import hashlib
import json
import os
import random
import shutil
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "pictures" / "make"))

import binaries
import images
import photos
import stores
import subject
from words import Words

# Files of each kind; the sizes are in `make`. "small" fills up to FILES.
FILES = 10_000
COUNTS = {
    "preferences": 420,
    "database": 45,
    "database with a log": 25,
    "json": 1300,
    "animation": 120,
    "log": 160,
    "log, gzip": 80,
    "protobuf": 500,
    "datastore": 200,
    "leveldb": 12,
    "http cache": 1000,
    "http cache, gzip": 500,
    "web cache": 900,
    "picture": 2700,
    "library": 16,
    "dex": 8,
    "package": 12,
    "video": 4,
    "model": 3,
    "small": 200,
}
MODIFIED = 1_793_000_000
COPIES_OF_GALLERY = 12


class App:
    """The folder, and what is in which file."""

    def __init__(self, root, words):
        self.root, self.words = root, words
        self.planted, self.shown, self.kinds = {}, {}, {}

    def path(self, name):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def put(self, kind, name, content):
        self.path(name).write_bytes(content)
        self.kinds[name] = kind

    def note(self, kind, name):
        self.kinds[name] = kind


def make(app, values, plans, cache, gallery, small, wheels):
    words, chance = app.words, app.words.chance

    def each(kind):
        for number in range(small(COUNTS[kind], kind)):
            value, how = plans.get(kind, {}).get(number, (None, None))
            yield number, None if value is None else subject.wrapped(values[value][1], how), value, how

    def holds(name, kind, value, how):
        if value is not None:
            app.planted[name] = (value, how, how == "plain" and kind not in subject.COMPRESSED)

    def write(kind, name, content, value, how):
        app.put(kind, name, content if isinstance(content, bytes) else content.encode())
        holds(name, kind, value, how)

    for n, said, value, how in each("preferences"):
        write("preferences", f"shared_prefs/{words.all[n]}_{n}.xml", words.preferences(words.size(300, 50_000), said), value, how)
    for n, said, value, how in each("json"):
        write("json", f"files/feed/{n % 40}/{words.hex(12)}.json", words.json(words.size(300, 120_000), said), value, how)
    for n, *_ in each("animation"):
        write("animation", f"files/anim/{n}.json", words.animation(words.size(8_000, 200_000)), None, None)
    for n, said, value, how in each("log"):
        write("log", f"files/logs/app-{n:03}.log", words.log(words.size(40_000, 900_000), said), value, how)
    for n, said, value, how in each("log, gzip"):
        packed = gzip.compress(words.log(words.size(100_000, 900_000), said).encode(), 6, mtime=0)
        write("log, gzip", f"files/logs/old/app-{n:03}.log.gz", packed, value, how)
    for n, said, value, how in each("protobuf"):
        write("protobuf", f"files/proto/{words.hex(10)}.pb", stores.message(words, words.size(200, 120_000), said), value, how)
    for n, said, value, how in each("datastore"):
        content = stores.datastore(words, words.size(200, 30_000), said)
        write("datastore", f"files/datastore/{words.all[n]}{n}.preferences_pb", content, value, how)
    for n, said, value, how in each("http cache"):
        content = words.json(words.size(300, 80_000), said) if n % 3 else words.page(words.size(800, 60_000), said)
        cached(app, "http cache", words.hex(32), content.encode(), "", value, how, holds)
    for n, said, value, how in each("http cache, gzip"):
        content = gzip.compress(words.json(words.size(2_000, 300_000), said).encode(), 6, mtime=0)
        cached(app, "http cache, gzip", words.hex(32), content, "Content-Encoding: gzip\n", value, how, holds)
    for n, said, value, how in each("web cache"):
        content = words.program(words.size(4_000, 300_000), said) if n % 2 else words.page(words.size(2_000, 80_000), said)
        write("web cache", f"cache/WebView/Default/HTTP Cache/Cache_Data/{words.hex(16)}_0", simple(words, content), value, how)
    for n, said, value, how in each("small"):
        content = f"{words.hex(32)}\n" if said is None else f"{said}\n"
        write("small", f"files/.state/{words.all[n]}{n}", content, value, how)
    pictures(app, each, holds, cache, gallery, small)
    webps = [images.cached(cache, chance) for _ in range(40)]
    for n, said, value, how in each("dex"):
        write("dex", f"code_cache/secondary-{n}.dex", binaries.dex(words, words.size(1_500_000, 5_000_000), said), value, how)
    for n, said, value, how in each("package"):
        write("package", f"files/bundles/{n}.zip", binaries.package(words, webps, words.size(1_200_000, 4_000_000), said), value, how)
    libraries = binaries.libraries(wheels)
    for n, *_ in each("library"):
        name, content = libraries[n]
        write("library", f"files/plugins/lib{name}.so", content, None, None)
    for n, *_ in each("video"):
        write("video", f"cache/video/{words.hex(16)}.mp4", binaries.video(words, 5_000_000), None, None)
    for n, *_ in each("model"):
        write("model", f"files/models/{n}.tflite", binaries.model(words, 2_500_000), None, None)
    for n, said, value, how in each("leveldb"):
        folder = f"app_webview/Default/{n}/leveldb"
        stores.leveldb(str(app.path(folder)), words, words.size(400_000, 3_000_000), said)
        for path in sorted((app.root / folder).iterdir()):
            app.note("leveldb", f"{folder}/{path.name}")
        if value is not None:
            app.planted[folder + "/"] = (value, how, False)
    for kind, largest in (("database", 8_000_000), ("database with a log", 3_000_000)):
        for n, said, value, how in each(kind):
            name = f"databases/{kind.split()[-1]}-{n}.db"
            size, has_log = words.size(30_000, largest), kind != "database"
            stores.database(str(app.path(name)), words, size, None if has_log else said)
            app.note(kind, name)
            if has_log:
                stores.log(str(app.path(name)), words, size // 6, said)
                app.note(kind, name + "-wal")
                app.note(kind, name + "-shm")
            # What stands in the log is a value of the database.
            holds(name, kind, value, how)
            if value is not None and has_log:
                app.planted[name] = (value, how, False)
                app.planted[name + "-wal"] = (value, "in the log", True)


def cached(app, kind, key, content, coding, value, how, holds):
    """An entry of OkHttp's cache: what was asked and answered, and the body as it came."""
    words = app.words
    head = (
        f"{words.url()}\nGET\n0\nHTTP/1.1 200 OK\n6\nContent-Type: text/html; charset=utf-8\n{coding}Date: Tue, 03 Nov 2026 11:11:11 GMT\n"
        f"ETag: \"{words.hex(32)}\"\nOkHttp-Sent-Millis: {words.moment()}\nOkHttp-Received-Millis: {words.moment()}\n\n"
    )
    app.put(kind, f"cache/okhttp/{key}.0", head.encode())
    app.put(kind, f"cache/okhttp/{key}.1", content)
    holds(f"cache/okhttp/{key}.1", kind, value, how)


def simple(words, content):
    """An entry of Chromium's simple cache: head, key, body."""
    key = words.url().encode()
    head = bytes.fromhex("305c72a71b6dfbfc") + (5).to_bytes(4, "little") + len(key).to_bytes(4, "little") + bytes(8)
    return head + key + content.encode() + bytes.fromhex("d8410d97456ffaf4") + bytes(16)


def pictures(app, each, holds, cache, gallery, small):
    words, copies = app.words, small(COPIES_OF_GALLERY, None)
    every = small(COUNTS["picture"], "picture") // (copies + 1)
    for n, said, value, how in each("picture"):
        name = f"cache/image_manager_disk_cache/{words.hex(64)}.0"
        number = n // every - 1
        if n % every == 0 and 0 <= number < copies:
            app.put("picture", name, images.copy(gallery[number][1], words.chance))
            app.shown[name] = number
        else:
            app.put("picture", name, images.cached(cache, words.chance, said))
            holds(name, "picture", value, how)


def second(first, root, values, cache, share):
    """What became of the folder: one file in twenty was created, changed, deleted or copied."""
    shutil.copytree(first.root, root, copy_function=os.link)
    app = App(root, first.words)
    app.planted, app.shown, app.kinds = dict(first.planted), dict(first.shown), dict(first.kinds)
    words, chance = app.words, app.words.chance
    quiet = [name for name in sorted(app.kinds) if name not in app.planted and name not in app.shown]
    of = lambda *kinds: [name for name in quiet if app.kinds[name] in kinds and not name.endswith(("-wal", "-shm"))]
    some = lambda names, number: chance.sample(names, min(len(names), max(1, int(number * share))))
    count = lambda number: max(1, int(number * share))
    loud = [name for name in sorted(app.planted) if app.kinds.get(name) in ("json", "preferences") and app.planted[name][1] == "plain"]

    def fresh(name):
        # A link to the file of the first snapshot must not be written through.
        app.path(name).unlink(missing_ok=True)
        return name

    def rewrite(name, content):
        app.put(app.kinds.get(name, "json"), fresh(name), content if isinstance(content, bytes) else content.encode())

    for name in some(of("preferences"), 60):
        rewrite(name, words.preferences(words.size(300, 50_000)))
    for name in some(of("json"), 80):
        rewrite(name, words.json(words.size(300, 120_000)))
    for name in some(of("log"), 20):
        rewrite(name, app.path(name).read_bytes() + words.log(60_000).encode())
    for name in some(of("database with a log"), 10):
        stores.log(str(app.path(name)), words, 200_000, values[3][1])
        app.planted[name], app.planted[name + "-wal"] = (3, "plain", False), (3, "in the log", True)
    for name, content in ((f"files/feed/new/{words.hex(12)}.json", words.json(words.size(300, 120_000))) for _ in range(count(90))):
        rewrite(name, content)
    for _ in range(count(60)):
        app.put("picture", f"cache/image_manager_disk_cache/{words.hex(64)}.0", images.cached(cache, chance))
    for number in range(3):
        name = f"files/feed/new/account-{number}.json"
        rewrite(name, words.json(9_000, values[number][1]))
        app.planted[name] = (number, "plain", True)
    if loud:
        name = loud[0]
        rewrite(name, words.json(5_000) if name.endswith("json") else words.preferences(5_000))
        del app.planted[name]
    for name in some([name for name in of("json", "picture", "http cache") if (first.root / name).exists()], 130) + loud[1:2]:
        fresh(name)
        app.planted.pop(name, None)
    left = [name for name in of("json", "picture", "log") if app.path(name).exists()]
    for number, name in enumerate(some(left, 45) + loud[2:4]):
        copied = f"files/backup/{number}-{Path(name).name}"
        shutil.copyfile(app.path(name), app.path(copied))
        app.kinds[copied] = app.kinds[name]
        if name in app.planted:
            app.planted[copied] = app.planted[name]
    return app


def stamp(root):
    """Times that do not tell when this ran; of what was written last, later ones."""
    for path in sorted(root.rglob("*")):
        if path.is_file():
            moment = MODIFIED + int(hashlib.sha256(str(path.relative_to(root)).encode()).hexdigest()[:4], 16)
            os.utime(path, (moment, moment))


def digests(root):
    files = (path for path in sorted(root.rglob("*")) if path.is_file())
    return {str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def changes(before, after, root):
    """By the digests of all files, whatever was meant to happen."""
    created = sorted(set(after) - set(before))
    changed = sorted(name for name in after if name in before and before[name] != after[name])
    seen, copied = set(before.values()), []
    for name in sorted(after):
        is_new = name not in before or before[name] != after[name]
        if is_new and after[name] in seen and (root / name).stat().st_size > 0:
            copied.append(name)
        seen.add(after[name])
    return {"created": created, "changed": changed, "deleted": sorted(set(before) - set(after)), "copied": copied}


def sightings(app):
    """The files that hold a value, and whether its bytes stand there as they are. A folder stands for any file in it."""
    listed = [{"path": name, "value": value, "how": how, "raw": raw} for name, (value, how, raw) in sorted(app.planted.items())]
    return {"values": listed, "pictures": [{"path": name, "original": number} for name, number in sorted(app.shown.items())]}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("wheels", type=Path)
    parser.add_argument("--seed", default="dyetrace")
    parser.add_argument("--small", action="store_true")
    asked = parser.parse_args()
    share = 0.1 if asked.small else 1
    small = lambda count, kind: max(min(count, 3), int(count * share))
    shutil.rmtree(asked.folder, ignore_errors=True)
    chance = random.Random(asked.seed)
    words = Words(chance)
    values = subject.values(chance)
    photos.fetch_wheels(asked.wheels)
    cache, gallery = images.split(photos.of_wheels(asked.wheels))
    first = App(asked.folder / "first", words)
    # What comes in twos and more counts; the rest of the files is small ones.
    counts = {kind: small(count, kind) for kind, count in COUNTS.items()}
    make(first, values, subject.plan(counts), cache, gallery, small, asked.wheels / "wheels")
    for number in range(max(0, int(FILES * share) - len(first.kinds))):
        first.put("small", f"files/.ids/{number % 50}/{words.hex(8)}{number}", f"{words.hex(32)}\n".encode())
    kept = asked.folder / "gallery"
    kept.mkdir()
    for name, picture in gallery:
        picture.save(kept / f"{name}.jpg", quality=92)
    after = second(first, asked.folder / "second", values, cache, share)
    for app in (first, after):
        stamp(app.root)
    before, now = digests(first.root), digests(after.root)
    kinds = {}
    for name in before:
        count = kinds.setdefault(first.kinds[name], [0, 0])
        count[0], count[1] = count[0] + 1, count[1] + (first.root / name).stat().st_size
    expected = {
        "subject": [{"kind": kind, "value": value} for kind, value in values],
        "gallery": [f"{name}.jpg" for name, _ in gallery],
        "kinds": [{"kind": kind, "files": files, "bytes": size} for kind, (files, size) in kinds.items()],
        "bytes": [sum((app.root / name).stat().st_size for name in names) for app, names in ((first, before), (after, now))],
        "files": [len(before), len(now)],
        "snapshots": [sightings(first), sightings(after)],
        "changes": changes(before, now, after.root),
    }
    (asked.folder / "expected.json").write_text(json.dumps(expected, indent=1))


main()
