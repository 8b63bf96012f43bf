#!/usr/bin/env bash
# Packs a NuGet package, looks at its layout, and runs its assembly out of it, on Mono and on the .NET that DOTNET names: as it was
# unpacked, and as a program's folder has it. Needs target/debug/libssmtp.so (or SSMTP_LIBRARY) and target/debug/xtask.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/../.."
library=${SSMTP_LIBRARY:-$PWD/target/debug/libssmtp.so}
unset SSMTP_LIBRARY LD_LIBRARY_PATH # the package must find its own
work=$(mktemp -d)
server=
finish() {
    if [ -n "$server" ]; then kill "$server" 2>/dev/null || true; wait "$server" 2>/dev/null || true; fi
    rm -rf "$work"
}
trap finish EXIT

package=$(python3 bindings/dotnet/pack.py --library "$library" --out "$work")
python3 bindings/dotnet/pack.py --library "$library" --out "$work/again" >/dev/null
cmp "$package" "$work/again/${package##*/}"
python3 -m zipfile -e "$package" "$work/unpacked"
layout=$(cd "$work/unpacked" && find . -type f | sed -e 's|^\./||' -e 's|runtimes/[^/]*|runtimes/RID|' -e 's|[0-9a-f]\{32\}|ID|' | LC_ALL=C sort)
diff <(echo "$layout") - <<'END'
LICENSE-APACHE
LICENSE-MIT
README.md
Ssmtp.nuspec
[Content_Types].xml
_rels/.rels
build/net461/Ssmtp.targets
buildTransitive/net461/Ssmtp.targets
lib/netstandard2.0/Ssmtp.dll
lib/netstandard2.0/Ssmtp.xml
package/services/metadata/core-properties/ID.psmdcp
runtimes/RID/native/libssmtp.so.0
END
echo "ok      layout of ${package##*/}, and the same octets when it is packed again"

# A package that lacks something is told.
python3 - "$package" "$work/Ssmtp.0.1.1.nupkg" <<'PY'
import sys, zipfile
with zipfile.ZipFile(sys.argv[1]) as old, zipfile.ZipFile(sys.argv[2], "w") as new:
    for name in old.namelist():
        if not name.startswith("runtimes/"):
            new.writestr(name, old.read(name))
PY
if told=$(python3 bindings/dotnet/pack.py --check "$work/Ssmtp.0.1.1.nupkg"); then echo "a broken package passes"; exit 1; fi
grep -q 'no library in it' <<<"$told" && grep -q 'name of the file' <<<"$told"
echo "ok      a package without a library, under another version, is refused"

assembly=$work/unpacked/lib/netstandard2.0/Ssmtp.dll
mkdir "$work/program" "$work/mail"
mcs -langversion:7 -warnaserror -r:"$assembly" -out:"$work/program/package.exe" bindings/dotnet/package/Program.cs
"${XTASK:-target/debug/xtask}" serve --eml "$work/mail" >"$work/log" &
server=$!
for _ in $(seq 100); do
    port=$(sed -n '1s/^listening .*://p' "$work/log")
    [ -z "$port" ] || break
    sleep 0.05
done

sends() { # WHAT LIBRARY COMMAND…
    local what=$1 wanted said
    wanted="sent by $(realpath "$2")"
    shift 2
    said=$(cd / && "$@" "$port" 2>&1) || true
    if [ "$said" != "$wanted" ]; then printf 'FAILED  %s:\n%s\nin place of:\n%s\n' "$what" "$said" "$wanted"; exit 1; fi
    echo "ok      $what"
}
native=$(cd "$work/unpacked" && echo runtimes/*/native/libssmtp.so.0)
sends "Mono, as it was unpacked" "$work/unpacked/$native" env MONO_PATH="${assembly%/*}" mono "$work/program/package.exe"
cp "$assembly" "$work/program/"
cp -r "$work/unpacked/runtimes" "$work/program/"
sends "Mono, in a program's folder" "$work/program/$native" mono "$work/program/package.exe"
sent=2
if [ -n "${DOTNET:-}" ]; then
    sh bindings/dotnet/runtimeconfig.sh "$DOTNET" "$work/runtimeconfig.json"
    sends ".NET, in a program's folder" "$work/program/$native" \
        "$DOTNET" exec --runtimeconfig "$work/runtimeconfig.json" "$work/program/package.exe"
    sent=3
fi
[ "$(find "$work/mail" -name '*.eml' | wc -l)" -eq $sent ] && grep -q '^out of the package' "$work/mail/$sent.eml"
echo "package: passed"
