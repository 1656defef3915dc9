"""The build's own step: compile the kernel where there is a C compiler.

Without one, or with ``TUTELA_WITHOUT_KERNEL=1``, the package is built without it and computes in
NumPy. The compiler is ``cc``, or what ``CC`` names; ``TUTELA_KERNEL_CFLAGS`` are added to its
options.
"""

import os
import platform
import shlex
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

_FOLDER = Path("src/tutela/kernel")
_LIBRARY = "kernel.so"
_OPTIONS = [
    "-std=c11",
    "-O3",
    "-ffp-contract=off",
    "-fopenmp-simd",
    "-fPIC",
    "-fvisibility=hidden",
    "-Wall",
    "-Wextra",
]
_VARIANTS: Mapping[str, str] = {"portable": ""}
_VARIANTS_OF_X86_64 = {
    "avx2": "-mavx2 -mfma -mbmi2 -mpopcnt",
    "avx512": "-mavx2 -mfma -mbmi2 -mpopcnt -mavx512f -mavx512bw -mavx512vl -mavx512dq "
    "-mavx512vpopcntdq -mavx512bitalg -mprefer-vector-width=512",
}


class KernelBuildHook(BuildHookInterface[Any]):
    """Compiles ``src/tutela/kernel/*.c``, once for each kind of processor."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002
        """Put the library beside its sources, and mark the wheel as made for this machine."""
        if self.target_name != "wheel":
            return
        library = Path(self.root) / _FOLDER / _LIBRARY
        library.unlink(missing_ok=True)
        compiler = _compiler()
        if os.environ.get("TUTELA_WITHOUT_KERNEL") or shutil.which(compiler[0]) is None:
            self.app.display_warning(
                "Tutela is built without its compiled kernel, and will be slower: "
                "install a C compiler (on Debian: apt-get install gcc libc6-dev) and build again"
            )
            return
        try:
            compile_kernel(compiler, library)
        except subprocess.CalledProcessError as error:
            self.app.display_warning(
                f"Tutela's kernel could not be compiled, so it will be slower:\n{error.stderr}"
            )
            return
        system = sysconfig.get_platform().replace("-", "_").replace(".", "_")
        build_data["pure_python"] = False
        build_data["tag"] = f"py3-none-{system}"


def compile_kernel(compiler: list[str], library: Path) -> None:
    """Compile every source for every kind of processor, into one library.

    Raises:
        subprocess.CalledProcessError: The compiler refused.
    """
    variants = dict(_VARIANTS)
    if platform.machine() in ("x86_64", "AMD64"):
        variants |= _VARIANTS_OF_X86_64
    added = shlex.split(os.environ.get("TUTELA_KERNEL_CFLAGS", ""))
    with tempfile.TemporaryDirectory() as folder:
        objects = []
        for source in sorted(library.parent.glob("*.c")):
            for variant, flags in variants.items():
                made = Path(folder) / f"{source.stem}-{variant}.o"
                name = [f"-DVARIANT={variant}"]
                _run([*compiler, *_OPTIONS, *flags.split(), *added, *name, "-c", str(source), "-o", str(made)])  # fmt: skip # noqa: E501
                objects.append(str(made))
        # Under a name of its own first: a running Tutela may have the old one mapped.
        unfinished = library.with_suffix(".new")
        _run([*compiler, "-shared", *added, *objects, "-lm", "-o", str(unfinished)])
        unfinished.rename(library)


def _compiler() -> list[str]:
    return shlex.split(os.environ.get("CC", "")) or [shutil.which("cc") or "cc"]


def _run(command: list[str]) -> None:
    subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603


if __name__ == "__main__":
    compile_kernel(_compiler(), Path(sys.argv[1]))
