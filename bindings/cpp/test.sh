#!/usr/bin/env bash
# Builds and runs the C++ tests with g++ and clang++ (warnings are errors), and sends the scenario message.
# Needs target/debug/libssmtp.so (or SSMTP_LIB_DIR) and target/debug/xtask (or XTASK).
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/../.."
lib=${SSMTP_LIB_DIR:-target/debug}
lib=$(cd "$lib" && pwd)
export XTASK=${XTASK:-$PWD/target/debug/xtask}
[ -e "$lib/libssmtp.so" ] && [ -x "$XTASK" ] || { echo "run 'cargo build --workspace' first" >&2; exit 1; }
[ -e "$lib/libssmtp.so.0" ] || ln -s libssmtp.so "$lib/libssmtp.so.0" # the name that programs look for
out=target/cpp
mkdir -p "$out"

tests=bindings/cpp/tests
failed=0
compile() { # COMPILER OUTPUT SOURCE…
    local compiler=$1 output=$2
    shift 2
    "$compiler" -std=c++17 -O1 -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror -Iinclude "-I$tests" "$@" -pthread \
        "-L$lib" -lssmtp "-Wl,--enable-new-dtags,-rpath,$lib" -o "$output"
}
run() { # NAME COMMAND…
    printf '%s: ' "$1"
    shift
    timeout 300 "$@" || failed=1
}

compilers=()
for compiler in g++ clang++; do
    if command -v "$compiler" >/dev/null; then compilers+=("$compiler"); fi
done
[ ${#compilers[@]} -gt 0 ] || { echo "there is no C++ compiler" >&2; exit 1; }

for compiler in "${compilers[@]}"; do
    compile "$compiler" "$out/scenario" "$tests/scenario.cpp"
    compile "$compiler" "$out/send" examples/cpp/send.cpp
    compile "$compiler" "$out/quickstart" examples/cpp/quickstart.cpp
    compile "$compiler" "$out/generated-$compiler" "$tests/generated.cpp" "$tests/main.cpp"
    compile "$compiler" "$out/behaviour-$compiler" "$tests/behaviour.cpp" "$tests/certificates.cpp" "$tests/queue.cpp" "$tests/main.cpp"
    run "generated ($compiler)" "$out/generated-$compiler"
    run "behaviour ($compiler)" "$out/behaviour-$compiler"
done
run "scenario and examples" bash tests/c/deliver.sh "$out/scenario" "$out/send" "$out/quickstart"
if command -v valgrind >/dev/null; then
    SSMTP_SLOW=1 run "behaviour (valgrind)" valgrind --error-exitcode=99 --leak-check=full \
        --errors-for-leak-kinds=definite -q "$out/behaviour-${compilers[0]}"
fi
exit $failed
