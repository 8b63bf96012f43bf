"""Builds the wheel (PEP 517), with nothing but the standard library: a wheel is a zip file with a few lists in it. The
library that it carries is SSMTP_LIBRARY, or the newer one of what scripts/portable.sh made and the release build; the
oldest glibc that it runs with is read from it and makes the tag (PEP 600). Linux only, as far as the tag goes.
"""

import base64
import hashlib
import os
import platform
import re
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
PACKAGE = HERE / "src" / "ssmtp"
NAME = "ssmtp"
#: The date in the archive: the same files make the same wheel.
EPOCH = (1980, 1, 1, 0, 0, 0)


def version():
    return re.search(r'^__version__ = "([^"]+)"', (PACKAGE / "__init__.py").read_text("utf-8"), re.M)[1]


def library():
    """The library to carry."""
    chosen = os.environ.get("SSMTP_LIBRARY")
    built = [HERE.parents[1] / "target" / kind / "libssmtp.so" for kind in ("portable", "release")]
    there = [path for path in ([Path(chosen)] if chosen else built) if path.is_file()]
    if not there:
        raise SystemExit(f"{chosen or built[0]} is not there: run `scripts/portable.sh` first, or set SSMTP_LIBRARY")
    return max(there, key=lambda path: path.stat().st_mtime)


def glibc_of(path):
    """The newest glibc version whose symbols an ELF file asks for: the oldest that it runs with."""
    output = subprocess.run(["readelf", "--version-info", "--wide", str(path)], check=True, capture_output=True, text=True).stdout
    needed = output.split("Version needs section", 1)[-1]
    found = [tuple(map(int, minor)) for minor in re.findall(r"\bGLIBC_(\d+)\.(\d+)", needed)]
    if not found:
        raise SystemExit(f"{path} asks for no version of glibc; what wheel is it for?")
    return max(found)


def tag(path):
    """With the older name beside it where there is one, for a pip before 20.3."""
    needed, machine = glibc_of(path), platform.machine()
    older = f".manylinux2014_{machine}" if needed <= (2, 17) else ""
    return f"py3-none-manylinux_{needed[0]}_{needed[1]}_{machine}{older}"


def metadata():
    """METADATA of the wheel, by pyproject.toml and README.md."""
    text = (HERE / "pyproject.toml").read_text("utf-8")

    def field(name):
        return re.search(rf'^{name} = "([^"]*)"', text, re.M)[1]

    classifiers = re.findall(r'^    "([^"]+ :: [^"]+)",$', text, re.M)
    lines = [
        "Metadata-Version: 2.1",
        f"Name: {NAME}",
        f"Version: {version()}",
        f"Summary: {field('description')}",
        "License: MIT OR Apache-2.0",
        f"Requires-Python: {field('requires-python')}",
        *[f"Classifier: {each}" for each in classifiers],
        "Description-Content-Type: text/markdown",
    ]
    return "\n".join(lines) + "\n\n" + (HERE / "README.md").read_text("utf-8")


class Wheel:
    """A wheel that is being written."""

    def __init__(self, folder, tag):
        self.name = f"{NAME}-{version()}-{tag}.whl"
        self.info = f"{NAME}-{version()}.dist-info"
        self.records = []
        self.archive = zipfile.ZipFile(Path(folder) / self.name, "w", zipfile.ZIP_DEFLATED)
        self.tag = tag

    def add(self, name, octets, mode=0o644):
        entry = zipfile.ZipInfo(name, EPOCH)
        entry.external_attr = (0o100000 | mode) << 16
        entry.compress_type = zipfile.ZIP_DEFLATED
        self.archive.writestr(entry, octets)
        digest = base64.urlsafe_b64encode(hashlib.sha256(octets).digest()).rstrip(b"=").decode()
        self.records.append(f"{name},sha256={digest},{len(octets)}")

    def finish(self):
        python, abi, platforms = self.tag.split("-")
        lines = ["Wheel-Version: 1.0", "Generator: ssmtp", f"Root-Is-Purelib: {str(platforms == 'any').lower()}"]
        lines += [f"Tag: {python}-{abi}-{each}" for each in platforms.split(".")]
        self.add(f"{self.info}/METADATA", metadata().encode())
        self.add(f"{self.info}/WHEEL", ("\n".join(lines) + "\n").encode())
        for name in ("LICENSE-MIT", "LICENSE-APACHE"):
            license = HERE.parents[1] / name
            if license.is_file():
                self.add(f"{self.info}/licenses/{name}", license.read_bytes())
        record = f"{self.info}/RECORD"
        self.archive.writestr(zipfile.ZipInfo(record, EPOCH), "\n".join([*self.records, f"{record},,"]) + "\n")
        self.archive.close()
        return self.name


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    path = library()
    wheel = Wheel(wheel_directory, tag(path))
    for source in sorted(PACKAGE.glob("*.py")) + [PACKAGE / "py.typed"]:
        wheel.add(f"ssmtp/{source.name}", source.read_bytes())
    with tempfile.TemporaryDirectory() as folder:
        stripped = Path(folder) / "libssmtp.so"
        subprocess.run(["strip", "--strip-unneeded", "-o", str(stripped), str(path)], check=True)
        wheel.add("ssmtp/libssmtp.so.0", stripped.read_bytes(), 0o755)
    return wheel.finish()


def build_editable(wheel_directory, config_settings=None, metadata_directory=None):
    """`pip install --editable`: the checkout itself, which finds the library in target/."""
    wheel = Wheel(wheel_directory, "py3-none-any")
    wheel.add("ssmtp.pth", f"{PACKAGE.parent}\n".encode())
    return wheel.finish()


def build_sdist(sdist_directory, config_settings=None):
    """The Python side alone: to build from it, SSMTP_LIBRARY has to say where the library is."""
    stem = f"{NAME}-{version()}"
    with tarfile.open(Path(sdist_directory) / f"{stem}.tar.gz", "w:gz") as archive:
        for source in [*PACKAGE.glob("*.py"), PACKAGE / "py.typed", HERE / "README.md", HERE / "pyproject.toml", HERE / "backend.py"]:
            archive.add(source, f"{stem}/{source.relative_to(HERE)}")
        with tempfile.NamedTemporaryFile() as file:
            file.write(metadata().encode())
            file.flush()
            archive.add(file.name, f"{stem}/PKG-INFO")
    return f"{stem}.tar.gz"


if __name__ == "__main__":
    # backend.py FOLDER: the wheel without pip.
    print(build_wheel(sys.argv[1]))
