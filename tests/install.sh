#!/usr/bin/env bash
# Installs the release build into a folder of its own and uses it from there as a packager's user would: through the links of
# the soname, through the static library, with what ssmtp.pc says.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
make --silent install "PREFIX=/usr" "DESTDIR=$work/tree" >"$work/log" 2>&1 || { cat "$work/log" >&2; exit 1; }
root=$work/tree/usr

for file in lib/libssmtp.so lib/libssmtp.so.0 lib/libssmtp.a include/ssmtp.h include/ssmtp.hpp lib/pkgconfig/ssmtp.pc; do
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
