#!/usr/bin/env bash
# The attachments scenario from every language to the embedded server; what arrives is read by Python's email package
# (check.py) and by Perl's MIME::Parser (parse.pl).
#
#   tests/attachments/run.sh                 c cpp python dotnet
#   tests/attachments/run.sh python          one of them
#   tests/attachments/run.sh --build         only builds the C and C++ programs, into target/c and target/cpp
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

library=${SSMTP_LIB_DIR:-$PWD/target/debug}
export SSMTP_LIBRARY=${SSMTP_LIBRARY:-$library/libssmtp.so}
export PYTHONPATH=$PWD/bindings/python/src PYTHONDONTWRITEBYTECODE=1

mkdir -p target/c target/cpp
link=(-Iinclude -L"$library" -lssmtp -Wl,-rpath,"$library")
gcc -std=c99 -D_XOPEN_SOURCE=700 -pedantic -Wall -Wextra -Werror examples/c/attachments.c -o target/c/attachments "${link[@]}"
g++ -std=c++17 -Wall -Wextra -Wpedantic -Werror examples/cpp/attachments.cpp -o target/cpp/attachments "${link[@]}"
[ "${1-}" != --build ] || exit 0
languages=("$@")
[ ${#languages[@]} -gt 0 ] || languages=(c cpp python dotnet)

work=$(mktemp -d)
server=
passed=0
failed=0
trap '[ -z "$server" ] || kill "$server" 2>/dev/null || true; rm -rf "$work"' EXIT

send_from() {
    case $1 in
        c)      target/c/attachments "$address" ;;
        cpp)    target/cpp/attachments "$address" ;;
        python) python3 examples/python/attachments.py "$address" ;;
        dotnet) mono target/dotnet/attachments.exe "$address" ;;
        *)      echo "no sender is called $1" >&2; return 2 ;;
    esac
}

# Base64 in lines, and BINARYMIME (RFC 3030).
for offer in 8BITMIME,PIPELINING,SIZE 8BITMIME,PIPELINING,SIZE,CHUNKING,BINARYMIME; do
    folder=$work/$offer
    mkdir "$folder"
    "${XTASK:-target/debug/xtask}" serve --eml "$folder" --extensions "$offer" > "$folder/server" &
    server=$!
    for _ in $(seq 100); do grep -qs listening "$folder/server" && break; sleep 0.05; done
    address=$(sed -n 's/^listening //p' "$folder/server")
    n=0
    for language in "${languages[@]}"; do
        if timeout 60 bash -c "$(declare -f send_from); address=$address; send_from $language" > "$work/out" 2>&1 && n=$((n + 1)) &&
            python3 tests/attachments/check.py "$folder/$n.eml" &&
            perl tests/attachments/parse.pl "$folder/$n.eml" | diff - tests/attachments/structure.txt; then
            echo "ok      $language, $offer: every part arrived as it was set"
            passed=$((passed + 1))
        else
            cat "$work/out"
            echo "FAILED  $language, $offer"
            failed=$((failed + 1))
        fi
    done
    kill "$server"
    wait "$server" 2>/dev/null || true
    server=
done
echo "attachments: $passed passed, $failed failed"
[ "$failed" -eq 0 ]
