#!/usr/bin/env python3
"""Makes the NuGet package: the assembly for netstandard2.0 with its documentation, and the library for this system's kind.

usage: pack.py [--library FILE] [--out FOLDER] [--check PACKAGE]

It needs no .NET SDK: a package is a ZIP in the shape of the Open Packaging Conventions (ECMA-376 part 2) with a .nuspec in it.
More kinds of systems are added by `--library` again, each as RID=FILE (`linux-arm64=…/libssmtp.so`). The same sources make the
same octets.
"""

import argparse
import pathlib
import platform
import re
import subprocess
import sys
import tempfile
import uuid
import xml.etree.ElementTree as ET
import zipfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
ID = "Ssmtp"
NATIVE = {"linux": "libssmtp.so.0", "osx": "libssmtp.dylib"}
SPEC = "http://schemas.microsoft.com/packaging/2013/05/nuspec.xsd"
MACHINES = {"x86_64": "x64", "amd64": "x64", "aarch64": "arm64", "arm64": "arm64"}

CONTENT_TYPES = """<?xml version="1.0" encoding="utf-8"?>
<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">
  <Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>
  <Default Extension="psmdcp" ContentType="application/vnd.openxmlformats-package.core-properties+xml"/>
{defaults}{overrides}</Types>
"""

RELATIONSHIPS = """<?xml version="1.0" encoding="utf-8"?>
<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">
  <Relationship Type="http://schemas.microsoft.com/packaging/2010/07/manifest" Target="/{id}.nuspec" Id="R1"/>
  <Relationship Type="http://schemas.openxmlformats.org/package/2006/relationships/metadata/core-properties" Target="/{core}" Id="R2"/>
</Relationships>
"""

CORE = """<?xml version="1.0" encoding="utf-8"?>
<coreProperties xmlns="http://schemas.openxmlformats.org/package/2006/metadata/core-properties" xmlns:dc="http://purl.org/dc/elements/1.1/">
  <dc:creator>The libssmtp authors</dc:creator>
  <dc:description>{description}</dc:description>
  <dc:identifier>{id}</dc:identifier>
  <version>{version}</version>
  <keywords>{tags}</keywords>
</coreProperties>
"""

NUSPEC = """<?xml version="1.0" encoding="utf-8"?>
<package xmlns="{spec}">
  <metadata>
    <id>{id}</id>
    <version>{version}</version>
    <authors>The libssmtp authors</authors>
    <requireLicenseAcceptance>false</requireLicenseAcceptance>
    <license type="expression">MIT OR Apache-2.0</license>
    <readme>README.md</readme>
    <description>{description}</description>
    <tags>{tags}</tags>
    <dependencies>
      <group targetFramework=".NETStandard2.0"/>
    </dependencies>
  </metadata>
</package>
"""


def version():
    return re.search(r'^\[workspace\.package\]$.*?^version = "(.*?)"', (ROOT / "Cargo.toml").read_text(), re.M | re.S)[1]


def project(name):
    """A value of Ssmtp.csproj, which says the same to those who have the SDK."""
    return ET.parse(HERE / "src/Ssmtp.csproj").getroot().findtext(f"PropertyGroup/{name}")


def this_system():
    machine = MACHINES.get(platform.machine().lower())
    system = {"Linux": "linux", "Darwin": "osx"}.get(platform.system())
    if machine is None or system is None:
        sys.exit(f"no name is known for {platform.system()} on {platform.machine()}")
    return f"{system}-{machine}"


def stripped(library):
    with tempfile.TemporaryDirectory() as folder:
        copy = pathlib.Path(folder) / "library"
        subprocess.run(["strip", "--strip-unneeded", "-o", copy, library], check=True)
        return copy.read_bytes()


def files(libraries):
    """Every file of the package but those that the conventions ask for."""
    built = ROOT / "target/dotnet"
    inside = {
        "lib/netstandard2.0/Ssmtp.dll": (built / "Ssmtp.dll").read_bytes(),
        "lib/netstandard2.0/Ssmtp.xml": (built / "Ssmtp.xml").read_bytes(),
        "build/net461/Ssmtp.targets": (HERE / "Ssmtp.targets").read_bytes(),
        "buildTransitive/net461/Ssmtp.targets": (HERE / "Ssmtp.targets").read_bytes(),
        "README.md": (HERE / "README.md").read_bytes(),
        "LICENSE-MIT": (ROOT / "LICENSE-MIT").read_bytes(),
        "LICENSE-APACHE": (ROOT / "LICENSE-APACHE").read_bytes(),
    }
    for rid, library in libraries.items():
        inside[f"runtimes/{rid}/native/{NATIVE[rid.split('-')[0]]}"] = stripped(library)
    return inside


def pack(libraries, folder):
    facts = {"id": ID, "version": version(), "description": project("Description"), "spec": SPEC, "tags": "smtp email mail smime tls"}
    if project("Version") != facts["version"]:
        sys.exit(f"Ssmtp.csproj says version {project('Version')}, Cargo.toml {facts['version']}")
    inside = files(libraries)
    core = f"package/services/metadata/core-properties/{uuid.uuid5(uuid.NAMESPACE_URL, ID + facts['version']).hex}.psmdcp"
    endings = sorted({name.rsplit(".", 1)[1] for name in [*inside, "x.nuspec"] if "." in name.rsplit("/", 1)[-1]})
    bare = sorted(name for name in inside if "." not in name.rsplit("/", 1)[-1])
    octets = 'ContentType="application/octet"'
    everything = {
        "[Content_Types].xml": CONTENT_TYPES.format(
            defaults="".join(f'  <Default Extension="{e}" {octets}/>\n' for e in endings),
            overrides="".join(f'  <Override PartName="/{name}" {octets}/>\n' for name in bare),
        ).encode(),
        "_rels/.rels": RELATIONSHIPS.format(core=core, **facts).encode(),
        f"{ID}.nuspec": NUSPEC.format(**facts).encode(),
        core: CORE.format(**facts).encode(),
        **inside,
    }
    folder.mkdir(parents=True, exist_ok=True)
    package = folder / f"{ID}.{facts['version']}.nupkg"
    with zipfile.ZipFile(package, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as out:
        for name, content in everything.items():
            entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            out.writestr(entry, content)
    return package


def check(package):
    """What is wrong with a package, one finding a line."""
    with zipfile.ZipFile(package) as zipped:
        names = zipped.namelist()
        read = {name: zipped.read(name) for name in names}
    if len(set(names)) != len(names) or names[0] != "[Content_Types].xml":
        yield "the list of types is not the first file, or a file is there twice"
    for name in [n for n in names if n.endswith((".xml", ".rels", ".nuspec", ".psmdcp", ".targets"))]:
        try:
            ET.fromstring(read[name])
        except ET.ParseError as error:
            yield f"{name}: {error}"
    types = ET.fromstring(read["[Content_Types].xml"])
    endings = {e.get("Extension") for e in types if e.tag.endswith("Default")}
    parts = {e.get("PartName") for e in types if e.tag.endswith("Override")}
    for name in names[1:]:
        if "/" + name not in parts and name.rsplit("/", 1)[-1].rpartition(".")[2] not in endings:
            yield f"{name} has no type"
    for relation in ET.fromstring(read["_rels/.rels"]):
        if relation.get("Target").lstrip("/") not in names:
            yield f"a relation leads to {relation.get('Target')}, which is not there"
    metadata = ET.fromstring(read[f"{ID}.nuspec"]).find(f"{{{SPEC}}}metadata")
    told = {child.tag.split("}")[1]: child.text for child in metadata}
    if told["id"] != ID or f"{ID}.{told['version']}.nupkg" != pathlib.Path(package).name:
        yield f"the name of the file is not {told['id']}.{told['version']}.nupkg"
    if told["readme"] not in names or len(told["description"]) < 20:
        yield "README or description are missing"
    if not read["lib/netstandard2.0/Ssmtp.dll"].startswith(b"MZ"):
        yield "Ssmtp.dll is no assembly"
    documented = {m.get("name") for m in ET.fromstring(read["lib/netstandard2.0/Ssmtp.xml"]).iter("member")}
    for member in ("T:Ssmtp.Ssmtp", "M:Ssmtp.Ssmtp.Send", "P:Ssmtp.Ssmtp.MailServer", "E:Ssmtp.Ssmtp.OnPITrail"):
        if member not in documented:
            yield f"{member} is not documented"
    native = [n for n in names if n.startswith("runtimes/")]
    for name in native:
        rid, library = re.fullmatch(r"runtimes/([a-z]+-[a-z0-9]+)/native/([^/]+)", name).groups()
        if library != NATIVE[rid.split("-")[0]] or (rid.startswith("linux") and not read[name].startswith(b"\x7fELF")):
            yield f"{name} is no library of {rid}"
    if not native:
        yield "there is no library in it"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--library", action="append", metavar="[RID=]FILE", help="what scripts/portable.sh made otherwise")
    parser.add_argument("--out", type=pathlib.Path, default=ROOT / "target/nuget")
    parser.add_argument("--check", metavar="PACKAGE", help="only say what is wrong with a package")
    asked = parser.parse_args()
    if asked.check is None:
        subprocess.run([HERE / "build.sh"], check=True)
        libraries = {}
        for given in asked.library or [ROOT / "target/portable/libssmtp.so"]:
            rid, _, file = str(given).rpartition("=")
            libraries[rid or this_system()] = file
        asked.check = pack(libraries, asked.out)
        print(asked.check)
    wrong = list(check(asked.check))
    print(*wrong, sep="\n", end="\n" if wrong else "")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
