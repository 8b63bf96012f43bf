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
if [ -z "${DOTNET:-}" ]; then
    run='mono --debug'
else
    bindings/dotnet/runtimeconfig.sh "$DOTNET" target/dotnet/runtimeconfig.json
    run="$DOTNET exec --runtimeconfig $PWD/target/dotnet/runtimeconfig.json"
fi
# shellcheck disable=SC2086
$run target/dotnet/ssmtp-tests.exe "$@"
[ $# -eq 0 ] || exit 0
# The scenario and the examples as programs of their own.
for program in scenario send quickstart; do
    printf '#!/bin/sh\nexec %s "%s" "$@"\n' "$run" "$PWD/target/dotnet/$program.exe" >target/dotnet/$program
    chmod +x target/dotnet/$program
done
printf 'scenario and examples: '
XTASK=$SSMTP_XTASK bash tests/c/deliver.sh target/dotnet/scenario target/dotnet/send target/dotnet/quickstart
