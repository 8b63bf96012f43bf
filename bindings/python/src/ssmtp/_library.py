"""Finds and loads libssmtp, once a process."""

import ctypes
import ctypes.util
import os
import sys
import threading
from pathlib import Path
from typing import List, Optional

from . import _native_gen

if sys.platform == "win32":
    NAMES = ("ssmtp.dll",)
elif sys.platform == "darwin":
    NAMES = ("libssmtp.0.dylib", "libssmtp.dylib")
else:
    NAMES = ("libssmtp.so.0", "libssmtp.so")

_loaded: Optional[ctypes.CDLL] = None
_lock = threading.Lock()


def native() -> ctypes.CDLL:
    """The library, loaded at the first call. Calls through it release the interpreter's lock."""
    global _loaded
    if _loaded is None:
        with _lock:
            if _loaded is None:
                _loaded = _load()
    return _loaded


def version() -> str:
    """The version of the library, such as `0.1.0`."""
    return str(native().ssmtp_version().decode())


def candidates() -> List[str]:
    """Where the library is looked for, in this order. SSMTP_LIBRARY is the only one when it is set."""
    chosen = os.environ.get("SSMTP_LIBRARY")
    if chosen:
        return [chosen]
    here = Path(__file__).resolve().parent
    folders = [here]
    # In a checkout this file is bindings/python/src/ssmtp/_library.py.
    if len(here.parents) > 3 and (here.parents[3] / "api" / "functions.toml").is_file():
        folders += [here.parents[3] / "target" / kind for kind in ("release", "debug")]
    found = [str(folder / name) for folder in folders for name in NAMES if (folder / name).is_file()]
    system = ctypes.util.find_library("ssmtp")
    return found + ([system] if system else []) + list(NAMES)


def _load() -> ctypes.CDLL:
    tried: List[str] = []
    for path in candidates():
        try:
            library = ctypes.CDLL(path)
            _native_gen.bind(library)
            return library
        except (OSError, AttributeError) as error:
            tried.append(f"{path}: {error}")
    raise OSError(
        "libssmtp cannot be loaded; set SSMTP_LIBRARY to its path. Tried:\n  " + "\n  ".join(tried)
    )
