"""The values to search for, and in what kinds of files which of them are planted how often."""

import base64
import hashlib

LETTERS, DIGITS, HEX = "abcdefghijkmnpqrstuvwxyz23456789", "0123456789", "0123456789abcdef"
KINDS = (
    "phone email imei android.id mac account.password id.cn street passport card wifi.ssid wifi.password phone email "
    "imei account.password phone email imei android.id"
).split()
# The last four are nowhere.
PLANTED = len(KINDS) - 4

# Kind of file, how the value stands there, and in how many files of the first snapshot.
PLACES = [
    ("preferences", "plain", 4),
    ("preferences", "base64", 3),
    ("json", "plain", 6),
    ("json", "base64", 3),
    ("json", "hex", 2),
    ("json", "sha256", 2),
    ("log", "plain", 4),
    ("log, gzip", "plain", 3),
    ("database", "plain", 5),
    ("database with a log", "plain", 4),
    ("protobuf", "plain", 3),
    ("datastore", "plain", 3),
    ("leveldb", "plain", 3),
    ("http cache", "plain", 3),
    ("http cache, gzip", "plain", 4),
    ("web cache", "plain", 3),
    ("package", "plain", 2),
    ("picture", "plain", 3),
    ("dex", "plain", 1),
    ("small", "plain", 2),
]
# Where the bytes of the file hold the value as it is, so that a search for the bytes finds it.
COMPRESSED = ("log, gzip", "http cache, gzip", "package", "leveldb")


def values(chance):
    text = lambda length, alphabet: "".join(chance.choices(alphabet, k=length))
    make = {
        "phone": lambda: "154" + text(8, DIGITS),
        "email": lambda: text(14, LETTERS) + "@mail.example",
        "imei": lambda: text(15, DIGITS),
        "android.id": lambda: text(16, HEX),
        "mac": lambda: ":".join(["02"] + [text(2, HEX) for _ in range(5)]),
        "id.cn": lambda: text(18, DIGITS),
        "street": lambda: f"{text(6, LETTERS)} Linden Street {text(4, DIGITS)}",
        "passport": lambda: "E" + text(12, DIGITS),
        "card": lambda: "62" + text(17, DIGITS),
        "wifi.ssid": lambda: "Linden-" + text(8, LETTERS),
    }
    return [(kind, make.get(kind, lambda: text(16, LETTERS))()) for kind in KINDS]


def wrapped(value, how):
    data = value.encode()
    return {
        "plain": lambda: value,
        "base64": lambda: base64.b64encode(data).decode(),
        "hex": lambda: data.hex(),
        "sha256": lambda: hashlib.sha256(data).hexdigest(),
    }[how]()


def plan(files):
    """For each kind of file: the number of the file, the value's number, and how it stands there."""
    plans, next_value = {}, 0
    for kind, how, count in PLACES:
        of_kind = plans.setdefault(kind, {})
        for _ in range(min(count, files[kind])):
            # Spread over the files of the kind, and never two in one.
            place = (len(of_kind) * 7919 + 1) % files[kind]
            while place in of_kind:
                place = (place + 1) % files[kind]
            of_kind[place] = (next_value % PLANTED, how)
            next_value += 1
    return plans
