#!/usr/bin/env bash
# The command-line tool (examples/cli) against the embedded server: each command, each kind of exit code, and what arrived.
set -uo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/../.."
work=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server" 2>/dev/null; rm -rf "$work"' EXIT
failures=0
ssmtp=$work/ssmtp
gcc -std=c99 -D_POSIX_C_SOURCE=200809L -Wall -Wextra -pedantic -Werror -Iinclude examples/cli/*.c \
    -Ltarget/debug -lssmtp "-Wl,-rpath,$PWD/target/debug" -o "$ssmtp" || exit 1

check() { # TEXT, then a command that succeeds when it is so
    local text=$1
    shift
    if "$@" >"$work/why" 2>&1; then echo "ok      $text"; else
        echo "FAILED  $text" >&2
        sed 's/^/        /' "$work/why" "$work/said" >&2
        failures=$((failures + 1))
    fi
}
# exits WITH what was run, its output kept in $work/said and $work/out
exits() {
    local wanted=$1 code=0
    shift
    "$ssmtp" "$@" >"$work/out" 2>"$work/said" || code=$?
    [ "$code" -eq "$wanted" ] || { echo "exit code $code, not $wanted: $*"; return 1; }
}
quiet() { "$@" >/dev/null 2>&1; }

serve() { # arguments of xtask serve; sets port
    [ -z "$server" ] || { kill "$server" 2>/dev/null; wait "$server" 2>/dev/null; }
    rm -rf "$work/eml" "$work/listening"
    mkdir "$work/eml"
    target/debug/xtask serve --eml "$work/eml" "$@" >"$work/listening" 2>"$work/server.err" &
    server=$!
    for _ in $(seq 100); do grep -qs listening "$work/listening" && break; sleep 0.05; done
    port=$(sed -n 's/.*:\([0-9]*\)$/\1/p' "$work/listening")
}
# The newest message, or with "envelope" where it went.
newest() { find "$work/eml" -name "*.${1:-eml}" | sort -t/ -V | tail -n 1; }
not() { ! "$@"; }

person() { # NAME ADDRESS
    quiet openssl req -x509 -newkey rsa:2048 -nodes -keyout "$work/$1.key" -out "$work/$1.crt" -days 30 -subj "/CN=$1" -addext "subjectAltName=email:$2"
}
person me me@a.example
person you you@b.example
echo secret >"$work/password"
quiet openssl pkcs12 -export -inkey "$work/me.key" -in "$work/me.crt" -passout pass:secret -out "$work/me.pfx"

serve --extensions "PIPELINING,8BITMIME,SIZE 10000000" --tls starttls --cert "$work/server.crt" --key "$work/server.key"
tls=(--server "localhost:$port" --tls starttls --ca "$work/server.crt")
mail=(--from me@a.example --to you@b.example --subject Hi)

check "help and version need no server" exits 0 help
check "the help names every option" grep -q -- --encrypt-to "$work/out"
"$ssmtp" help | grep -Eo '^  --[a-z-]+' | tr -d ' ' | LC_ALL=C sort >"$work/options"
check "the manual page names the same options" diff "$work/options" <(sed -n 's/^\\fB\(\\-\\-[a-z\\-]*\)\\fP.*/\1/p' docs/man/ssmtp.1 | tr -d '\\' | grep -v '^--help$' | LC_ALL=C sort)
check "and the same commands" diff <("$ssmtp" help | grep -Eo 'ssmtp [a-z]+ ?' | sort -u) \
    <(sed -n '/^.SH SYNOPSIS/,/^.fi/s/^\\fB\(ssmtp [a-z]*\)\\fP.*/\1 /p' docs/man/ssmtp.1 | sort -u)
check "help is understood behind a command" exits 0 send --subject=x --help
check "and on standard output" grep -q '^usage:' "$work/out"
check "the version by any of its names" exits 0 --version
check "an option that is not there is exit code 64" exits 64 send --nonsense
check "a value that a property refuses is exit code 64" exits 64 send --from $'a\nb'
check "a server that is not trusted is exit code 76" exits 76 send --server "localhost:$port" --tls starttls "${mail[@]}" --text x
check "and nothing was sent to it" test -z "$(ls "$work/eml")"
check "a message over STARTTLS" exits 0 send "${tls[@]}" "${mail[@]}" --text "Hello there" --header 'X-Order: 12' -vv
check "with the transcript on standard error" grep -q '^> STARTTLS' "$work/said"
check "and the TLS version" grep -q 'TLSv1.3' "$work/said"
check "arrives with its headers" grep -q '^X-Order: 12' "$(newest)"
check "check tells what the server is" exits 0 check "${tls[@]}"
check "with its certificate" grep -q '^certificate .*CN=localhost' "$work/out"

check "a signed message with an attachment" exits 0 send "${tls[@]}" "${mail[@]}" --text Hello --attach examples/cli/cli.h --sign "$work/me.pfx" --sign-password-file "$work/password"
check "is verified by openssl" openssl cms -verify -in "$(newest)" -CAfile "$work/me.crt" -out /dev/null
check "an encrypted message" exits 0 send "${tls[@]}" "${mail[@]}" --text "For your eyes" --encrypt-to "$work/you.crt" --cipher AESGCM256
check "is decrypted by openssl" openssl cms -decrypt -in "$(newest)" -inkey "$work/you.key" -recip "$work/you.crt" -out "$work/clear"
check "to what was sent" grep -q "For your eyes" "$work/clear"
check "a wrong store password is exit code 65" exits 65 send "${tls[@]}" "${mail[@]}" --text x --sign "$work/me.pfx"
check "cert shows a certificate in a store" exits 0 cert "$work/me.pfx" --sign-password-file "$work/password"
check "and that its key is there" grep -q '^private key *yes' "$work/out"

check "a message is saved" exits 0 send "${mail[@]}" --text "for the archive" --sign "$work/me.pfx" --sign-password-file "$work/password" --save "$work/saved.eml"
check "is verified by openssl" openssl cms -verify -in "$work/saved.eml" -CAfile "$work/me.crt" -purpose any -out "$work/clear"
check "and what it should be" grep -q "for the archive" "$work/clear"
check "a file that cannot be written is exit code 74" exits 74 send "${mail[@]}" --text x --save "$work/no/such/folder.eml"

mkdir "$work/queue"
check "a message into a queue folder" exits 0 send "${mail[@]}" --text waiting --queue "$work/queue"
check "whose name is told" test -f "$work/queue/$(cat "$work/out")"
check "is sent from it" exits 0 process "$work/queue" "${tls[@]}"
check "and gone" test -z "$(ls "$work/queue")"
check "and arrived" grep -q waiting "$(newest)"

head -c 3000000 /dev/urandom >"$work/large"
check "a long transfer shows a bar" exits 0 send "${tls[@]}" "${mail[@]}" --progress --attach "$work/large"
check "up to its end" grep -q '100%' "$work/said"
check "a server that does not listen is exit code 75" exits 75 send --server 127.0.0.1:1 --tls none "${mail[@]}" --text x

. tests/cli/options.sh

[ "$failures" -eq 0 ]
