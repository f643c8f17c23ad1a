"""ripgrep and YARA-X on what `wrapped --keep FOLDER` wrote.

    pip install yara-x ; apt install ripgrep
    python3 side_by_side.py FOLDER

A request counts as found when the peer reports anything in it: each holds one planted value. The
PIN is left out there and searched only in the 2,000 random requests. Prints rows of the table.
"""

import base64
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from urllib.parse import quote


def values(folder, name):
    with open(os.path.join(folder, name), encoding="utf-8") as file:
        return [(one["kind"], one["value"]) for one in json.load(file)]


def long_values(folder, name):
    return [value for kind, value in values(folder, name) if kind != "pin"]


def pins(folder):
    return [value for kind, value in values(folder, "values.json") if kind == "pin"]


def files(folder, part):
    place = os.path.join(folder, part)
    return [os.path.join(place, name) for name in sorted(os.listdir(place))]


def wanted(folder):
    with open(os.path.join(folder, "cases.jsonl"), encoding="utf-8") as lines:
        cases = [json.loads(line) for line in lines]
    return {os.path.join(folder, case["file"]) for case in cases if case["datum"] != "pin"}


def row(name, recall, background, accused, text, runs):
    print(f"| {name} | {recall:.1f} % | {background:.1f} | {accused} | {text:.0f} | {runs:.0f} |", flush=True)


def textual(value):
    """The value in the codings of one layer that keep it one fixed string."""
    raw = value.encode()
    forms = {raw, raw.hex().encode(), raw.hex().upper().encode(), quote(value, safe="").encode()}
    forms.add("".join(f"%{byte:02X}" for byte in raw).encode())
    forms.add(json.dumps(value)[1:-1].encode())
    for shift in range(3):
        coded = base64.b64encode(b"\0" * shift + raw)
        # Only characters that depend on nothing but the value.
        start, end = -(-shift * 8 // 6), (shift + len(raw)) * 8 // 6
        forms.add(coded[start:end])
        forms.add(coded[start:end].replace(b"+", b"-").replace(b"/", b"_"))
    return {form for form in forms if b"\n" not in form}


class Ripgrep:
    def __init__(self, forms):
        self.forms = forms

    def matching(self, patterns, *paths):
        with tempfile.NamedTemporaryFile(suffix=".patterns") as file:
            file.write(b"\n".join(sorted(form for value in patterns for form in self.forms(value))))
            file.flush()
            command = ["rg", "-l", "-a", "-F", "-j1", "--no-ignore", "--hidden", "-f", file.name, *paths]
            start = children()
            lines = subprocess.run(command, stdout=subprocess.PIPE, check=False).stdout
            return set(lines.decode().splitlines()), children() - start

    def speed(self, patterns, path):
        with tempfile.NamedTemporaryFile(suffix=".patterns") as file:
            file.write(b"\n".join(sorted(form for value in patterns for form in self.forms(value))))
            file.flush()
            start = children()
            subprocess.run(["rg", "-c", "-a", "-F", "-j1", "-f", file.name, path], stdout=subprocess.DEVNULL, check=False)
            return os.path.getsize(path) / 1e6 / (children() - start)


def children():
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


class Yara:
    def __init__(self):
        import yara_x

        self.yara_x = yara_x

    def rules(self, patterns):
        strings = []
        for at, value in enumerate(patterns):
            text = value.replace("\\", "\\\\").replace('"', '\\"')
            strings.append(f'$a{at} = "{text}" ascii wide nocase')
            strings.append(f'$b{at} = "{text}" xor ascii wide')
            strings.append(f'$c{at} = "{text}" base64 base64wide')
        return self.yara_x.compile("rule planted { strings: " + "\n".join(strings) + " condition: any of them }")

    def matching(self, patterns, *paths):
        scanner, found = self.yara_x.Scanner(self.rules(patterns)), set()
        start = time.process_time()
        for path in paths:
            for one in files(*os.path.split(path)):
                with open(one, "rb") as file:
                    if scanner.scan(file.read()).matching_rules:
                        found.add(one)
        return found, time.process_time() - start

    def speed(self, patterns, path):
        scanner = self.yara_x.Scanner(self.rules(patterns))
        with open(path, "rb") as file:
            content = file.read()
        start = time.process_time()
        # Bodies of 256 KiB, as they would come one after the other.
        for at in range(0, len(content), 1 << 18):
            scanner.scan(content[at : at + (1 << 18)])
        return len(content) / 1e6 / (time.process_time() - start)


def measure(name, peer, folder):
    patterns = long_values(folder, "values.json")
    cases = wanted(folder)
    found, _ = peer.matching(patterns, os.path.join(folder, "requests"))
    background = files(folder, "background")
    megabytes = sum(os.path.getsize(path) for path in background) / 1e6
    false, _ = peer.matching(patterns, os.path.join(folder, "background"))
    accused, _ = peer.matching(pins(folder), os.path.join(folder, "pins"))
    many = long_values(folder, "many.json")
    speeds = [peer.speed(many, os.path.join(folder, "speed", name)) for name in ("text", "runs")]
    row(name, 100 * len(found & cases) / len(cases), 100 * len(false) / megabytes, len(accused), *speeds)


def main(folder):
    print("| peer | recall | false in 100 MB | PIN accusations | text MB/s | runs MB/s |\n|---|---|---|---|---|---|")
    measure("ripgrep -F, values", Ripgrep(lambda value: {value.encode()}), folder)
    measure("ripgrep -F, values in every textual coding", Ripgrep(textual), folder)
    try:
        measure("YARA-X, nocase, wide, xor, base64", Yara(), folder)
    except ImportError:
        print("yara-x is not installed: skipped", file=sys.stderr)


if __name__ == "__main__":
    main(sys.argv[1])
