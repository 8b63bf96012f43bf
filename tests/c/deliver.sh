#!/usr/bin/env bash
# usage: deliver.sh SCENARIO SEND QUICKSTART
# Runs the three programs, whatever language they are written in, against the embedded server, and looks at what arrived:
# the scenario message byte for byte as tests/postfix/expected.eml has it, the examples by their headers.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/../.."
scenario=$1
send=$2
quickstart=$3
work=$(mktemp -d)
server=
finish() {
    if [ -n "$server" ]; then kill "$server" 2>/dev/null || true; wait "$server" 2>/dev/null || true; fi
    rm -rf "$work"
}
trap finish EXIT

"${XTASK:-target/debug/xtask}" serve --eml "$work" --extensions "8BITMIME,SIZE 10240000,PIPELINING" >"$work/log" &
server=$!
port=
for _ in $(seq 100); do
    port=$(sed -n '1s/^listening .*://p' "$work/log")
    [ -z "$port" ] || break
    sleep 0.05
done
[ -n "$port" ] || { echo "the embedded server did not start" >&2; exit 1; }

passed=0
failed=0
holds() { # WHAT COMMAND…
    local what=$1
    shift
    if "$@"; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "FAILED $what"
    fi
}
received() { # N LINE…: message N has each of these lines
    local n=$1 line
    shift
    for line; do
        grep -qxF "$line"$'\r' "$work/$n.eml" || { echo "message $n lacks: $line"; return 1; }
    done
}
envelope() { # N LINES
    diff <(printf '%s\n' "${@:2}") <(sed 's/ [A-Z0-9]*=.*//' "$work/$1.envelope")
}
says() { grep -q -- "$2" "$1"; }

holds "the scenario message is sent" "$scenario" 127.0.0.1 "$port" >/dev/null
sed 's/$/\r/' tests/postfix/expected.eml >"$work/expected"
holds "it arrives byte for byte" cmp "$work/expected" "$work/1.eml"
holds "its envelope" envelope 1 "MAIL FROM:<sender@client.example>" "RCPT TO:<alice@postfix.test>" \
    "RCPT TO:<bob@postfix.test>" "RCPT TO:<carol@postfix.test>"

"$quickstart" "127.0.0.1:$port" >"$work/quickstart" || true
holds "quickstart shows what it says" says "$work/quickstart" '--> MAIL FROM:<me@client.example>'
holds "quickstart shows what it hears" says "$work/quickstart" '<-- 354'
holds "quickstart sends" says "$work/quickstart" '^sent$'
holds "its message" received 2 "To: you@server.example" "Subject: Hello from libssmtp" "Bye!"

"$send" --server 127.0.0.1 --port "$port" --from me@a.example --to you@b.example --cc c@c.example --bcc d@d.example \
    --subject "By hand" --text "Some text" --verbose >"$work/send" 2>"$work/trail" || true
holds "send sends" says "$work/send" '^sent$'
holds "send --verbose shows the conversation" says "$work/trail" 'RCPT TO:<d@d.example>'
holds "its message" received 3 "From: me@a.example" "To: you@b.example" "Cc: c@c.example" "Subject: By hand" "Some text"
holds "its envelope" envelope 3 "MAIL FROM:<me@a.example>" "RCPT TO:<you@b.example>" "RCPT TO:<c@c.example>" \
    "RCPT TO:<d@d.example>"
wrong() { ! "$@" >"$work/wrong" 2>&1; }
holds "send tells a wrong option" wrong "$send" --nonsense x
holds "send fails without a server" wrong "$send" --server 127.0.0.1 --port 1 --from a@a.example --to b@b.example
holds "and tells why" says "$work/wrong" 'error 10061'

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
