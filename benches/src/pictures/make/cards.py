"""Made-up ID cards of two templates: half scanned, half photographed on a table.

The numbers carry a wrong check digit, so that they are nobody's.
"""

from drawing import LATIN, Canvas, digits, han_name
from PIL import Image, ImageDraw, ImageFilter

SIZE = (1280, 806)
PLACES = ["江海市东山区", "云川市南湖区", "长河县西关镇", "北岭市桥头区", "白石县新桥乡"]
ROADS = ["和平路", "中山街", "人民路", "建设大道", "学府巷", "滨江路"]


def draw(number, chance, fonts, changed=None):
    """The card with this number: its template's name, the picture, and the boxes that differ."""
    name, template, ground = TEMPLATES[number % 2]
    canvas = Canvas(SIZE, ground, fonts, changed)
    _pattern(canvas, number % 2)
    template(canvas, chance)
    if number % 4 < 2:
        return name + ", scanned", canvas.picture, canvas.boxes
    picture, boxes = _photographed(canvas, chance)
    return name + ", photographed", picture, boxes


def _pattern(canvas, which):
    for line in range(-800, 1300, 26):
        colour = (196, 222, 236) if which == 0 else (208, 230, 205)
        points = [(line + y // 2, y + (18 if y // 60 % 2 else 0)) for y in range(0, 830, 30)]
        canvas.draw.line(points, fill=colour, width=2)
    if which == 1:
        canvas.draw.rectangle((0, 0, 1280, 130), fill="#2d6a4f")


def _resident(canvas, chance):
    ink, label = "#20242a", "#3f7fb5"
    year, month, day = chance.randint(1950, 2007), chance.randint(1, 12), chance.randint(1, 28)
    for y, name in [(80, "姓名"), (180, "性别"), (280, "出生"), (380, "住址"), (690, "公民身份号码")]:
        canvas.text((70, y), name, 38, label)
    canvas.own((200, 74), han_name(chance), 50, ink)
    canvas.text((200, 176), chance.choice("男女"), 44, ink)
    canvas.text((330, 180), "民族", 38, label)
    canvas.text((440, 176), "汉", 44, ink)
    canvas.own((200, 276), f"{year} 年 {month} 月 {day} 日", 44, ink)
    canvas.own((200, 374), chance.choice(PLACES), 42, ink)
    canvas.own(
        (200, 434),
        f"{chance.choice(ROADS)}{chance.randint(1, 999)}号{chance.randint(1, 30)}幢{chance.randint(101, 2804)}室",
        42,
        ink,
    )
    canvas.own((380, 684), _wrong_number(chance, year, month, day), 50, ink)
    _face(canvas, (850, 110, 1190, 560), chance)


def _student(canvas, chance):
    canvas.text((640, 65), "UNIVERSITY OF NOWHERE", 56, "#ffffff", "mm", True)
    _face(canvas, (70, 190, 390, 620), chance)
    for y, name in [(190, "Name"), (310, "Born"), (430, "Number"), (550, "Valid until")]:
        canvas.text((450, y), name, 32, "#52796f")
    canvas.own((450, 228), chance.choice(LATIN), 52, "#1b2a22")
    canvas.own(
        (450, 348), f"{chance.randint(1, 28):02}.{chance.randint(1, 12):02}.{chance.randint(1985, 2008)}", 48, "#1b2a22"
    )
    canvas.own((450, 468), f"{digits(chance, 3)} {digits(chance, 3)} {digits(chance, 4)}", 48, "#1b2a22")
    canvas.own((450, 588), f"{chance.randint(1, 12):02}/{chance.randint(2027, 2031)}", 48, "#1b2a22")
    canvas.text((640, 740), "STUDENT IDENTITY CARD", 40, "#2d6a4f", "mm")


def _wrong_number(chance, year, month, day):
    """GB 11643 number whose check digit is off by one."""
    head = f"{chance.randint(110000, 659000)}{year}{month:02}{day:02}{digits(chance, 3)}"
    total = sum(int(digit) * (2 ** (17 - at) % 11) for at, digit in enumerate(head))
    return head + "10X98765432"[(total + 1) % 11]


def _face(canvas, box, chance):
    left, top, right, bottom = box
    width, height = right - left, bottom - top
    face = Image.new("RGB", (width, height), chance.choice(["#dfe8f2", "#cfdcea", "#eef1f5"]))
    pen = ImageDraw.Draw(face)
    skin = (chance.randint(190, 240), chance.randint(150, 195), chance.randint(120, 165))
    hair = chance.choice(["#15120f", "#2b1d14", "#4a3421", "#6d6d70", "#0c0c12"])
    half, tall = chance.uniform(0.24, 0.32) * width, chance.uniform(0.24, 0.30) * height
    x, y = width / 2 + chance.randint(-12, 12), height * chance.uniform(0.42, 0.48)
    pen.ellipse(
        (x - 1.9 * half, y + 1.05 * tall, x + 1.9 * half, y + 3.6 * tall),
        fill=chance.choice(["#2f3e5c", "#7a2e35", "#3d4a3a", "#e8e8ea"]),
    )
    pen.rectangle((x - 0.4 * half, y + 0.6 * tall, x + 0.4 * half, y + 1.4 * tall), fill=skin)
    if chance.random() < 0.5:
        pen.ellipse((x - 1.3 * half, y - 1.3 * tall, x + 1.3 * half, y + 1.5 * tall), fill=hair)
    pen.ellipse((x - 1.1 * half, y - 1.25 * tall, x + 1.1 * half, y + 0.4 * tall), fill=hair)
    pen.ellipse((x - half, y - chance.uniform(0.75, 0.95) * tall, x + half, y + tall), fill=skin)
    _features(pen, x, y, half, tall, chance)
    face = face.filter(ImageFilter.GaussianBlur(1.5))
    canvas.picture.paste(Image.blend(face, _noise(face.size, chance), 0.06), (left, top))
    canvas.boxes.append(list(box))


def _features(pen, x, y, half, tall, chance):
    apart, eye = chance.uniform(0.36, 0.5) * half, chance.uniform(0.10, 0.17) * half
    for side in (-1, 1):
        pen.ellipse(
            (x + side * apart - eye, y - 0.2 * tall - 0.6 * eye, x + side * apart + eye, y - 0.2 * tall + 0.6 * eye),
            fill="#201a17",
        )
        brow = y - chance.uniform(0.38, 0.46) * tall
        pen.line(
            (x + side * (apart - 1.6 * eye), brow, x + side * (apart + 1.6 * eye), brow + chance.randint(-6, 6)),
            fill="#201a17",
            width=chance.randint(4, 10),
        )
    pen.line(
        (x, y - 0.1 * tall, x - chance.randint(6, 16), y + 0.25 * tall, x + 6, y + 0.27 * tall), fill="#8a5f4a", width=4
    )
    mouth = chance.uniform(0.25, 0.45) * half
    pen.arc(
        (x - mouth, y + 0.35 * tall, x + mouth, y + chance.uniform(0.55, 0.7) * tall),
        10,
        170,
        fill="#8f3b3b",
        width=chance.randint(5, 9),
    )
    if chance.random() < 0.35:
        for side in (-1, 1):
            pen.ellipse(
                (
                    x + side * apart - 2.2 * eye,
                    y - 0.2 * tall - 2 * eye,
                    x + side * apart + 2.2 * eye,
                    y - 0.2 * tall + 2 * eye,
                ),
                outline="#222222",
                width=5,
            )


def _noise(size, chance):
    """Noise from the seed; Pillow's own has a seed of its own."""
    return Image.frombytes("L", size, chance.randbytes(size[0] * size[1])).convert("RGB")


def _photographed(canvas, chance):
    """The card on a table, seen at a slant, under uneven light; and where its boxes come to lie."""
    card = canvas.picture
    size = (1600, 1200)
    table = Image.new("RGB", size, (chance.randint(60, 200), chance.randint(50, 160), chance.randint(40, 130)))
    grain = _noise((400, 20), chance).resize(size, Image.Resampling.BICUBIC)
    table = Image.blend(table, grain, 0.12)
    corners = [(140, 190), (1460, 190), (1460, 1010), (140, 1010)]
    corners = [(x + chance.randint(-70, 70), y + chance.randint(-60, 60)) for x, y in corners]
    source = [(0, 0), (card.width, 0), (card.width, card.height), (0, card.height)]
    matrix = homography(corners, source)
    laid = card.transform(size, Image.Transform.PERSPECTIVE, matrix, Image.Resampling.BICUBIC)
    mask = Image.new("L", card.size, 255).transform(size, Image.Transform.PERSPECTIVE, matrix, Image.Resampling.BICUBIC)
    table.paste(laid, (0, 0), mask)
    light = Image.new("L", (2, 2))
    light.putdata([chance.randint(150, 255) for _ in range(4)])
    lit = Image.composite(table, Image.new("RGB", size), light.resize(size, Image.Resampling.BICUBIC))
    onto = homography(source, corners)
    return Image.blend(lit.filter(ImageFilter.GaussianBlur(0.8)), _noise(size, chance), 0.03), [
        _seen(box, onto) for box in canvas.boxes
    ]


def _seen(box, onto):
    """The upright box around a box seen at a slant."""
    a, b, c, d, e, f, g, h = onto
    left, top, right, bottom = box
    points = [(x, y, g * x + h * y + 1) for x in (left, right) for y in (top, bottom)]
    across = [(a * x + b * y + c) / depth for x, y, depth in points]
    down = [(d * x + e * y + f) / depth for x, y, depth in points]
    return [round(min(across)), round(min(down)), round(max(across)), round(max(down))]


def homography(seen, source):
    """The eight numbers with which Pillow maps seen points back to source points (Gaussian elimination)."""
    rows = []
    for (x, y), (u, v) in zip(seen, source, strict=True):
        rows.append([x, y, 1, 0, 0, 0, -u * x, -u * y, u])
        rows.append([0, 0, 0, x, y, 1, -v * x, -v * y, v])
    for at in range(8):
        pivot = max(range(at, 8), key=lambda row: abs(rows[row][at]))
        rows[at], rows[pivot] = rows[pivot], rows[at]
        rows[at] = [value / rows[at][at] for value in rows[at]]
        for other in range(8):
            if other != at:
                rows[other] = [value - rows[other][at] * own for value, own in zip(rows[other], rows[at], strict=True)]
    return [row[8] for row in rows]


TEMPLATES = [("resident card", _resident, "#dcebf3"), ("student card", _student, "#e6f2e4")]
