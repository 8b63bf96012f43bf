#!/bin/sh
# Runs the C# tests against target/debug (or against SSMTP_LIBRARY), on Mono or on the .NET that DOTNET names. A word as argument
# picks the tests whose name holds it.
set -eu

cd "$(dirname "$0")/../.."
bindings/dotnet/build.sh
SSMTP_LIBRARY=${SSMTP_LIBRARY:-$PWD/target/debug/libssmtp.so}
SSMTP_XTASK=${SSMTP_XTASK:-$PWD/target/debug/xtask}
export SSMTP_LIBRARY SSMTP_XTASK
for needed in "$SSMTP_LIBRARY" "$SSMTP_XTASK"; do
    if [ ! -f "$needed" ]; then
        echo "$needed is missing: run cargo build --workspace" >&2
        exit 1
    fi
done
tests=target/dotnet/ssmtp-tests.exe
if [ -z "${DOTNET:-}" ]; then
    exec mono --debug "$tests" "$@"
fi
bindings/dotnet/runtimeconfig.sh "$DOTNET" target/dotnet/runtimeconfig.json
exec "$DOTNET" exec --runtimeconfig target/dotnet/runtimeconfig.json "$tests" "$@"
