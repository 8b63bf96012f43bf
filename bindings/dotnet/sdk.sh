#!/usr/bin/env bash
# Builds and packs Ssmtp.csproj with the .NET SDK, holds the result against the package that pack.py makes, runs the tests with that
# assembly, and installs pack.py's package into a program as NuGet does. Needs what fetch.py gets, and target/debug.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/../.."
library=${SSMTP_LIBRARY:-$PWD/target/debug/libssmtp.so}
xtask=${SSMTP_XTASK:-$PWD/target/debug/xtask}
dotnet=${DOTNET:-$PWD/target/net8/dnv/net/runtime/.net/dotnet}
sdk=$(echo "$PWD"/target/dotnet-sdk/[0-9]*)
unset SSMTP_LIBRARY LD_LIBRARY_PATH
# The tests look from their folder for what is in the tree.
work=$(mktemp -d "$PWD/target/sdk.XXXXXX")
server=
finish() {
    if [ -n "$server" ]; then kill "$server" 2>/dev/null || true; wait "$server" 2>/dev/null || true; fi
    rm -rf "$work"
}
trap finish EXIT

# The SDK is older than the runtime, which has to be told that this is well. It writes into its user's home folder.
export DOTNET_ROLL_FORWARD=Major DOTNET_HOST_PATH=$dotnet DOTNET_SYSTEM_GLOBALIZATION_INVARIANT=1 DOTNET_CLI_TELEMETRY_OPTOUT=1
msbuild() {
    HOME=$work/home MSBuildSDKsPath=$sdk/Sdks "$dotnet" exec "$sdk/MSBuild.dll" -nologo -nodeReuse:false -m:1 -verbosity:quiet \
        -p:UseSharedCompilation=false -p:TreatWarningsAsErrors=true -p:Configuration=Release "$@" >"$work/log" 2>&1 ||
        { cat "$work/log" >&2; return 1; }
}
mkdir "$work/home" "$work/none" "$work/sdk" "$work/mail"

package=$(python3 bindings/dotnet/pack.py --library "$library" --out "$work/feed")
version=$(basename "$package" .nupkg) version=${version#Ssmtp.}
ln -s "$library" "$work/libssmtp.so.0"
msbuild bindings/dotnet/src/Ssmtp.csproj -restore -t:Pack "-p:RestoreSources=$work/none" "-p:NativeLibrary=$work/libssmtp.so.0" \
    "-p:BaseIntermediateOutputPath=$work/obj/" "-p:BaseOutputPath=$work/bin/" "-p:PackageOutputPath=$work/sdk"
echo "ok      Ssmtp.csproj is built and packed by the .NET SDK $(basename "$sdk"), without a warning"
python3 - "$package" "$work/sdk/${package##*/}" <<'PY'
import re, sys, xml.etree.ElementTree as ET, zipfile

def facts(path):
    with zipfile.ZipFile(path) as package:
        names = {re.sub("[0-9a-f]{32}", "ID", name) for name in package.namelist()}
        told = {}
        for element in ET.fromstring(package.read("Ssmtp.nuspec")).iter():
            told[element.tag.split("}")[1]] = ((element.text or "").strip(), element.get("targetFramework"))
        documented = {m.get("name") for m in ET.fromstring(package.read("lib/netstandard2.0/Ssmtp.xml")).iter("member")}
        targets = package.read("build/net461/Ssmtp.targets")
    return names, told, documented, targets

ours, theirs = map(facts, sys.argv[1:])
# This SDK does not know a README of a package yet, and says some things twice, for programs that are older still.
for told in (ours[1], theirs[1]):
    for name in ("readme", "licenseUrl", "owners"):
        told.pop(name, None)
for what, one, other in zip(("files", "metadata", "documented members", "targets"), ours, theirs):
    if one != other:
        different = set(one) ^ set(other) if not isinstance(one, dict) else set(one.items()) ^ set(other.items())
        sys.exit(f"pack.py and the SDK differ in {what}: {sorted(map(str, different))[:20]}")
PY
echo "ok      its package has the files, the metadata and the documented members of pack.py's"

cp target/dotnet/*.exe "$work/bin/Release/netstandard2.0/Ssmtp.dll" "$work/"
sh bindings/dotnet/runtimeconfig.sh "$dotnet" "$work/runtimeconfig.json"
SSMTP_LIBRARY=$library SSMTP_XTASK=$xtask "$dotnet" exec --runtimeconfig "$work/runtimeconfig.json" "$work/ssmtp-tests.exe" "$@"

mkdir "$work/user"
cp bindings/dotnet/package/* "$work/user/"
msbuild "$work/user/Package.csproj" -restore "-p:RestoreSources=$work/feed" "-p:RestorePackagesPath=$work/packages" "-p:SsmtpVersion=$version"
msbuild "$work/user/Package.csproj" -t:Publish -p:TargetFramework=netcoreapp2.2 "-p:RestorePackagesPath=$work/packages" \
    "-p:SsmtpVersion=$version" "-p:PublishDir=$work/published/"
"$xtask" serve --eml "$work/mail" >"$work/log" &
server=$!
for _ in $(seq 100); do
    port=$(sed -n '1s/^listening .*://p' "$work/log")
    [ -z "$port" ] || break
    sleep 0.05
done
said=$(cd / && "$dotnet" "$work/published/package.dll" "$port")
[ "$said" = "sent by $(echo "$work"/published/runtimes/*/native/libssmtp.so.0)" ] || { echo "$said" >&2; exit 1; }
[ "$(find "$work/mail" -name '*.eml' | wc -l)" -eq 1 ]
echo "ok      a program into which NuGet has installed pack.py's package sends with the library in it"
echo "sdk: passed"
