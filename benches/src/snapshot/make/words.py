"""Text as apps keep it, out of a made-up vocabulary: JSON, XML, logs, programs of web pages."""

import base64
import json
import math

SYLLABLES = "an be cor dan el fa gim ho in jo ka lin mo nor op pa qui ra so tam ul ver wex yo zan ti re st mer lo".split()
KEYS = "id name title url type status price count createdAt updatedAt items data meta icon cover desc tags ext".split()
LEVELS = "VDDDDIIIWE"
CODE = (
    "function( return var this. e t n r o i a s u c void 0 null !0 !1 && || === !== = == + . ( ) { } [ ] , ; : ? "
    '"use strict" prototype exports module require( default Object.defineProperty( length push( apply( call( '
    "undefined typeof new Promise( then( catch( async await Symbol.iterator document.createElement( window. Math.floor("
).split(" ")


class Words:
    """Everything that is text, from one generator of random numbers."""

    def __init__(self, chance):
        self.chance = chance
        word = lambda: "".join(chance.choices(SYLLABLES, k=chance.randint(2, 4)))
        self.all = [word() for _ in range(5000)]

    def text(self, count):
        return " ".join(self.chance.choices(self.all, k=count))

    def size(self, low, high):
        """Bytes of a file: there are many short ones and few long ones."""
        return int(math.exp(self.chance.uniform(math.log(low), math.log(high))))

    def hex(self, digits):
        return f"{self.chance.getrandbits(digits * 4):0{digits}x}"

    def url(self):
        chance = self.chance
        return f"https://{chance.choice(self.all)}.test/{chance.choice(self.all)}/{self.hex(8)}?v={chance.randint(1, 999)}"

    def moment(self):
        return 1_790_000_000_000 + self.chance.randint(0, 2_000_000_000)

    def thing(self):
        """One object of a list that a server sent."""
        chance, words = self.chance, self.all
        made = {
            "id": chance.randint(10**8, 10**10),
            "title": self.text(chance.randint(3, 12)),
            "cover": self.url(),
            "price": round(chance.uniform(1, 900), 2),
            "createdAt": self.moment(),
            "isNew": chance.random() < 0.5,
            "tags": chance.choices(words, k=chance.randint(0, 5)),
            "track": {"traceId": self.hex(32), "scene": chance.choice(words), "pos": chance.randint(0, 40)},
        }
        if chance.random() < 0.03:
            made["preview"] = base64.b64encode(chance.randbytes(chance.randint(200, 4000))).decode()
        if chance.random() < 0.05:
            made["ext"] = json.dumps({"k": chance.choice(words), "n": chance.randint(0, 99), "u": self.url()})
        return made

    def json(self, size, planted=None):
        """A list that a server sent, as the app keeps it."""
        items, length = [], 0
        while length < size:
            item = json.dumps(self.thing(), separators=(",", ":"))
            items.append(item)
            length += len(item)
        if planted is not None:
            items.insert(len(items) // 2, json.dumps({"account": {"user": planted, "level": 3}}, separators=(",", ":")))
        return '{"code":0,"msg":"ok","data":{"list":[' + ",".join(items) + "]}}"

    def animation(self, size):
        """Numbers, as drawn animations are kept."""
        frames = []
        while len(frames) * 70 < size:
            x, y = self.chance.uniform(0, 400), self.chance.uniform(0, 400)
            frames.append(f'{{"t":{len(frames)},"s":[{x:.3f},{y:.3f},0],"i":{{"x":[0.833],"y":[0.833]}},"e":[{y:.3f}]}}')
        return '{"v":"5.7.4","fr":30,"w":400,"h":400,"layers":[{"ty":4,"ks":{"p":{"a":1,"k":[' + ",".join(frames) + "]}}}]}"

    def preferences(self, size, planted=None):
        """SharedPreferences, which Android writes so."""
        chance, words = self.chance, self.all
        lines, length = [], 0
        while length < size:
            name = f"{chance.choice(words)}_{chance.choice(words)}"
            inner = f'{{&quot;id&quot;:{chance.randint(1, 10**9)},&quot;url&quot;:&quot;{self.url()}&quot;}}'
            lines.append(
                chance.choice(
                    [
                        f'    <string name="{name}">{self.text(chance.randint(1, 9))}</string>\n',
                        f'    <string name="{name}">{self.hex(32)}</string>\n',
                        f'    <string name="{name}">{inner}</string>\n',
                        f'    <long name="{name}" value="{self.moment()}" />\n',
                        f'    <int name="{name}" value="{chance.randint(0, 10**6)}" />\n',
                        f'    <boolean name="{name}" value="{chance.choice(["true", "false"])}" />\n',
                    ]
                )
            )
            length += len(lines[-1])
        if planted is not None:
            lines.insert(len(lines) // 2, f'    <string name="account">{planted}</string>\n')
        return "<?xml version='1.0' encoding='utf-8' standalone='yes' ?>\n<map>\n" + "".join(lines) + "</map>\n"

    def log(self, size, planted=None):
        """What a logger writes."""
        chance, words, lines, length, at = self.chance, self.all, [], 0, self.chance.randint(0, 10**8)
        while length < size:
            at += chance.randint(1, 4000)
            clock = f"{at // 3_600_000 % 24:02}:{at // 60_000 % 60:02}:{at // 1000 % 60:02}.{at % 1000:03}"
            tag = chance.choice(words[:60])
            said = chance.choice(
                [
                    f"--> GET {self.url()} (took {chance.randint(3, 900)}ms)",
                    f"onEvent: {{name={chance.choice(words)}, id={self.hex(16)}, ts={self.moment()}}}",
                    self.text(chance.randint(4, 14)),
                ]
            )
            lines.append(f"2026-11-03 {clock} 4711-{chance.randint(4711, 4799)} {chance.choice(LEVELS)}/{tag}: {said}\n")
            length += len(lines[-1])
        if planted is not None:
            lines.insert(len(lines) // 2, f"2026-11-03 11:11:11.111 4711-4711 D/session: login user={planted} ok\n")
        return "".join(lines)

    def program(self, size, planted=None):
        """A page's program, made small."""
        count = size // 4
        tokens = self.chance.choices(CODE, k=count)
        tokens[:: max(2, count // (size // 60 + 1))] = self.chance.choices(self.all, k=len(tokens[:: max(2, count // (size // 60 + 1))]))
        if planted is not None:
            tokens.insert(count // 2, f'window.user={{"id":"{planted}"}};')
        return "!" + "".join(tokens)

    def page(self, size, planted=None):
        parts, length = [], 0
        while length < size:
            parts.append(
                f'<div class="{self.chance.choice(self.all)}-item"><a href="{self.url()}">{self.text(6)}</a>'
                f"<p>{self.text(self.chance.randint(5, 40))}</p></div>\n"
            )
            length += len(parts[-1])
        if planted is not None:
            parts.insert(len(parts) // 2, f'<input name="user" value="{planted}">\n')
        return "<!DOCTYPE html><html><head><title>" + self.text(4) + "</title></head><body>" + "".join(parts) + "</body></html>"
