"""Pictures as caches keep them, out of photographs with clear licences, and a gallery whose photographs are other ones."""

import io

from PIL import Image, ImageEnhance

# Photographs that nothing in the cache is made from.
WITHHELD = ("china", "flower", "coffee", "rocket", "motorcycle_left")
PIECES = 4


def split(photos):
    """Those for the cache, and the gallery: each withheld photograph in four pieces."""
    cache, gallery = [], []
    for name, picture in photos:
        if any(f"/{held}." in name for held in WITHHELD):
            gallery += [(f"{name.split('/')[-1].split('.')[0]}-{at}", piece) for at, piece in enumerate(_pieces(picture))]
        else:
            cache.append(picture)
    return cache, gallery


def _pieces(picture):
    wide, high = picture.width // 2, picture.height // 2
    for at in range(PIECES):
        left, top = at % 2 * wide, at // 2 * high
        yield picture.crop((left, top, left + wide, top + high)).resize((wide * 2, high * 2), Image.Resampling.LANCZOS)


def encoded(picture, form, chance, exif=None):
    held = io.BytesIO()
    if form == "JPEG":
        more = {"exif": exif} if exif else {}
        picture.save(held, form, quality=chance.choice([70, 75, 80, 85, 90]), **more)
    elif form == "WEBP":
        picture.save(held, form, quality=chance.choice([70, 75, 80]), method=1)
    else:
        picture.save(held, form, compress_level=6)
    return held.getvalue()


def cached(photos, chance, said=None):
    """Another piece of a photograph in another size and light; of every size, as lists, details and avatars need them."""
    source = chance.choice(photos)
    share = chance.uniform(0.25, 0.95)
    wide, high = int(source.width * share), int(source.height * share)
    left, top = chance.randint(0, source.width - wide), chance.randint(0, source.height - high)
    width = chance.choice([48, 96, 120, 180, 240, 320, 360, 480, 540, 720, 720, 1080])
    piece = source.crop((left, top, left + wide, top + high)).resize((width, max(16, high * width // wide)))
    piece = ImageEnhance.Brightness(piece).enhance(chance.uniform(0.7, 1.3))
    if said is not None:
        tags = Image.Exif()
        tags[0x010F], tags[0x0110], tags[0x010E] = "Example", "Phone 9", said
        return encoded(piece, "JPEG", chance, tags)
    form = chance.choices(["JPEG", "WEBP", "PNG"], [60, 28, 12])[0]
    if form == "PNG":
        piece.thumbnail((192, 192))
    return encoded(piece, form, chance)


def copy(picture, chance):
    """A picture of the gallery as an app makes it for an upload: smaller, encoded again."""
    small = picture.copy()
    small.thumbnail((chance.choice([480, 640, 720]),) * 2, Image.Resampling.LANCZOS)
    return encoded(small, chance.choice(["JPEG", "WEBP"]), chance)
