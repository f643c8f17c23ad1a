"""What becomes of a picture on its way: each transformation with its seeded choices.

Each takes the picture upright, a seeded chance and the fonts, and returns the new picture, how it is to be saved, and
the part of the original that is still to be seen (left, top, right, bottom).
"""

import math

from PIL import Image, ImageDraw, ImageEnhance

JPEG = ("jpg", {"quality": 85})


def _whole(picture):
    return (0, 0, picture.width, picture.height)


def saved_as(extension, **options):
    """The same picture, encoded again."""
    return lambda picture, chance, fonts: (picture, (extension, options), _whole(picture))


def resized(width):
    """Made this wide; never made larger."""

    def change(picture, chance, fonts):
        size = (min(width, picture.width), max(1, round(picture.height * min(1, width / picture.width))))
        return picture.resize(size, Image.Resampling.LANCZOS), JPEG, _whole(picture)

    return change


def cropped(percent):
    """A part with so much of the area, of the same shape, at any place."""

    def change(picture, chance, fonts):
        side = math.sqrt(percent / 100)
        width, height = round(picture.width * side), round(picture.height * side)
        left, top = chance.randint(0, picture.width - width), chance.randint(0, picture.height - height)
        box = (left, top, left + width, top + height)
        return picture.crop(box), JPEG, box

    return change


def turned(how):
    """Turned by quarters, or mirrored."""
    return lambda picture, chance, fonts: (picture.transpose(how), JPEG, _whole(picture))


def tilted(degrees):
    """Turned a little to either side: with black corners, or cut to what has none as editors on phones do."""

    def change(picture, chance, fonts):
        angle = degrees * chance.choice([-1, 1])
        if chance.random() < 0.5:
            return picture.rotate(angle, Image.Resampling.BICUBIC, expand=True), JPEG, _whole(picture)
        turned_picture = picture.rotate(angle, Image.Resampling.BICUBIC)
        width, height = _inscribed(picture.width, picture.height, math.radians(degrees))
        left, top = (picture.width - width) // 2, (picture.height - height) // 2
        box = (left, top, left + width, top + height)
        return turned_picture.crop(box), JPEG, box

    return change


def _inscribed(width, height, angle):
    """The rectangle of the same shape that fits into the turned one."""
    long, short = max(width, height), min(width, height)
    scale = short / (long * math.sin(angle) + short * math.cos(angle))
    return int(width * scale), int(height * scale)


def toned(enhancer, low, high):
    """Brightness or contrast changed by a factor."""

    def change(picture, chance, fonts):
        return enhancer(picture).enhance(chance.uniform(low, high)), JPEG, _whole(picture)

    return change


def gamma(picture, chance, fonts):
    """The tone curve bent, up or down."""
    power = chance.choice([chance.uniform(0.55, 0.75), chance.uniform(1.4, 1.8)])
    return picture.point([round(255 * (level / 255) ** power) for level in range(256)] * 3), JPEG, _whole(picture)


def watermarked(picture, chance, fonts):
    """Half-transparent words in rows over all of it, and a name in the corner."""
    layer = Image.new("RGBA", picture.size)
    pen = ImageDraw.Draw(layer)
    size = max(18, picture.width // 22)
    words = chance.choice(["SAMPLE LOAN APP", "仅供审核使用", "FOR VERIFICATION ONLY"])
    ink = chance.choice([(255, 255, 255, 90), (0, 0, 0, 80), (220, 30, 30, 90)])
    for row, y in enumerate(range(0, picture.height, size * 5)):
        for x in range(-size * 4 * (row % 2), picture.width, size * 14):
            pen.text((x, y), words, font=fonts.of(size, words), fill=ink)
    pen.text(
        (picture.width - 10, picture.height - 10),
        "@example",
        font=fonts.of(size, "@"),
        fill=(255, 255, 255, 220),
        anchor="rd",
    )
    return Image.alpha_composite(picture.convert("RGBA"), layer).convert("RGB"), JPEG, _whole(picture)


def viewed(picture, chance, fonts):
    """A screenshot of a viewer that shows it: bars, buttons, black or white around it."""
    dark = chance.random() < 0.6
    ground, ink = ("#000000", "#ffffff") if dark else ("#ffffff", "#202020")
    screen = Image.new("RGB", (1080, 2400), ground)
    pen = ImageDraw.Draw(screen)
    pen.text((60, 30), f"{chance.randint(0, 23)}:{chance.randint(0, 59):02}", font=fonts.of(40, "0"), fill=ink)
    pen.rectangle((950, 36, 1010, 66), outline=ink, width=3)
    pen.line((70, 150, 46, 174, 70, 198), fill=ink, width=6)
    pen.text((130, 174), f"IMG_2026{chance.randint(1000, 9999)}", font=fonts.of(40, "I"), fill=ink, anchor="lm")
    for at, word in enumerate(["分享", "编辑", "收藏", "删除"]):
        pen.ellipse((125 + 270 * at - 24, 2220, 125 + 270 * at + 24, 2268), outline=ink, width=5)
        pen.text((125 + 270 * at, 2310), word, font=fonts.of(34, word), fill=ink, anchor="mm")
    scale = min(1080 / picture.width, 1900 / picture.height)
    size = (round(picture.width * scale), round(picture.height * scale))
    middle = chance.choice([1190, 1190, 1150])
    screen.paste(picture.resize(size, Image.Resampling.BICUBIC), ((1080 - size[0]) // 2, middle - size[1] // 2))
    return screen, chance.choice([("png", {}), JPEG]), _whole(picture)


def chain(*steps):
    """One after the other; what is still to be seen is kept where only one step cuts."""

    def change(picture, chance, fonts):
        seen = _whole(picture)
        for step in steps:
            before = picture
            picture, saving, part = step(picture, chance, fonts)
            seen = part if part != _whole(before) else seen
        return picture, saving, seen

    return change


TRANSFORMATIONS = {
    "JPEG 90": saved_as("jpg", quality=90),
    "JPEG 70": saved_as("jpg", quality=70),
    "JPEG 50": saved_as("jpg", quality=50),
    "JPEG 20": saved_as("jpg", quality=20),
    "WebP 75": saved_as("webp", quality=75, method=2),
    "WebP 30": saved_as("webp", quality=30, method=2),
    "AVIF 50": saved_as("avif", quality=50, speed=7),
    "HEIC 50": saved_as("heic", quality=50, enc_params={"preset": "ultrafast"}),
    "1280 wide": resized(1280),
    "640 wide": resized(640),
    "320 wide": resized(320),
    "160 wide": resized(160),
    "crop 90 %": cropped(90),
    "crop 70 %": cropped(70),
    "crop 50 %": cropped(50),
    "crop 30 %": cropped(30),
    "crop 20 %": cropped(20),
    "crop 10 %": cropped(10),
    "quarter turn left": turned(Image.Transpose.ROTATE_90),
    "half turn": turned(Image.Transpose.ROTATE_180),
    "quarter turn right": turned(Image.Transpose.ROTATE_270),
    "mirrored": turned(Image.Transpose.FLIP_LEFT_RIGHT),
    "tilted 1°": tilted(1),
    "tilted 3°": tilted(3),
    "tilted 5°": tilted(5),
    "tilted 10°": tilted(10),
    "tilted 15°": tilted(15),
    "brighter": toned(ImageEnhance.Brightness, 1.2, 1.6),
    "darker": toned(ImageEnhance.Brightness, 0.45, 0.75),
    "less contrast": toned(ImageEnhance.Contrast, 0.5, 0.75),
    "more contrast": toned(ImageEnhance.Contrast, 1.3, 1.8),
    "gamma": gamma,
    "watermark": watermarked,
    "viewer": viewed,
    "viewer, 540 wide, JPEG 60": chain(viewed, resized(540), saved_as("jpg", quality=60)),
    "crop 50 %, 640 wide, JPEG 50": chain(cropped(50), resized(640), saved_as("jpg", quality=50)),
    "mirrored, watermark, JPEG 50": chain(
        turned(Image.Transpose.FLIP_LEFT_RIGHT), watermarked, saved_as("jpg", quality=50)
    ),
}
