#!/usr/bin/env bash
# The documentation. Every block of code in docs/ (blocks.py): C and C++ are compiled, and run where they have a main; Python, C# and
# shell are run, one after the other in a folder where the files exist that the pages speak of, with the embedded server in the place of
# mail.example. And the pages that `cargo xtask site` made in target/site: links, headings, HTML (site.py).
# Needs target/debug/libssmtp.so, target/debug/xtask and the C# assembly (bindings/dotnet/test.sh).
set -uo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/../.."
root=$PWD
work=$(mktemp -d)
servers=()
finish() {
    kill "${servers[@]}" 2>/dev/null || true
    wait "${servers[@]}" 2>/dev/null || true
    rm -rf "$work"
}
trap finish EXIT
mkdir "$work/bin" "$work/here" "$work/mail-open" "$work/mail-login"
libs=(-I"$root/include" -L"$root/target/debug" -lssmtp "-Wl,-rpath,$root/target/debug")
gcc -std=c99 -D_POSIX_C_SOURCE=200809L examples/cli/*.c "${libs[@]}" -o "$work/bin/ssmtp" || exit 1

serve() { # NAME, further arguments; sets port
    : >"$work/log-$1"
    target/debug/xtask serve --eml "$work/mail-$1" --extensions "PIPELINING,8BITMIME,SIZE 10000000" --tls starttls \
        --cert "$work/here/ca.pem" --key "$work/here/server.key" "${@:2}" >"$work/log-$1" 2>"$work/err-$1" &
    servers+=($!)
    for _ in $(seq 100); do grep -q listening "$work/log-$1" && break; sleep 0.05; done
    port=$(sed -n '1s/^listening .*://p' "$work/log-$1")
    [ -n "$port" ] || { cat "$work/err-$1" >&2; echo "the embedded server did not start" >&2; exit 1; }
}
serve open
open_port=$port
serve login --auth me:secret

export SSMTP_LIBRARY=${SSMTP_LIBRARY:-$root/target/debug/libssmtp.so}
export LD_LIBRARY_PATH=$root/target/debug${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
export PYTHONPATH=$root/bindings/python/src PYTHONDONTWRITEBYTECODE=1 PATH=$work/bin:$PATH
# The system's roots, for this test: the embedded server's certificate.
export SSL_CERT_FILE=$work/here/ca.pem
quiet() { "$@" >/dev/null 2>&1; }
quiet openssl req -x509 -newkey rsa:2048 -nodes -keyout "$work/here/me.key" -out "$work/here/me.crt" -days 30 -subj /CN=me -addext subjectAltName=email:me@a.example
quiet openssl pkcs12 -export -inkey "$work/here/me.key" -in "$work/here/me.crt" -passout pass:secret -out "$work/here/me.pfx"

quiet openssl req -x509 -newkey rsa:2048 -nodes -keyout "$work/you.key" -out "$work/here/you.pem" -days 30 -subj /CN=you -addext subjectAltName=email:you@b.example

failures=0
# Each block as PAGE-NUMBER.LANGUAGE.
python3 tests/docs/blocks.py "$work" "$open_port" "$port" || failures=1
python3 tests/docs/site.py target/site "$root" || failures=$((failures + 1))

cd "$work/here" || exit 1
# What the pages call message.eml: the message that arrived last.
newest() { find "$work/mail-open" -name '*.eml' -printf '%T@ %p\n' | sort -n | tail -1 | cut -d' ' -f2-; }
run() { # FILE
    local file=$1 name
    name=$(basename "$file")
    case $name in
        *.c)
            gcc -std=c99 -pedantic -Wall -Wextra -Werror -c "$file" -I"$root/include" -o "$work/block.o" || return 1
            if grep -q 'int main' "$file"; then gcc "$work/block.o" "${libs[@]}" -o "$work/block" && "$work/block"; fi ;;
        *.cpp)
            g++ -std=c++17 -Wall -Wextra -Werror "$file" "${libs[@]}" -pthread -o "$work/block" && "$work/block" ;;
        *.python)
            if grep -q 'ssmtp\.django' "$file"; then "$root/target/python-venv/bin/python" "$file"; else python3 "$file"; fi ;;
        *.csharp)
            cp "$root"/target/dotnet/Ssmtp.dll* "$work/" &&
                mcs -nologo "-r:$work/Ssmtp.dll" "-out:$work/block.exe" "$file" && mono "$work/block.exe" ;;
        *.queued)
            mkdir waiting && cp "$file" waiting/ && "$work/bin/ssmtp" process waiting --server "localhost:$open_port" --tls starttls &&
                [ -z "$(ls waiting)" ] ;;
        *.sh) bash -euo pipefail "$file" ;;
        *) echo "nobody knows how to run ${name##*.}"; return 1 ;;
    esac
}
for file in "$work"/*-[0-9][0-9].*; do
    if [ -n "$(newest)" ]; then cp "$(newest)" message.eml; fi
    if run "$file" >"$work/said" 2>&1; then echo "ok      $(basename "$file")"; else
        echo "FAILED  $(basename "$file")" >&2
        sed 's/^/        /' "$work/said" >&2
        failures=$((failures + 1))
    fi
done
count=$(find "$work/mail-open" -name '*.eml' | wc -l)
[ "$count" -ge 18 ] || { echo "only $count messages arrived" >&2; failures=$((failures + 1)); }
[ "$failures" -eq 0 ]
