#!/usr/bin/env bash
# A 1 GiB attachment from a file, from a FIFO of unknown size, and as AttachedFile: the sending C program stays under 16 MiB. So it
# does when the message is signed, encrypted, or both while it is sent; those are smaller, since the debug build encrypts slowly:
# SSMTP_SMIME_SIZE=1G with SSMTP_LIB_DIR=target/release tries the whole gigabyte.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

limit=$((16 * 1024))
library=${SSMTP_LIB_DIR:-$PWD/target/debug}
work=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server" 2>/dev/null || true; rm -rf "$work"' EXIT

mkdir -p target/c
gcc -std=c99 -D_POSIX_C_SOURCE=200809L -Wall -Wextra -pedantic -Werror -O1 -Iinclude tests/memory/memory.c \
    -o target/c/memory -L"$library" -lssmtp -Wl,-rpath,"$library"

"${XTASK:-target/debug/xtask}" serve --discard --max-message 4000000000 > "$work/server" &
server=$!
for _ in $(seq 100); do grep -q listening "$work/server" && break; sleep 0.05; done
port=$(sed -n 's/^listening .*:\([0-9]*\)$/\1/p' "$work/server")

# Blocks that are never written take no room on the disk and read as zeros.
truncate -s 1G "$work/data"
mkfifo "$work/fifo"

passed=0
failed=0
check() {
    local what=$1 peak
    shift
    if peak=$("$@") && [ "$peak" -gt 0 ] && [ "$peak" -lt "$limit" ]; then
        echo "ok: $what, peak $peak KiB"
        passed=$((passed + 1))
    else
        echo "FAILED: $what, peak ${peak:-unknown} KiB, the limit is $limit"
        failed=$((failed + 1))
    fi
}
fifo() {
    cat "$work/data" > "$work/fifo" &
    target/c/memory 127.0.0.1 "$port" stream - < "$work/fifo"
}

check 'attachment of 1 GiB from a file' target/c/memory 127.0.0.1 "$port" attach "$work/data"
check 'attachment of 1 GiB from a FIFO' fifo
check 'AttachedFile of 1 GiB' target/c/memory 127.0.0.1 "$port" follow "$work/data"

# --- signed and encrypted -------------------------------------------------------------------------------------------------
sh tests/smime/pki.sh "$work/pki" few
truncate -s "${SSMTP_SMIME_SIZE:-64M}" "$work/data"
me=$work/pki/rsa.all
fifo_of() {
    cat "$work/data" > "$work/fifo" &
    target/c/memory 127.0.0.1 "$port" stream - "$@" < "$work/fifo"
}
check 'signed, from a file' target/c/memory 127.0.0.1 "$port" attach "$work/data" sign "$me" AESCBC256
check 'signed with the content inside, from a FIFO' fifo_of opaque "$me" AESCBC256
check 'encrypted, from a file' target/c/memory 127.0.0.1 "$port" attach "$work/data" encrypt "$me" AESCBC256
check 'signed and encrypted, from a file' target/c/memory 127.0.0.1 "$port" attach "$work/data" both "$me" AESGCM256
check 'signed and encrypted, from a FIFO' fifo_of both "$me" AESCBC256
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
