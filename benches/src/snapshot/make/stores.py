"""Stores as apps have them, each made by its own library: SQLite with its log, LevelDB; and messages of protobuf."""

import os
import shutil
import sqlite3

import plyvel


def _fill(db, words, size, salt):
    chance = words.chance
    db.execute("CREATE TABLE IF NOT EXISTS message(_id INTEGER PRIMARY KEY, peer TEXT, body TEXT, at INTEGER, state INTEGER, raw BLOB)")
    db.execute("CREATE TABLE IF NOT EXISTS event(_id INTEGER PRIMARY KEY, name TEXT, payload TEXT, at INTEGER)")
    db.execute("CREATE TABLE IF NOT EXISTS contact(id TEXT PRIMARY KEY, name TEXT, phone TEXT, avatar TEXT) WITHOUT ROWID")
    db.execute("CREATE INDEX IF NOT EXISTS by_peer ON message(peer, at)")
    made = 0
    while made < size:
        messages = []
        for _ in range(200):
            raw = chance.randbytes(chance.randint(20, 300)) if chance.random() < 0.2 else None
            messages.append((words.hex(16), words.text(chance.randint(1, 30)), words.moment(), chance.randint(0, 5), raw))
        events = [(chance.choice(words.all), words.json(150), words.moment()) for _ in range(40)]
        number = lambda: f"{salt}{chance.randint(10**6, 10**7 - 1)}"
        contacts = [(words.hex(24), words.text(2), number(), words.url()) for _ in range(40)]
        db.executemany("INSERT INTO message(peer, body, at, state, raw) VALUES(?,?,?,?,?)", messages)
        db.executemany("INSERT INTO event(name, payload, at) VALUES(?,?,?)", events)
        db.executemany("INSERT OR IGNORE INTO contact VALUES(?,?,?,?)", contacts)
        made += 200 * 190 + 40 * 560 + 40 * 120
    db.execute("DELETE FROM message WHERE _id % 37 = 5")
    db.commit()


def plant(db, value):
    db.execute("INSERT INTO message(peer, body, at, state) VALUES('self', ?, 1790000000000, 1)", (f"my account is {value} as before",))
    db.commit()


def database(path, words, size, row=None):
    """A database without a log."""
    db = sqlite3.connect(path)
    db.execute("PRAGMA synchronous=OFF")
    _fill(db, words, size, "021")
    if row is not None:
        plant(db, row)
    db.close()


def log(path, words, size, row=None):
    """Changes that stand in the database's log alone. The copy is taken while the database is open, as on a phone."""
    work = f"{path}.work"
    shutil.copyfile(path, work)
    for end in ("-wal", "-shm"):
        if os.path.exists(path + end):
            shutil.copyfile(path + end, work + end)
            # The link to the first snapshot's file must not be written through.
            os.remove(path + end)
    db = sqlite3.connect(work)
    db.execute("PRAGMA journal_mode=WAL")
    db.execute("PRAGMA wal_autocheckpoint=0")
    _fill(db, words, size, "023")
    if row is not None:
        plant(db, row)
    os.remove(path)
    for end in ("", "-wal", "-shm"):
        shutil.copyfile(work + end, path + end)
    db.close()
    for end in ("", "-wal", "-shm"):
        if os.path.exists(work + end):
            os.remove(work + end)


def leveldb(folder, words, size, planted=None):
    """What a web view keeps for its pages. The library's own log holds the time: it is left out."""
    db = plyvel.DB(folder, create_if_missing=True, write_buffer_size=1 << 20)
    made, number = 0, 0
    while made < size:
        key, value = f"_https://{words.chance.choice(words.all)}.test\x00\x01{words.hex(8)}", words.json(words.size(60, 4000))
        db.put(key.encode(), b"\x01" + value.encode())
        made, number = made + len(key) + len(value), number + 1
        if planted is not None and made > size // 2:
            db.put(b"_https://shop.test\x00\x01user", b'\x01{"user":"' + planted.encode() + b'"}')
            planted = None
    db.close()
    for name in ("LOG", "LOG.old", "LOCK"):
        with open(os.path.join(folder, name), "wb") as file:
            file.write(b"" if name == "LOCK" else b"2026/11/03-11:11:11.111111 7f Recovering log\n")


def varint(number):
    made = bytearray()
    while number > 127:
        made.append(number & 127 | 128)
        number >>= 7
    return bytes(made) + bytes([number])


def field(number, content):
    """One field of a message: a number, or bytes."""
    if isinstance(content, int):
        return varint(number << 3) + varint(content)
    return varint(number << 3 | 2) + varint(len(content)) + content


def message(words, size, planted=None):
    """A message with messages in it."""
    made = bytearray()
    if planted is not None:
        made += field(1, field(2, planted.encode()) + field(3, 7))
    while len(made) < size:
        inner = field(1, words.chance.getrandbits(40)) + field(2, words.text(words.chance.randint(1, 12)).encode())
        inner += field(4, words.url().encode()) + field(9, words.chance.randbytes(16)) + field(12, words.moment())
        made += field(1, inner)
    return bytes(made)


def datastore(words, size, planted=None):
    """Preferences DataStore: map<string, Value>, of which 5 is a text, 4 a long, 1 a boolean."""
    entry = lambda name, value: field(1, field(1, name.encode()) + field(2, value))
    made = bytearray()
    if planted is not None:
        made += entry("account", field(5, planted.encode()))
    while len(made) < size:
        name = f"{words.chance.choice(words.all)}_{words.chance.choice(words.all)}"
        value = words.chance.choice([field(5, words.text(4).encode()), field(4, words.moment()), field(1, 1)])
        made += entry(name, value)
    return bytes(made)
