#!/usr/bin/env bash
# Runs the four first mails of README.md as they stand there, each against the embedded server, and looks at what arrived.
# Needs target/debug/libssmtp.so, target/debug/xtask and the C# assembly (bindings/dotnet/test.sh).
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
root=$PWD
work=$(mktemp -d)
server=
finish() {
    if [ -n "$server" ]; then kill "$server" 2>/dev/null || true; wait "$server" 2>/dev/null || true; fi
    rm -rf "$work"
}
trap finish EXIT

export SSMTP_LIBRARY=${SSMTP_LIBRARY:-$root/target/debug/libssmtp.so}
export LD_LIBRARY_PATH=$root/target/debug${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
export PYTHONPATH=$root/bindings/python/src PYTHONDONTWRITEBYTECODE=1

: >"$work/log"
target/debug/xtask serve --eml "$work/mail" >"$work/log" &
server=$!
port=
for _ in $(seq 100); do
    port=$(sed -n '1s/^listening .*://p' "$work/log")
    [ -z "$port" ] || break
    sleep 0.05
done
[ -n "$port" ] || { echo "the embedded server did not start" >&2; exit 1; }

block() { # the first fenced block in this language, with the server's port
    sed -n "/^\`\`\`$1\$/,/^\`\`\`\$/p" README.md | sed -e '1d' -e '/^```$/,$d' -e "s/\b2525\b/$port/"
}
libs="-Iinclude -Ltarget/debug -lssmtp -Wl,-rpath,$root/target/debug"

n=0
arrived() {
    n=$((n + 1))
    local eml=$work/mail/$n.eml
    for wanted in 'From: me@a.example' 'To: you@b.example' 'Subject: Hello' 'Hi there'; do
        grep -q "^$wanted"$'\r$' "$eml" || { echo "$1: the message lacks the line: $wanted" >&2; exit 1; }
    done
    echo "ok      the first mail in $1 arrived"
}

block c >"$work/mail.c"
# shellcheck disable=SC2086
gcc -std=c99 -pedantic -Wall -Wextra -Werror "$work/mail.c" $libs -o "$work/mail-c"
"$work/mail-c"
arrived C

block cpp >"$work/mail.cpp"
# shellcheck disable=SC2086
g++ -std=c++17 -Wall -Wextra -Werror "$work/mail.cpp" $libs -pthread -o "$work/mail-cpp"
"$work/mail-cpp"
arrived C++

block python >"$work/mail.py"
python3 "$work/mail.py"
arrived Python

block csharp >"$work/mail.cs"
cp target/dotnet/Ssmtp.dll* "$work/"
mcs -nologo "-r:$work/Ssmtp.dll" "-out:$work/mail.exe" "$work/mail.cs"
mono "$work/mail.exe"
arrived C#
