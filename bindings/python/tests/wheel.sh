#!/usr/bin/env bash
# The wheel, as somebody gets it who has no checkout: built, put into a fresh virtual environment without a network, and used
# from another folder, where nothing of this tree is found. Needs target/debug/xtask, and builds the release only where it is
# missing.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../../.." && pwd)
work=$(mktemp -d)
server=
finish() {
    [ -z "$server" ] || kill "$server" 2>/dev/null || true
    rm -rf "$work"
}
trap finish EXIT
unset SSMTP_LIBRARY PYTHONPATH LD_LIBRARY_PATH

# The step `install` has built it just before.
library=$(bash "$root/scripts/portable.sh" --built)
make_wheel() { SSMTP_LIBRARY=$library bash "$root/bindings/python/wheel.sh" "$1"; }
make_wheel "$work/wheel" >"$work/name"
wheel=$(cat "$work/name")
file=$(basename "$wheel")
version=$(sed -n '/^\[workspace.package\]/,/^\[/s/^version = "\(.*\)"/\1/p' "$root/Cargo.toml")

# The tag, by another program than the one that made it.
floor=$(objdump -T "$library" | grep -o 'GLIBC_[0-9.]*' | sort -uV | tail -n 1 | tr . _)
older=
if [ "$(printf '%s\n' "${floor#GLIBC_}" 2_17 | tr _ . | sort -V | tail -n 1)" = 2.17 ]; then older=.manylinux2014_$(uname -m); fi
[ "$file" = "ssmtp-$version-py3-none-manylinux_${floor#GLIBC_}_$(uname -m)$older.whl" ] || { echo "$file needs $floor" >&2; exit 1; }
if [ -d "$root/target/zig" ] && [ -z "$older" ]; then echo "$file does not run with glibc 2.17" >&2; exit 1; fi
echo "ok      $file says which glibc it needs"
auditor=$root/target/python-venv/bin/python
if "$auditor" -c 'import auditwheel' 2>/dev/null; then
    "$auditor" -m auditwheel show "$wheel" >"$work/audit"
    tr -s '\n ' ' ' <"$work/audit" | grep -F "consistent with the following platform tag: \"manylinux_${floor#GLIBC_}_" >/dev/null ||
        { cat "$work/audit" >&2; exit 1; }
    echo "ok      auditwheel says the same"
else
    echo "skipped auditwheel: it is not installed (scripts/setup.sh test does it)"
fi
dynamic=$(readelf -d "$library")
others=$(sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' <<<"$dynamic" | grep -Ev '^(lib(c|m|gcc_s|pthread|dl)\.so\.[0-9]|ld-linux.*)$' || true)
[ -z "$others" ] || { echo "the library needs $others" >&2; exit 1; }
grep -q 'SONAME.*\[libssmtp\.so\.0\]' <<<"$dynamic"
grep -q 'FLAGS_1.*NODELETE' <<<"$dynamic"
nm -D --defined-only "$library" | awk '{print $3}' | LC_ALL=C sort | diff <(LC_ALL=C sort "$root/tests/abi/exports.txt") -
echo "ok      the library in it publishes the same functions as the one of make install, and needs glibc and libgcc_s only"
make_wheel "$work/again" >/dev/null
cmp "$wheel" "$work/again/$file"
echo "ok      it is made the same twice"

python3 "$root/bindings/dotnet/pack.py" --library "$library" --out "$work" >"$work/name"
python3 -m zipfile -e "$(cat "$work/name")" "$work/nuget"
python3 -m zipfile -e "$wheel" "$work/unpacked"
cmp "$work"/nuget/runtimes/*/native/libssmtp.so.0 "$work/unpacked/ssmtp/libssmtp.so.0"
echo "ok      the NuGet package carries the same library"

# Another linker has laid out what unwinding reads.
if [ -d "$root/target/zig" ]; then
    (cd "$root" && cargo build --quiet --package libssmtp --features test-hooks --target-dir target/hooks)
    bash "$root/scripts/portable.sh" "$root/target/hooks/debug/libssmtp.a" "$work/panics.so" ssmtp_test_panic
    cat >"$work/panic.py" <<'PY'
import ctypes, sys, threading
library = ctypes.CDLL(sys.argv[1])
library.ssmtp_new.restype = ctypes.c_void_p
def panics():
    handle = ctypes.c_void_p(library.ssmtp_new())
    assert library.ssmtp_test_panic(handle) == 607
    assert library.ssmtp_set_mail_port(handle, 25) == 607, "only deleting the handle works"
    assert library.ssmtp_delete(handle) == 0
    passed.append(handle)
passed = []
panics()
thread = threading.Thread(target=panics)
thread.start()
thread.join()
assert len(passed) == 2
PY
    python3 "$work/panic.py" "$work/panics.so"
    echo "ok      a panic is caught in a library that is linked like it"
fi

"$root/target/debug/xtask" serve --eml "$work/mail" --extensions PIPELINING >"$work/log" &
server=$!
for _ in $(seq 100); do grep -q listening "$work/log" && break; sleep 0.05; done
port=$(sed -n 's/^listening .*:\([0-9]*\)$/\1/p' "$work/log")

cat >"$work/use.py" <<'PY'
import hashlib, base64, pathlib, sys
import ssmtp
from ssmtp import Ssmtp, smtplib

root, port, carried = sys.argv[1], int(sys.argv[2]), sys.argv[3] == "wheel"
package = pathlib.Path(ssmtp.__file__).parent
assert (root not in str(package)) == carried, package
with Ssmtp() as smtp:
    smtp.mail_server, smtp.mail_port = "127.0.0.1", port
    smtp.from_, smtp.send_to = "me@a.example", "you@b.example"
    smtp.subject, smtp.message_text = "By wheel", "Hi\r\n"
    smtp.send()
with smtplib.SMTP("127.0.0.1", port) as smtp:
    assert smtp.sendmail("me@a.example", "you@b.example", "Subject: By smtplib\n\nHi\n") == {}
loaded = {line.split()[-1] for line in open("/proc/self/maps") if "libssmtp" in line}
if carried:
    assert loaded == {str(package / "libssmtp.so.0")}, loaded
    assert (package / "py.typed").is_file()
    from importlib.metadata import distribution, version
    assert version("ssmtp") == ssmtp.__version__ == ssmtp.version()
    for file in distribution("ssmtp").files:
        if file.hash:
            digest = hashlib.new(file.hash.mode, file.read_binary()).digest()
            assert base64.urlsafe_b64encode(digest).rstrip(b"=").decode() == file.hash.value, file
else:
    assert len(loaded) == 1 and loaded.pop().startswith(root), loaded
PY

cd "$work"
python3 -m venv --without-pip venv
pip() { python3 -m pip --disable-pip-version-check --quiet --python "$work/venv/bin/python" "$@"; }
if ! pip --version >/dev/null 2>&1; then # a pip without --python, or none at all
    rm -rf venv
    python3 -m venv venv
    pip() { "$work/venv/bin/python" -m pip --disable-pip-version-check --quiet "$@"; }
fi
pip install --no-index "$wheel"
venv/bin/python use.py "$root" "$port" wheel
pip check
echo "ok      it sends from a fresh virtual environment, with the library that it carries"
pip uninstall --yes ssmtp
[ -z "$(find venv -name '*ssmtp*')" ] || { find venv -name '*ssmtp*' >&2; exit 1; }
echo "ok      nothing is left of it after pip uninstall"
pip install --no-index --editable "$root/bindings/python"
venv/bin/python use.py "$root" "$port" checkout
echo "ok      pip install --editable uses the checkout"
[ "$(find "$work/mail" -name '*.eml' | wc -l)" -eq 4 ]
