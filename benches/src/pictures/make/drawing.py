"""A canvas that remembers where what is written differs from person to person."""

from PIL import Image, ImageDraw, ImageFont

FAMILY = [
    "王",
    "李",
    "张",
    "刘",
    "陈",
    "杨",
    "赵",
    "黄",
    "周",
    "吴",
    "徐",
    "孙",
    "胡",
    "朱",
    "高",
    "林",
    "何",
    "郭",
    "马",
    "罗",
]
GIVEN = list("伟芳娜敏静丽强磊军洋勇艳杰娟涛明超霞平刚桂英华玉萍红梅飞鑫波斌宇浩凯健俊帆雪慧雨晨曦")
LATIN = [
    "Ana Sousa",
    "Tom Archer",
    "Mia Keller",
    "Ivan Petrov",
    "Lena Vogel",
    "Omar Haddad",
    "Sara Lind",
    "Paul Moreau",
    "Nina Rossi",
    "Jan Kowal",
    "Eva Novak",
    "Luis Ortega",
    "Kate Byrne",
    "Hugo Martin",
    "Aiko Mori",
    "Ravi Nair",
]


class Fonts:
    """The fonts of two Debian packages."""

    def __init__(self, folder):
        self.han = folder / "fonts-wqy-zenhei/usr/share/fonts/truetype/wqy/wqy-zenhei.ttc"
        self.latin = folder / "fonts-dejavu-core/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf"
        self.bold = folder / "fonts-dejavu-core/usr/share/fonts/truetype/dejavu/DejaVuSans-Bold.ttf"
        self._loaded = {}

    def of(self, size, text, bold=False):
        """A font that has the text's letters."""
        path = self.han if any(ord(letter) > 0x2000 for letter in text) else self.bold if bold else self.latin
        key = (path, size)
        if key not in self._loaded:
            self._loaded[key] = ImageFont.truetype(str(path), size)
        return self._loaded[key]


class Canvas:
    """A picture under work, and the boxes in which it differs from others of its template."""

    def __init__(self, size, colour, fonts, changed=None):
        """`changed` is the place of the one own text that is to be another than its letters say."""
        self.picture = Image.new("RGB", size, colour)
        self.draw = ImageDraw.Draw(self.picture)
        self.fonts = fonts
        self.boxes = []
        self.changed = changed

    def text(self, at, text, size, colour, anchor="la", bold=False):
        """Text that all pictures of the template share."""
        font = self.fonts.of(size, text, bold)
        self.draw.text(at, text, font=font, fill=colour, anchor=anchor)
        return self.draw.textbbox(at, text, font=font, anchor=anchor)

    def own(self, at, text, size, colour, anchor="la", bold=False):
        """Text of this picture alone."""
        if len(self.boxes) == self.changed:
            text = another(text)
        self.boxes.append([round(edge) for edge in self.text(at, text, size, colour, anchor, bold)])


def another(text):
    """Other digits; where there are none, the letters backwards."""
    if any(letter.isdigit() for letter in text):
        return "".join(str((int(letter) + 3) % 10) if letter.isdigit() else letter for letter in text)
    return text[::-1]


def han_name(chance):
    """A made-up name."""
    return chance.choice(FAMILY) + "".join(chance.sample(GIVEN, chance.choice([1, 2, 2, 2])))


def amount(chance, largest=5):
    """An amount of money with two decimals."""
    digits = chance.randint(2, largest)
    return f"{chance.randint(10 ** (digits - 1), 10**digits - 1):,}.{chance.randint(0, 99):02}"


def digits(chance, count):
    """So many digits."""
    return "".join(str(chance.randint(0, 9)) for _ in range(count))


def moment(chance):
    """A date and time in 2026."""
    return (
        f"2026-{chance.randint(1, 9):02}-{chance.randint(1, 28):02} "
        f"{chance.randint(0, 23):02}:{chance.randint(0, 59):02}:{chance.randint(0, 59):02}"
    )
