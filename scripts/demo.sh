#!/usr/bin/env bash
# Builds the library, starts the embedded SMTP server, and lets a C program send it a message.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
export PATH=$PATH:${HOME:-/root}/.cargo/bin

out=out
mkdir -p "$out"
rm -f "$out"/1.eml "$out"/1.envelope
log=$(mktemp)
server=
finish() {
    if [ -n "$server" ]; then kill "$server" 2>/dev/null || true; wait "$server" 2>/dev/null || true; fi
    rm -f "$log"
}
trap finish EXIT
trap 'exit 130' INT TERM

echo "== Building libssmtp.so and the embedded server (the first time takes a minute)"
cargo build --quiet --package libssmtp --package xtask
# What the program asks for at run time is the soname.
ln -sf libssmtp.so target/debug/libssmtp.so.0
mkdir -p target/c
gcc -std=c99 -Wall -Wextra -Iinclude examples/c/quickstart.c -Ltarget/debug -lssmtp "-Wl,-rpath,$PWD/target/debug" -o target/c/quickstart

echo "== Starting the embedded server"
target/debug/xtask serve --print --eml "$out" --count 1 --extensions "8BITMIME,SIZE 10240000" >"$log" &
server=$!
address=
for _ in $(seq 100); do
    address=$(sed -n '1s/^listening //p' "$log")
    [ -z "$address" ] || break
    kill -0 "$server" 2>/dev/null || break
    sleep 0.05
done
[ -n "$address" ] || { echo "the embedded server did not start" >&2; exit 1; }
echo "listening at $address"

echo
echo "== examples/c/quickstart.c sends through libssmtp.so"
target/c/quickstart "$address"

# The server ends by itself after one message.
for _ in $(seq 100); do
    kill -0 "$server" 2>/dev/null || break
    sleep 0.05
done
echo
echo "== What the server received"
sed 1d "$log"
[ -s "$out/1.eml" ] || { echo "no message arrived" >&2; exit 1; }
echo "== The message arrived. It is saved in $out/1.eml, its envelope in $out/1.envelope."
