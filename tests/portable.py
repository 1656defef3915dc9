"""PDF documents for tests, written by code."""

import zlib

from PIL import Image

WIDTH, HEIGHT = 595, 842
WORDS = b"BT /F 14 Tf 60 800 Td (Words of a letter, and more of them) Tj ET\n"


def stream(entries: bytes, content: bytes, *, packed: bool = False) -> bytes:
    """An object that has bytes."""
    if packed:
        content = zlib.compress(content)
        entries += b" /Filter /FlateDecode"
    return b"<< %s /Length %d >>\nstream\n%s\nendstream" % (entries, len(content), content)


def picture(image: Image.Image, more: bytes = b"") -> bytes:
    """A picture as an object, by its pixels."""
    colours = {"RGB": b"/DeviceRGB", "L": b"/DeviceGray"}[image.mode]
    entries = b"/Type /XObject /Subtype /Image /BitsPerComponent 8 /ColorSpace %s" % colours
    return stream(
        b"%s /Width %d /Height %d %s" % (entries, *image.size, more), image.tobytes(), packed=True
    )


def jpeg(content: bytes, size: tuple[int, int], *, filters: bytes = b"/DCTDecode") -> bytes:
    """A whole file as an object."""
    entries = b"/Type /XObject /Subtype /Image /BitsPerComponent 8 /ColorSpace /DeviceRGB"
    return stream(b"%s /Width %d /Height %d /Filter %s" % (entries, *size, filters), content)


def document(
    content: bytes,
    *objects: bytes,
    names: bytes = b"",
    page: bytes = b"",
    catalogue: bytes = b"",
    pages: int = 1,
) -> bytes:
    """A document.

    Args:
        content: What draws its page. ``/I`` is the first of the objects.
        objects: From number 5 on.
        names: More resources of the page.
        page: More entries of the page.
        catalogue: More entries of the catalogue.
        pages: So often it has this page.
    """
    pictures = b"" if b"/XObject" in names else b"/XObject << /I 5 0 R >>"
    resources = b"/Font << /F << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >>"
    everything = [
        b"<< /Type /Catalog /Pages 2 0 R %s >>" % catalogue,
        b"<< /Type /Pages /Kids [%s] /Count %d >>" % (b"3 0 R " * pages, pages),
        b"<< /Type /Page /Parent 2 0 R /Contents 4 0 R /MediaBox [0 0 %d %d] "
        b"/Resources << %s %s %s >> %s >>" % (WIDTH, HEIGHT, pictures, resources, names, page),
        stream(b"", content, packed=True),
        *objects,
    ]
    file = bytearray(b"%PDF-1.7\n")
    starts = []
    for number, each in enumerate(everything, 1):
        starts.append(len(file))
        file += b"%d 0 obj\n%s\nendobj\n" % (number, each)
    table = len(file)
    file += b"xref\n0 %d\n0000000000 65535 f \n" % (len(starts) + 1)
    file += b"".join(b"%010d 00000 n \n" % start for start in starts)
    file += b"trailer\n<< /Size %d /Root 1 0 R >>\n" % (len(starts) + 1)
    return bytes(file + b"startxref\n%d\n%%%%EOF\n" % table)
