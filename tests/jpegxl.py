"""JPEG XL files for tests, written and read by the reference's own programs."""

import ctypes
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image

from tests.requirements import missing
from tutela.sandbox import libjxl


def can_pack() -> bool:
    """Whether this machine has the programs."""
    return shutil.which("cjxl") is not None and shutil.which("djxl") is not None


@cache
def packed(file: bytes, *options: str, kind: str = "png") -> bytes:
    """A picture file as JPEG XL.

    Args:
        file: A PNG (also a moving one), a JPEG, or a PFM.
        options: Of ``cjxl``.
        kind: What the name of such a file ends in.
    """
    return _run("cjxl", file, kind, "jxl", *options)


def unpacked(file: bytes, kind: str = "png") -> bytes:
    """A JPEG XL as another picture file."""
    return _run("djxl", file, "jxl", kind)


def _run(program: str, file: bytes, kind: str, other: str, *options: str) -> bytes:
    if not can_pack():
        missing(program, "install it with: apt-get install libjxl-tools")
    with tempfile.TemporaryDirectory() as name:
        one, two = Path(name, f"one.{kind}"), Path(name, f"two.{other}")
        one.write_bytes(file)
        subprocess.run([program, one, two, *options], check=True, capture_output=True)
        return two.read_bytes()


def of_inks(picture: Image.Image, library: libjxl.Library) -> bytes:
    """A picture of mode CMYK as JPEG XL without loss, by the library's own encoder.

    The programs write none of these.
    """
    inks = np.ascontiguousarray(255 - np.asarray(picture))
    colours, black = (np.ascontiguousarray(inks[..., bands]) for bands in (slice(3), 3))
    call = ctypes.CDLL(library.file)
    for maker in (call.JxlEncoderCreate, call.JxlEncoderFrameSettingsCreate):
        maker.restype = ctypes.c_void_p

    def done(name: str, *arguments: object) -> None:
        assert call[f"JxlEncoder{name}"](*arguments) == 0, name

    encoder = ctypes.c_void_p(call.JxlEncoderCreate(None))
    info, channel = libjxl.BasicInfo(), libjxl.ExtraChannel()
    call.JxlEncoderInitBasicInfo(ctypes.byref(info))
    info.width, info.height = picture.size
    info.bits, info.colour_channels, info.extra_channels = 8, 3, 1
    info.uses_original_profile = 1
    call.JxlEncoderInitExtraChannelInfo(libjxl.BLACK, ctypes.byref(channel))
    done("SetCodestreamLevel", encoder, 10)
    done("SetBasicInfo", encoder, ctypes.byref(info))
    done("SetExtraChannelInfo", encoder, ctypes.c_size_t(0), ctypes.byref(channel))
    done("SetColorEncoding", encoder, ctypes.byref(libjxl.srgb(grey=False)))
    settings = ctypes.c_void_p(call.JxlEncoderFrameSettingsCreate(encoder, None))
    done("SetFrameLossless", settings, 1)
    form = libjxl.PixelFormat(3, libjxl.UINT8)
    for name, band, *where in (
        ("AddImageFrame", colours),
        ("SetExtraChannelBuffer", black, ctypes.c_uint32(0)),
    ):
        size = ctypes.c_size_t(band.nbytes)
        done(name, settings, ctypes.byref(form), ctypes.c_void_p(band.ctypes.data), size, *where)
        form.channels = 1
    call.JxlEncoderCloseInput(encoder)
    room = ctypes.create_string_buffer(4 * inks.nbytes)
    end, left = ctypes.c_void_p(ctypes.addressof(room)), ctypes.c_size_t(len(room))
    done("ProcessOutput", encoder, ctypes.byref(end), ctypes.byref(left))
    call.JxlEncoderDestroy(encoder)
    return room.raw[: len(room) - left.value]
