"""Writing all over a picture who looks at it: faintly, so that it can be seen and not be missed."""

from PIL import Image, ImageDraw, ImageFont

_OPACITY = 38
_TURN = 24
_SPACING = 1.6
_SMALLEST_LETTERS, _LETTERS_PER_SIDE = 11, 22


def marked(image: Image.Image, mark: str) -> Image.Image:
    """The picture with the mark tiled over it, light and dark so that it shows on any ground."""
    letters = max(_SMALLEST_LETTERS, max(image.size) // _LETTERS_PER_SIDE)
    font = ImageFont.load_default(letters)
    left, top, right, bottom = font.getbbox(mark)
    width, height = int((right - left) * _SPACING), int((bottom - top) * _SPACING * 2)
    # Turned afterwards, so it has to reach beyond every corner.
    reach = image.width + image.height
    middle = ((reach - image.width) // 2, (reach - image.height) // 2)
    for shade, offset in ((0, 1), (255, 0)):
        tile = Image.new("L", (width, height))
        ImageDraw.Draw(tile).text((offset, offset), mark, font=font, fill=_OPACITY)
        tiles = Image.new("L", (reach, reach))
        for row, y in enumerate(range(0, reach, height)):
            for x in range(-(row % 2) * width // 2, reach, width):
                tiles.paste(tile, (x, y))
        turned = tiles.rotate(_TURN, resample=Image.Resampling.BILINEAR)
        mask = turned.crop((*middle, middle[0] + image.width, middle[1] + image.height))
        image.paste(shade if image.mode == "L" else (shade, shade, shade), mask=mask)
    return image
