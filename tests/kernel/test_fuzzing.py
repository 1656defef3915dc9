"""Whatever the kernel is given, it answers as plain code does and reads nothing else.

``make soak`` has libFuzzer look for what it gets wrong, led by what it has run through so far, with
the sanitizers for memory and undefined behaviour.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.requirements import missing
from tutela.kernel.library import Variant, variant

ROOT = Path(__file__).parents[2]
KERNEL = ROOT / "src" / "tutela" / "kernel"
FUZZED = Path(__file__).parent / "fuzzed"
PARTS = ("pdq", "search", "digests")
FOUND = ROOT / "build" / "fuzzed"
SOAK = "TUTELA_TEST_SOAK" in os.environ
SECONDS = int(os.environ.get("TUTELA_TEST_FUZZ_SECONDS", "600"))
SANITIZED = ["-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]

pytestmark = pytest.mark.skipif(variant() is Variant.NUMPY, reason="there is no kernel")


def run(*command: str | Path, **environment: str) -> str:
    """What a program complained of; a failed test if it did not end well."""
    done = subprocess.run(
        command, env=os.environ | environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-5000:]
    return done.stderr


def made(part: str, kernel: Path, compiler: str, into: Path, *flags: str) -> Path:
    """A program that calls a kernel with what it is given.

    Args:
        part: What of the kernel.
        kernel: The library.
        compiler: Compiles it.
        into: Folder for it.
        flags: For the linker. The plain code needs no sanitizers, and is quicker without.
    """
    driver = [] if "-fsanitize=fuzzer" in flags else ["plainly"]
    seeing = ["-fsanitize=fuzzer-no-link"] if "-fsanitize=fuzzer" in flags else []
    objects = []
    for name in (part, *driver):
        objects.append(into / f"{name}.o")
        run(
            compiler,
            "-std=c11",
            "-O2",
            *seeing,
            f"-I{KERNEL}",
            "-c",
            FUZZED / f"{name}.c",
            "-o",
            objects[-1],
        )
    library = [f"-L{kernel.parent}", f"-l:{kernel.name}", f"-Wl,-rpath,{kernel.parent}", "-lm"]
    run(compiler, *flags, *objects, *library, "-o", into / part)
    return into / part


@pytest.mark.parametrize("part", PARTS)
def test_the_kernel_answers_as_plain_code_does(part: str, tmp_path: Path) -> None:
    if shutil.which("cc") is None:
        missing("a C compiler", "install it with: apt-get install gcc libc6-dev")
    run(made(part, KERNEL / "kernel.so", "cc", tmp_path), "150")


@pytest.fixture(scope="module")
def sanitized_kernel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The kernel with sanitizers, and with what tells a fuzzer where it has been."""
    if shutil.which("clang") is None:
        missing("clang", "install it with: apt-get install clang")
    folder = tmp_path_factory.mktemp("kernel")
    for source in KERNEL.glob("*.[ch]"):
        shutil.copy(source, folder)
    flags = " ".join([*SANITIZED, "-fsanitize=fuzzer-no-link"])
    library = folder / "kernel.so"
    run(sys.executable, ROOT / "hatch_build.py", library, CC="clang", TUTELA_KERNEL_CFLAGS=flags)
    return library


@pytest.mark.skipif(not SOAK, reason="only make soak fuzzes at length")
@pytest.mark.timeout(SECONDS + 600)
@pytest.mark.parametrize("part", PARTS)
def test_a_fuzzer_finds_nothing(part: str, sanitized_kernel: Path, tmp_path: Path) -> None:
    program = made(part, sanitized_kernel, "clang", tmp_path, *SANITIZED, "-fsanitize=fuzzer")
    # What has led somewhere new is kept for the next time; so is what breaks something.
    corpus = FOUND / part
    corpus.mkdir(parents=True, exist_ok=True)
    told = run(
        program,
        corpus,
        f"-artifact_prefix={FOUND}/{part}-",
        f"-max_total_time={SECONDS}",
        "-max_len=2048",
        "-len_control=0",
        "-timeout=60",
        "-rss_limit_mb=2048",
    )
    (done,) = re.findall(r"#\d+\s+DONE.*", told)
    print(part, done)  # noqa: T201
