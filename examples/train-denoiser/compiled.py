"""C beside these programs, compiled on first use and again when it is newer, into build/, which git ignores."""
import ctypes
import functools
import pathlib
import subprocess

import numpy as np

HERE = pathlib.Path(__file__).resolve().parent
FLOATS = ctypes.POINTER(ctypes.c_float)


@functools.cache
def library(name):
    """The functions of NAME.c."""
    source, built = HERE / f"{name}.c", HERE / "build" / f"lib{name}.so"
    if not built.exists() or built.stat().st_mtime < source.stat().st_mtime:
        built.parent.mkdir(exist_ok=True)
        flags = ["-O3", "-march=native", "-ffast-math", "-shared", "-fPIC"]
        subprocess.run(["cc", *flags, str(source), "-o", str(built), "-lm"], check=True)
    return ctypes.CDLL(str(built))


def pointer(array):
    assert array.dtype == np.float32 and array.flags.c_contiguous
    return array.ctypes.data_as(FLOATS)
