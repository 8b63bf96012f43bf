#!/usr/bin/env bash
# The Celery example with a Redis of its own: thirty messages by several workers, each arrives once; one that the server refuses for the
# time being is tried again; what lies in the broker shows no address. Needs python3-celery, python3-redis and redis-server of Debian.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

python=/usr/bin/python3
"$python" -c 'import celery, redis' || { echo "python3-celery and python3-redis are not installed" >&2; exit 1; }
export SSMTP_LIBRARY=${SSMTP_LIBRARY:-$PWD/target/debug/libssmtp.so}
xtask=${XTASK:-$PWD/target/debug/xtask}
work=$(mktemp -d)
started=()
finish() {
    for pid in "${started[@]}"; do kill "$pid" 2>/dev/null || true; done
    wait || true
    rm -rf "$work"
}
trap finish EXIT

free_port() { "$python" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
wait_for() { # SECONDS COMMAND…
    local end=$((SECONDS + $1))
    shift
    until "$@" >/dev/null 2>&1; do
        [ $SECONDS -lt $end ] || return 1
        sleep 0.1
    done
}

"$xtask" serve --eml "$work/mail" --extensions PIPELINING --fault 'RCPT@2:later@=451 4.2.1 busy' >"$work/server" &
started+=($!)
wait_for 10 grep -q listening "$work/server"
export SMTP_SERVER=127.0.0.1 SMTP_PORT MAIL_RETRY=0.5 MAIL_KEY
MAIL_KEY=$("$python" -c 'import secrets; print(secrets.token_hex(32))')
SMTP_PORT=$(sed -n 's/^listening .*:\([0-9]*\)$/\1/p' "$work/server")

redis=$(free_port)
redis-server --bind 127.0.0.1 --port "$redis" --save '' --appendonly no --dir "$work" >"$work/redis" 2>&1 &
started+=($!)
wait_for 10 redis-cli -p "$redis" ping
export CELERY_BROKER=redis://127.0.0.1:$redis/0

passed=0
failed=0
holds() { # WHAT COMMAND…
    local what=$1
    shift
    if "$@"; then passed=$((passed + 1)); else failed=$((failed + 1)); echo "FAILED $what"; fi
}
arrived() { find "$work/mail" -name '*.eml' | wc -l; }
at_least() { [ "$(arrived)" -ge "$1" ]; }

cd examples/python/celery
export PYTHONDONTWRITEBYTECODE=1
"$python" send.py --to crowd@server.example --subject number --text confidential --count 30 >/dev/null
redis-cli -p "$redis" --raw lrange celery 0 -1 >"$work/waiting"
holds "the broker has them" test "$(redis-cli -p "$redis" llen celery)" = 30
holds "and shows nothing" bash -c "! grep -qE 'confidential|server.example' '$work/waiting'"
for n in 1 2; do
    "$python" -m celery --app tasks worker --pool prefork --concurrency 2 --hostname "w$n@test" --without-gossip --without-mingle \
        --loglevel INFO >"$work/worker$n" 2>&1 &
    started+=($!)
done
holds "they arrive" wait_for 60 at_least 30
"$python" send.py --to later@server.example --subject tried-again >/dev/null
holds "one is tried again" wait_for 30 at_least 31
sleep 1
holds "none comes twice" test "$(arrived)" = 31
subjects=$(grep -h '^Subject: number' "$work"/mail/*.eml | sort -u | wc -l)
holds "each of them" test "$subjects" = 30
holds "after two refusals" test "$(cat "$work"/worker[12] | grep -c 'retry: Retry in')" = 2
[ "$failed" -eq 0 ] || tail -n 20 "$work"/worker[12]
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
