"""Makes the binary property lists of this folder with Python's plistlib. Run in this folder. All data are made up."""

import datetime
import plistlib

with open("preferences.plist", "wb") as file:
    plistlib.dump(
        {
            "user": {"phone": "13800000427", "name": "张伟", "again": "13800000427"},
            "uid": 8613800000427,
            "small": -1,
            "rate": 1.5,
            "agreed": True,
            "when": datetime.datetime(2026, 1, 2, 3, 4, 5),
            "token": b"\xf0\xf1\xf2\xf3",
            "list": ["first of the list", {"deep": "value in the list"}],
            "a long key " * 3: "x" * 40,
        },
        file,
        fmt=plistlib.FMT_BINARY,
    )
