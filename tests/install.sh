#!/usr/bin/env bash
# Installs the release build into a folder of its own and uses it from there as a packager's user would: through the links of
# the soname, through the static library, with what ssmtp.pc says.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
make --silent install "PREFIX=/usr" "DESTDIR=$work/tree" >"$work/log" 2>&1 || { cat "$work/log" >&2; exit 1; }
root=$work/tree/usr

for file in bin/ssmtp lib/libssmtp.so lib/libssmtp.so.0 lib/libssmtp.a include/ssmtp.h include/ssmtp.hpp lib/pkgconfig/ssmtp.pc \
    lib/cmake/ssmtp/ssmtp-config.cmake lib/cmake/ssmtp/ssmtp-config-version.cmake share/man/man1/ssmtp.1 \
    share/man/man3/ssmtp.3; do
    [ -e "$root/$file" ] || { echo "make install did not install $file" >&2; exit 1; }
done
grep -q '^Version: [0-9]' "$root/lib/pkgconfig/ssmtp.pc"
if grep -n '@' "$root/lib/pkgconfig/ssmtp.pc" || grep -n "$work" "$root/lib/pkgconfig/ssmtp.pc"; then
    echo "ssmtp.pc has something left in it" >&2
    exit 1
fi
field() { sed -n "s/^$1: //p" "$root/lib/pkgconfig/ssmtp.pc" | sed -e "s|\${libdir}|$root/lib|" -e "s|\${includedir}|$root/include|"; }

cat >"$work/use.c" <<'C'
#include <stdio.h>
#include <string.h>
#include "ssmtp.h"

int main(int argc, char **argv) {
    ssmtp_t *smtp = ssmtp_new();
    int32_t port = 0;
    int ok = argc == 2 && smtp != NULL && ssmtp_get_mail_port(smtp, &port) == 0 && port == 25;
    ok = ok && strcmp(ssmtp_version(), argv[1]) == 0 && ssmtp_delete(smtp) == 0;
    puts(ok ? ssmtp_version() : "failed");
    return !ok;
}
C
version=$(field Version)
# shellcheck disable=SC2046
gcc -std=c99 $(field Cflags) "$work/use.c" $(field Libs) -o "$work/dynamic"
LD_LIBRARY_PATH=$root/lib "$work/dynamic" "$version" >/dev/null
echo "ok      a program runs with the installed libssmtp.so"
# shellcheck disable=SC2046
gcc -std=c99 $(field Cflags) "$work/use.c" "$root/lib/libssmtp.a" $(field Libs.private) -o "$work/static"
"$work/static" "$version" >/dev/null
if readelf -d "$work/static" | grep -q libssmtp; then echo "the static program needs the shared library" >&2; exit 1; fi
echo "ok      a program runs with the installed libssmtp.a in it"

# pkg-config itself, told where the tree lies.
pc() { PKG_CONFIG_LIBDIR=$root/lib/pkgconfig pkg-config "--define-variable=libdir=$root/lib" "--define-variable=includedir=$root/include" "$@"; }
cat >"$work/use.cpp" <<'CPP'
#include <iostream>
#include "ssmtp.hpp"

int main(int, char **argv) {
    ssmtp::Ssmtp smtp;
    if (smtp.mail_port() != 25 || std::string(ssmtp_version()) != argv[1]) return 1;
    std::cout << ssmtp_version() << '\n';
}
CPP
# shellcheck disable=SC2046
gcc -std=c99 "$work/use.c" $(pc --cflags --libs ssmtp) -o "$work/pc_c"
# shellcheck disable=SC2046
g++ -std=c++17 "$work/use.cpp" $(pc --cflags --libs ssmtp) -o "$work/pc_cpp"
LD_LIBRARY_PATH=$root/lib "$work/pc_c" "$version" >/dev/null
LD_LIBRARY_PATH=$root/lib "$work/pc_cpp" "$version" >/dev/null
mkdir "$work/archive"
cp "$root/lib/libssmtp.a" "$work/archive/"
# shellcheck disable=SC2046
gcc -std=c99 "$work/use.c" $(pc --define-variable=libdir="$work/archive" --static --cflags --libs ssmtp) -o "$work/pc_static"
"$work/pc_static" "$version" >/dev/null
echo "ok      C and C++ programs are built through pkg-config, one with --static"

mkdir "$work/cmake"
cat >"$work/cmake/CMakeLists.txt" <<'CMAKE'
cmake_minimum_required(VERSION 3.13)
project(use C CXX)
find_package(ssmtp ${WANTED} REQUIRED)
add_executable(c_shared ../use.c)
target_link_libraries(c_shared ssmtp::ssmtp)
add_executable(cpp_shared ../use.cpp)
target_compile_features(cpp_shared PRIVATE cxx_std_17)
target_link_libraries(cpp_shared ssmtp::ssmtp)
add_executable(c_static ../use.c)
target_link_libraries(c_static ssmtp::static)
CMAKE
cmake -S "$work/cmake" -B "$work/cmake/build" "-DCMAKE_PREFIX_PATH=$root" "-DWANTED=$version" >"$work/log" 2>&1 &&
    cmake --build "$work/cmake/build" >>"$work/log" 2>&1 || { cat "$work/log" >&2; exit 1; }
for program in c_shared cpp_shared c_static; do "$work/cmake/build/$program" "$version" >/dev/null; done
if cmake -S "$work/cmake" -B "$work/cmake/other" "-DCMAKE_PREFIX_PATH=$root" -DWANTED=99.0 >"$work/log" 2>&1; then
    echo "find_package takes a version that is not there" >&2
    exit 1
fi
echo "ok      C and C++ programs are built through CMake, shared and static"

for page in man1/ssmtp.1 man3/ssmtp.3; do
    warnings=$(groff -man -Tutf8 -ww "$root/share/man/$page" 2>&1 >"$work/page" || true)
    if [ -n "$warnings" ]; then printf '%s\n' "$warnings" | head >&2; exit 1; fi
    grep -q 'SSMTP' "$work/page"
done
for option in $(LD_LIBRARY_PATH=$root/lib "$root/bin/ssmtp" help | grep -o '^  --[a-z-]*'); do
    grep -qF -- "${option//-/\\-}" "$root/share/man/man1/ssmtp.1" || { echo "ssmtp(1) lacks $option" >&2; exit 1; }
done
echo "ok      the manual pages read without a warning, and name every option"

# What a user carries is stripped, and within bounds (docs/performance.md). Nothing beside libc (and libgcc_s) is needed.
installed=$(readlink -f "$root/lib/libssmtp.so")
size=$(stat -c %s "$installed")
echo "        the library has $size bytes"
if readelf -SW "$installed" | grep -q '\.symtab'; then echo "the installed library has symbols that nobody needs" >&2; exit 1; fi
[ "$size" -le 4000000 ] || { echo "the library is larger than 4 MB" >&2; exit 1; }
others=$(readelf -d "$installed" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' | grep -Ev '^(libc\.so\.6|libgcc_s\.so\.1|ld-linux.*|libm\.so\.6)$' || true)
[ -z "$others" ] || { echo "the library needs $others" >&2; exit 1; }
echo "ok      it needs only libc and libgcc_s"

[ "$(LD_LIBRARY_PATH=$root/lib "$root/bin/ssmtp" version)" = "ssmtp $version" ]
echo "ok      the installed tool runs"

make --silent uninstall "PREFIX=/usr" "DESTDIR=$work/tree"
left=$(find "$work/tree" -type f -o -type l)
[ -z "$left" ] || { printf 'make uninstall leaves\n%s\n' "$left" >&2; exit 1; }
echo "ok      make uninstall leaves nothing"
