#!/usr/bin/env bash
# Delivers through a private Postfix and a private Exim with each extension that they offer, used and switched off. Both hand
# on to the embedded server, which tells what they took from us: the parameters of MAIL and RCPT, and the content.
# Postfix's master runs as root, so without root this calls sudo.
#
#   tests/extensions/run.sh                postfix exim
#   tests/extensions/run.sh exim           one of them
#
# Built before: target/debug/libssmtp.so and target/debug/xtask.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
PATH=$PATH:/usr/sbin:/sbin

if [ "$(id -u)" -ne 0 ]; then
    exec sudo -- bash "$here/run.sh" "$@"
fi

peers=("$@")
[ ${#peers[@]} -gt 0 ] || peers=(postfix exim)
for peer in "${peers[@]}"; do
    case $peer in
        postfix | exim) . "$here/$peer.sh" ;;
        *) echo "no server is called $peer" >&2; exit 2 ;;
    esac
done

# The servers' unprivileged processes must be able to walk down to it.
base=$(mktemp -d /tmp/ssmtp-extensions.XXXXXX)
chmod 755 "$base"
hop_pid=

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
    end_process "$hop_pid"
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

# Where everything ends: it offers what lets a server pass on all that it was told.
mkdir "$base/arrived"
"$root/target/debug/xtask" serve --extensions '8BITMIME,DSN,SMTPUTF8,SIZE 10240000,PIPELINING' --eml "$base/arrived" >"$base/hop" &
hop_pid=$!
for _ in $(seq 100); do
    grep -q '^listening' "$base/hop" && break
    sleep 0.1
done
hop=$(sed -n 's/^listening .*:\([0-9]*\)$/\1/p' "$base/hop")
[ -n "$hop" ] || { echo "the embedded server does not run" >&2; exit 1; }

export SSMTP_LIBRARY=${SSMTP_LIBRARY:-$root/target/debug/libssmtp.so} PYTHONDONTWRITEBYTECODE=1
export PYTHONPATH=$root/bindings/python/src

failed=()
for peer in "${peers[@]}"; do
    port=$(free_port)
    mkdir "$base/$peer"
    up=no
    if "start_$peer" "$base/$peer" "$port" "$hop"; then
        for _ in $(seq 100); do
            if answers "$port"; then up=yes; break; fi
            sleep 0.1
        done
    fi
    if [ $up = yes ] && timeout 60 python3 "$here/deliver.py" "$peer" "$port" "$base/arrived"; then continue; fi
    failed+=("$peer")
    [ $up = yes ] || echo "FAILED  $peer does not run" >&2
    for file in "$base/$peer/out" "$base/$peer"/maillog "$base/$peer"/log/*; do
        if [ -s "$file" ]; then
            echo "--- the end of ${file##*/} of $peer" >&2
            tail -n 30 "$file" >&2
        fi
    done
done
if [ ${#failed[@]} -gt 0 ]; then
    echo "extensions at real servers: failed at ${failed[*]}" >&2
    exit 1
fi
echo "extensions at real servers: ${peers[*]}"
