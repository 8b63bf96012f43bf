#!/usr/bin/env bash
# Faults at the system calls of the queue, and what else docs/queue-format.md promises. With `sample` a part of it.
# Needs strace, gcc, python3 and target/debug/libssmtp.so (or SSMTP_LIB_DIR).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

library=$(cd "${SSMTP_LIB_DIR:-target/debug}" && pwd)
out=target/c
mkdir -p "$out"
[ -e "$library/libssmtp.so.0" ] || ln -s libssmtp.so "$library/libssmtp.so.0"
strict=(-std=c99 -Wall -Wextra -pedantic -Werror -O1)
gcc "${strict[@]}" -D_POSIX_C_SOURCE=200809L -Iinclude tests/torture/worker.c -o "$out/queue-worker" -pthread \
    "-L$library" -lssmtp "-Wl,-rpath,$library"
gcc "${strict[@]}" -shared -fPIC tests/torture/short.c -o "$out/short.so"

export WORKER=$PWD/$out/queue-worker SHORT=$PWD/$out/short.so
if [ "${1:-}" = sample ]; then
    exec python3 tests/torture/queue.py --sample
fi
exec python3 tests/torture/queue.py
