#!/usr/bin/env bash
# The library for machines with an older glibc than this one, as the packages carry it: the release build's libssmtp.a, linked
# once more as zig's linker does it, which knows what every glibc offers. Where there is no zig it is the release build as it is.
#
# usage: scripts/portable.sh [--built]     prints the library's path, target/portable/libssmtp.so; --built: from the release build
#            that is there, without asking cargo
#        scripts/portable.sh STATIC LIBRARY [FUNCTION…]     links another libssmtp.a, which publishes these functions as well
set -euo pipefail

# What Rust's own library asks for. What the result asks for is read from it, never taken from here.
OLDEST=2.17

cd "$(dirname "${BASH_SOURCE[0]}")/.."
export PATH=$PATH:${HOME:-/root}/.cargo/bin
machine=$(uname -m)
has_zig() { [[ $machine =~ ^(x86_64|aarch64)$ ]] && target/zig/bin/python -m ziglang version >/dev/null 2>&1; }

link() { # STATIC LIBRARY FUNCTION…
    local static=$1 library=$2 cache=$PWD/target/portable/zig name options
    shift 2
    # The published functions and nothing else, under the soname, and never unloaded: what build.rs and rustc ask for.
    { echo '{ global:'; printf '%s;\n' "$@"; echo 'local: *; };'; } >"$library.map"
    options=(-shared -O2 -s -Wl,-soname,libssmtp.so.0 "-Wl,--version-script=$library.map"
        -Wl,-z,nodelete -Wl,-z,now -Wl,-z,relro -Wl,-z,defs -Wl,--gc-sections)
    for name in "$@"; do options+=("-Wl,-u,$name"); done
    # libgcc_s by its path: zig would put a libunwind of its own in its place, and two of them in one process cannot unwind each
    # other's frames (pthread_exit in a callback). What is asked of it is as old as GCC 4.2.
    ZIG_GLOBAL_CACHE_DIR=$cache ZIG_LOCAL_CACHE_DIR=$cache target/zig/bin/python -m ziglang cc \
        -target "$machine-linux-gnu.$OLDEST" "${options[@]}" -o "$library" \
        "$static" "$(gcc -print-file-name=libgcc_s.so.1)" -lpthread -ldl -lm -lc
    rm "$library.map"
}

exports=tests/abi/exports.txt
mapfile -t published <$exports
if [ $# -ge 2 ]; then
    has_zig || { echo "no zig for $machine (scripts/setup.sh wheel)" >&2; exit 1; }
    link "$1" "$2" "${published[@]}" "${@:3}"
    exit 0
fi

out=target/portable
library=$out/libssmtp.so
static=target/release/libssmtp.a
if [ "${1:-}" != --built ] || [ $exports -nt $static ]; then cargo build --quiet --release --package libssmtp; fi
newest=yes
for needed in $static $exports scripts/portable.sh target/zig; do
    [ ! -e $needed ] || [ $library -nt $needed ] || newest=no
done
if [ $newest = no ]; then
    mkdir -p $out
    work=$(mktemp -d $out/new.XXXXXX)
    trap 'rm -rf "$work"' EXIT
    if has_zig; then
        link $static "$work/libssmtp.so" "${published[@]}"
    else
        echo "no zig for $machine: the library is for the glibc of this machine" >&2
        strip --strip-unneeded -o "$work/libssmtp.so" target/release/libssmtp.so
    fi
    mv "$work/libssmtp.so" $library
    ln -sf libssmtp.so $library.0
fi
echo "$PWD/$library"
