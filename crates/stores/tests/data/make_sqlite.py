"""Makes the SQLite files of this folder with the library that Python brings. Run in this folder.

All data are made up. Each file is a few pages of 512 or 1024 bytes."""

import os
import shutil
import sqlite3


def fresh(name):
    for end in ("", "-wal", "-shm", "-journal"):
        if os.path.exists(name + end):
            os.remove(name + end)
    return sqlite3.connect(name, isolation_level=None)


def messages():
    """Rows, long values, removed rows, freed pages; tables of all sorts."""
    db = fresh("messages.db")
    db.executescript("PRAGMA page_size=512; PRAGMA secure_delete=OFF; PRAGMA journal_mode=DELETE;")
    db.execute("CREATE TABLE messages(_id INTEGER PRIMARY KEY, peer TEXT, body TEXT, rate REAL, seen INT, raw BLOB)")
    db.execute("CREATE INDEX by_peer ON messages(peer)")
    db.execute("CREATE TABLE settings(value, name TEXT, PRIMARY KEY(name)) WITHOUT ROWID")
    for n in range(1, 13):
        db.execute(
            "INSERT INTO messages VALUES(?,?,?,?,?,?)",
            (n, f"peer-{n:02}", f"the body of message {n}", n + 0.25, -n * 1000, bytes([0xF0, n, 0xF1, n])),
        )
    db.execute("INSERT INTO messages VALUES(13800000427,'long',?,NULL,1,NULL)", ("".join(f"part {n:04};" for n in range(200)),))
    db.execute("INSERT INTO settings VALUES('sesame','password')")
    db.execute("ALTER TABLE messages ADD COLUMN late TEXT")
    db.execute("UPDATE messages SET late='came later' WHERE _id=2")
    db.execute("CREATE TABLE gone(a TEXT)")
    for n in range(30):
        db.execute("INSERT INTO gone VALUES(?)", (f"gone with its table, number {n:03}",))
    db.execute("DELETE FROM messages WHERE _id=7")
    db.execute("DROP TABLE gone")
    db.close()


def utf16():
    db = fresh("utf16.db")
    db.executescript("PRAGMA page_size=512; PRAGMA encoding='UTF-16le';")
    db.execute("CREATE TABLE people(name TEXT)")
    db.execute("INSERT INTO people VALUES('张伟 Zhang')")
    db.close()


def log():
    """A database whose last changes are in its write-ahead log only; one change was never finished."""
    db = fresh("log.db")
    db.executescript("PRAGMA page_size=512; PRAGMA secure_delete=OFF; PRAGMA journal_mode=WAL; PRAGMA wal_autocheckpoint=0;")
    db.execute("CREATE TABLE t(a TEXT)")
    db.execute("INSERT INTO t VALUES('in the database')")
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    db.execute("INSERT INTO t VALUES('first in the log')")
    db.execute("UPDATE t SET a='second in the log' WHERE a='first in the log'")
    # A cache of one page makes SQLite write pages of an unfinished transaction to the log.
    db.executescript("PRAGMA cache_size=1; BEGIN;")
    for n in range(24):
        db.execute("INSERT INTO t VALUES(?)", (f"never finished {n:03} " + "." * 400,))
    for end in ("", "-wal"):
        shutil.copyfile("log.db" + end, "copy.db" + end)
    db.execute("ROLLBACK")
    db.close()
    for end in ("", "-wal"):
        shutil.move("copy.db" + end, "log.db" + end)


def young():
    """A database of which nothing but an empty first page is in its file yet; its text is in UTF-16."""
    db = fresh("young.db")
    db.executescript("PRAGMA page_size=512; PRAGMA encoding='UTF-16be'; PRAGMA journal_mode=WAL; PRAGMA wal_autocheckpoint=0;")
    db.execute("CREATE TABLE people(name TEXT)")
    db.execute("INSERT INTO people VALUES('张伟 Zhang')")
    for end in ("", "-wal"):
        shutil.copyfile("young.db" + end, "copy.db" + end)
    db.close()
    for end in ("", "-wal"):
        shutil.move("copy.db" + end, "young.db" + end)


def journal():
    """A journal that was kept after its transaction, its header zeroed."""
    db = fresh("journal.db")
    db.executescript("PRAGMA page_size=512; PRAGMA secure_delete=ON; PRAGMA journal_mode=PERSIST;")
    db.execute("CREATE TABLE t(a TEXT)")
    db.execute("INSERT INTO t VALUES('before the change')")
    db.execute("UPDATE t SET a='after the change!'")
    db.close()


messages()
utf16()
log()
young()
journal()
