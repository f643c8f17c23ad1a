"""Makes the LevelDB files of this folder with LevelDB itself, through plyvel 1.5. Run in this folder.

All data are made up."""

import glob
import os
import shutil

import plyvel

SHOP = b"_https://shop.example\x00\x01"


def database(compression, block_size):
    shutil.rmtree("made", ignore_errors=True)
    return plyvel.DB("made", create_if_missing=True, compression=compression, block_size=block_size)


def take(pattern, name):
    newest = max(glob.glob("made/" + pattern), key=os.path.getmtime)
    shutil.copyfile(newest, name)


def fill(db):
    for n in range(60):
        db.put(b"contact-%03d" % n, b"the contact number %d, a friend of friends of friends" % n)
    db.put(SHOP + b"phone", b"\x0113800000427")
    db.put(b"_https://shop.example\x00\x00" + "名".encode("utf-16-le"), b"\x00" + "张伟".encode("utf-16-le"))


for name, compression in (("compressed.ldb", "snappy"), ("plain.ldb", None)):
    db = database(compression, 512)
    fill(db)
    # A snapshot keeps the older values.
    kept = db.snapshot()
    db.put(b"contact-007", b"the new number of contact 7")
    db.delete(b"contact-008")
    db.compact_range()
    take("*.ldb", name)
    kept.close()
    db.close()

db = database(None, 512)
db.put(b"name", b"first name")
db.put(b"name", b"second name")
db.put(b"gone", b"removed later")
db.delete(b"gone")
db.put(SHOP + b"phone", b"\x0113800000427")
db.put(b"long", b"a value over blocks;" * 1650)
with db.write_batch() as batch:
    batch.put(b"one", b"of two")
    batch.put(b"two", b"of two")
take("*.log", "changes.log")
take("MANIFEST-*", "MANIFEST-000002")
db.close()
shutil.rmtree("made")
