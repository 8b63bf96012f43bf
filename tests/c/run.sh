#!/usr/bin/env bash
# Builds the C tests with gcc and clang (C99, warnings are errors) and the header as C++17, runs them, and runs them again
# under valgrind. Needs target/debug/libssmtp.so (or SSMTP_LIB_DIR) and target/debug/xtask (or XTASK).
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/../.."
lib=${SSMTP_LIB_DIR:-target/debug}
lib=$(cd "$lib" && pwd)
export XTASK=${XTASK:-$PWD/target/debug/xtask}
[ -e "$lib/libssmtp.so" ] && [ -x "$XTASK" ] || { echo "run 'cargo build --workspace' first" >&2; exit 1; }
[ -e "$lib/libssmtp.so.0" ] || ln -s libssmtp.so "$lib/libssmtp.so.0" # the name that programs look for
out=target/c
mkdir -p "$out"

tests=tests/c
failed=0
link=("-L$lib" -lssmtp "-Wl,--enable-new-dtags,-rpath,$lib")
# Not even POSIX may be needed by the header and the examples; the tests use it.
strict=(-std=c99 -pedantic -Wall -Wextra -Werror -Iinclude "-I$tests")
posix=(-D_POSIX_C_SOURCE=200809L -D_DEFAULT_SOURCE)
run() { # NAME COMMAND…
    printf '%s: ' "$1"
    shift
    timeout 600 "$@" || { echo "    exit code $?"; failed=1; }
}

compilers=()
for compiler in gcc clang; do
    if command -v "$compiler" >/dev/null; then compilers+=("$compiler"); fi
done
[ ${#compilers[@]} -gt 0 ] || { echo "there is no C compiler" >&2; exit 1; }

for c in "${compilers[@]}"; do
    "$c" "${strict[@]}" $tests/scenario.c "${link[@]}" -o "$out/scenario"
    "$c" "${strict[@]}" examples/c/quickstart.c "${link[@]}" -o "$out/quickstart"
    "$c" "${strict[@]}" examples/c/send.c "${link[@]}" -o "$out/send"
    "$c" "${strict[@]}" $tests/generated.c $tests/rows.c $tests/check.c "${link[@]}" -o "$out/generated-$c"
    "$c" "${strict[@]}" "${posix[@]}" $tests/abi.c $tests/abi_calls.c $tests/abi_process.c $tests/support.c $tests/check.c \
        -rdynamic -pthread "${link[@]}" -ldl -lm -o "$out/abi-$c"
    "$c" "${strict[@]}" "${posix[@]}" $tests/certs.c $tests/check.c "${link[@]}" -o "$out/certs-$c"
    "$c" "${strict[@]}" "${posix[@]}" $tests/signer.c $tests/check.c "${link[@]}" -o "$out/signer-$c"
    "$c" "${strict[@]}" "${posix[@]}" $tests/queue.c $tests/support.c $tests/check.c -rdynamic -pthread "${link[@]}" \
        -ldl -lm -o "$out/queue-$c"
    "$c" "${strict[@]}" "${posix[@]}" $tests/unload.c -ldl -o "$out/unload"
    run "generated ($c)" "$out/generated-$c"
    run "abi ($c)" "$out/abi-$c"
    run "certificates ($c)" "$out/certs-$c"
    run "a signer ($c)" "$out/signer-$c"
    run "queue ($c)" "$out/queue-$c"
done
for cxx in g++ clang++; do
    if command -v "$cxx" >/dev/null; then
        "$cxx" -std=c++17 -pedantic -Wall -Wextra -Werror -Iinclude $tests/header_cpp.cpp "${link[@]}" -o "$out/header-cpp"
        if "$out/header-cpp"; then echo "header as C++17 ($cxx): 1 passed, 0 failed"; else failed=1; fi
    fi
done
run "load and unload" "$out/unload" "$lib/libssmtp.so"
run "scenario and examples" bash $tests/deliver.sh "$out/scenario" "$out/send" "$out/quickstart"

# The entry that panics on purpose is in a build of its own.
if [ -z "${NOHOOKS:-}" ] && command -v cargo >/dev/null; then
    if cargo build --quiet --package libssmtp --features test-hooks --target-dir target/hooks; then
        ln -sf libssmtp.so target/hooks/debug/libssmtp.so.0
        LD_LIBRARY_PATH=$PWD/target/hooks/debug run "a forced panic" "$out/abi-${compilers[0]}" panic
        LD_LIBRARY_PATH=$PWD/target/hooks/debug run "a forced panic in every function" "$out/generated-${compilers[0]}" panic
    else
        failed=1
    fi
fi

if command -v valgrind >/dev/null; then
    check=(valgrind --error-exitcode=99 --leak-check=full --errors-for-leak-kinds=definite -q)
    export SSMTP_SLOW=1
    run "generated (valgrind)" "${check[@]}" "$out/generated-${compilers[0]}"
    run "certificates (valgrind)" "${check[@]}" "$out/certs-${compilers[0]}"
    run "a signer (valgrind)" "${check[@]}" "$out/signer-${compilers[0]}"
    run "queue (valgrind)" "${check[@]}" "$out/queue-${compilers[0]}"
    run "abi (valgrind)" "${check[@]}" "$out/abi-${compilers[0]}"
else
    echo "valgrind is not installed" >&2
    failed=1
fi
exit $failed
