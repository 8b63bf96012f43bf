#!/usr/bin/env bash
# Runs the C# tests and the NuGet package on .NET 8 (CoreCLR), where Mono is what the step `dotnet` uses, and builds the project with
# the .NET SDK. DOTNET names another runtime than that of target/net8.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/../.."
DOTNET=${DOTNET:-$PWD/target/net8/dnv/net/runtime/.net/dotnet}
if [ ! -x "$DOTNET" ]; then
    echo "skipped: there is no .NET in target/net8 (scripts/setup.sh test gets it, for x86-64, where PyPI is reached)"
    exit 0
fi
export DOTNET
"$DOTNET" --list-runtimes
bash bindings/dotnet/test.sh
bash bindings/dotnet/package.sh
if [ -d target/dotnet-sdk ]; then
    bash bindings/dotnet/sdk.sh
else
    echo "skipped: there is no .NET SDK in target/dotnet-sdk (scripts/setup.sh test gets it, for x86-64, where npm is reached)"
fi
