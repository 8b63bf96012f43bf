#!/usr/bin/env bash
# Sends mail through real proxies on loopback, through the C ABI: Squid, tinyproxy, Dante and microsocks, in plaintext, with
# STARTTLS and with implicit TLS through each. The proxies are private instances, run as nobody, so without root this calls sudo.
#
# Built before: target/debug/libssmtp.so and target/debug/xtask. The programs of the four languages are built here, and the one
# that looks for what is left in memory.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
PATH=$PATH:/usr/sbin:/sbin

if [ "$(id -u)" -ne 0 ]; then
    exec sudo -- bash "$here/run.sh" "$@"
fi
for program in squid tinyproxy danted microsocks openssl gcc; do
    command -v $program >/dev/null || { echo "$program is not installed: scripts/setup.sh test installs it" >&2; exit 1; }
done

base=$(mktemp -d /tmp/ssmtp-proxies.XXXXXX)
chmod 755 "$base"
pids=()

# For the background only: it takes the place of the shell, so that $! is the program itself.
as_nobody() { exec setpriv --reuid nobody --regid nogroup --clear-groups -- "$@"; }

finish() {
    status=$?
    trap - EXIT INT TERM
    for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
    for pid in "${pids[@]}"; do
        for _ in $(seq 50); do
            kill -0 "$pid" 2>/dev/null || break
            sleep 0.1
        done
        kill -9 "$pid" 2>/dev/null || true
    done
    rm -rf "$base"
    exit "$status"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

free_port() {
    python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

certificate() { # NAME ALTERNATIVES
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj "/CN=$1" -addext "subjectAltName=$2" \
        -addext 'basicConstraints=critical,CA:FALSE' -keyout "$base/$1.key" -out "$base/$1.pem" 2>/dev/null
}

serve() { # VARIABLE OPTIONS: an embedded server; its port goes into the variable
    local variable=$1 line
    shift
    mkfifo "$base/$variable"
    "$root/target/debug/xtask" serve --eml "$base/mail-$variable" "$@" >"$base/$variable" &
    pids+=($!)
    read -r _ line <"$base/$variable"
    export "$variable=${line##*:}" "${variable}_MAIL=$base/mail-$variable"
}

. "$here/proxies.sh"
. "$here/languages.sh"
export SSMTP_LIBRARY=${SSMTP_LIBRARY:-$root/target/debug/libssmtp.so} PYTHONDONTWRITEBYTECODE=1
library=$(cd "$(dirname "$SSMTP_LIBRARY")" && pwd)
ln -sf libssmtp.so "$library/libssmtp.so.0" # the name that programs look for

hosts "$base"
certificate server "DNS:localhost,IP:127.0.0.1,IP:::1,DNS:$ONLY_THERE"
certificate proxy 'DNS:localhost,IP:127.0.0.1'
mkdir "$base/mail-PLAIN" "$base/mail-STARTTLS" "$base/mail-IMPLICIT" "$base/mail-SIX"
serve PLAIN
serve STARTTLS --tls starttls --cert "$base/server.pem" --key "$base/server.key"
serve IMPLICIT --tls implicit --cert "$base/server.pem" --key "$base/server.key"
serve SIX --bind ::1
for proxy in squid tinyproxy dante microsocks; do "start_$proxy" "$base"; done
export PROXY_USER=$user PROXY_PASSWORD=$password ONLY_THERE CERTIFICATES=$base

python3 - "$SQUID" "$SQUID_TLS" "$TINYPROXY" "$DANTE" "$MICROSOCKS" "$MICROSOCKS_OTHER" <<'PY' || echo "not every proxy runs" >&2
import socket, sys, time
end = time.monotonic() + 20
for port in sys.argv[1:]:
    while True:
        try:
            socket.create_connection(("127.0.0.1", int(port)), 1).close()
            break
        except OSError:
            if time.monotonic() > end:
                sys.exit(1)
            time.sleep(0.05)
PY

gcc -std=c99 -D_POSIX_C_SOURCE=200809L -Wall -Wextra -Werror "-I$root/include" "$root/tests/login/wiped.c" \
    "-L$library" -lssmtp "-Wl,-rpath,$library" -o "$base/wiped"

bad=0
timeout 120 python3 "$here/proxies.py" || bad=1
try_languages "$base" || bad=1
for outcome in RIGHT WRONG; do
    timeout 60 "$base/wiped" "$PLAIN" "$other_user" $outcome "proxy=1:$SQUID:Basic" "proxy=1:$SQUID:Digest" "proxy=1:$SQUID:NTLM" \
        "proxy=3:$MICROSOCKS_OTHER:" || bad=1
done
if [ $bad -ne 0 ]; then
    for file in "$base"/{squid,tinyproxy,dante,microsocks}/{out,log}; do
        if [ -s "$file" ]; then
            echo "--- the end of $file" >&2
            tail -n 20 "$file" >&2
        fi
    done
    echo "proxies: FAILED" >&2
    exit 1
fi
echo "proxies: squid tinyproxy dante microsocks"
