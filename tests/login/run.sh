#!/usr/bin/env bash
# Logs in at real servers on loopback, through the C ABI: with every mechanism that they and the library have in common, with
# the right password, a wrong one, and an exchange of which one bit is changed on the way. The servers are private instances
# in a folder of their own; Postfix's master runs as root, so without root this calls sudo.
#
#   tests/login/run.sh                     dovecot postfix exim
#   tests/login/run.sh postfix             one of them
#
# Built before: target/debug/libssmtp.so and target/debug/xtask. The programs that look for what is left in memory, and those
# of the four languages, are built here.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
PATH=$PATH:/usr/sbin:/sbin

if [ "$(id -u)" -ne 0 ]; then
    exec sudo -- bash "$here/run.sh" "$@"
fi

peers=("$@")
[ ${#peers[@]} -gt 0 ] || peers=(dovecot postfix exim)
for peer in "${peers[@]}"; do
    case $peer in
        dovecot | postfix | exim) . "$here/$peer.sh" ;;
        *) echo "no server is called $peer" >&2; exit 2 ;;
    esac
done

. "$here/languages.sh"

# The servers' unprivileged processes must be able to walk down to it.
base=$(mktemp -d /tmp/ssmtp-login.XXXXXX)
chmod 755 "$base"
declare -A log_of=()

# For the background only: it takes the place of the shell, so that $! is the server itself.
as_nobody() { exec setpriv --reuid nobody --regid nogroup --clear-groups -- "$@"; }

end_process() { # PID: asks, waits, and insists
    [ -n "$1" ] || return 0
    kill "$1" 2>/dev/null || return 0
    for _ in $(seq 100); do
        kill -0 "$1" 2>/dev/null || return 0
        sleep 0.1
    done
    kill -9 "$1" 2>/dev/null || true
}

finish() {
    status=$?
    trap - EXIT INT TERM
    for peer in "${peers[@]}"; do "stop_$peer" || true; done
    rm -rf "$base"
    exit "$status"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

free_port() {
    python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

answers() { # PORT
    python3 - "$1" <<'PY'
import socket, sys
try:
    with socket.create_connection(("127.0.0.1", int(sys.argv[1])), timeout=2) as s:
        ok = s.recv(512).startswith(b"220")
        s.sendall(b"QUIT\r\n")
        s.recv(512)
    sys.exit(0 if ok else 1)
except OSError:
    sys.exit(1)
PY
}

export SSMTP_LIBRARY=${SSMTP_LIBRARY:-$root/target/debug/libssmtp.so} PYTHONDONTWRITEBYTECODE=1

command -v gcc >/dev/null || { echo "gcc is not installed: scripts/setup.sh test installs it" >&2; exit 1; }
library=$(cd "$(dirname "$SSMTP_LIBRARY")" && pwd)
ln -sf libssmtp.so "$library/libssmtp.so.0" # the name that programs look for
gcc -std=c99 -D_POSIX_C_SOURCE=200809L -Wall -Wextra -Werror "-I$root/include" "$here/wiped.c" \
    "-L$library" -lssmtp "-Wl,-rpath,$library" -o "$base/wiped"

declare -A mechanisms_of=(
    [dovecot]='PLAIN LOGIN CRAM-MD5 DIGEST-MD5 SCRAM-SHA-1 SCRAM-SHA-256 GSSAPI'
    [postfix]='PLAIN LOGIN CRAM-MD5 DIGEST-MD5 NTLM SCRAM-SHA-1 SCRAM-SHA-256 SCRAM-SHA-512'
    [exim]='PLAIN LOGIN CRAM-MD5 NTLM'
)
try() { # PEER PORT
    local right=0
    timeout 300 python3 "$here/logins.py" "$1" "$2" || right=1
    for outcome in RIGHT WRONG; do
        # shellcheck disable=SC2086 # a list
        timeout 120 "$base/wiped" "$2" alice $outcome ${mechanisms_of[$1]} || right=1
    done
    # One server is enough for what the languages do with a login.
    if [ "$1" = dovecot ]; then
        timeout 120 python3 "$here/kerberos.py" "$2" || right=1
        try_languages "$base" "$2" || right=1
    fi
    return $right
}

failed=()
for peer in "${peers[@]}"; do
    port=$(free_port)
    up=no
    if "start_$peer" "$base" "$port"; then
        for _ in $(seq 100); do
            if answers "$port"; then up=yes; break; fi
            sleep 0.1
        done
    fi
    if [ $up = yes ] && try "$peer" "$port"; then continue; fi
    failed+=("$peer")
    [ $up = yes ] || echo "FAILED  $peer does not run" >&2
    for file in "$base/$peer/out" "${log_of[$peer]:-}"; do
        if [ -s "$file" ]; then
            echo "--- the end of ${file##*/} of $peer" >&2
            tail -n 30 "$file" >&2
        fi
    done
done
if [ ${#failed[@]} -gt 0 ]; then
    echo "logins at real servers: failed at ${failed[*]}" >&2
    exit 1
fi
echo "logins at real servers: ${peers[*]}"
