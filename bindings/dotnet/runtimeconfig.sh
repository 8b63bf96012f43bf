#!/bin/sh
# runtimeconfig.sh DOTNET FILE: writes what `dotnet exec --runtimeconfig FILE` needs for the newest runtime that DOTNET has.
set -eu
version=$("$1" --list-runtimes | sed -n 's/^Microsoft\.NETCore\.App \([^ ]*\).*/\1/p' | tail -n 1)
cat >"$2" <<END
{"runtimeOptions": {"framework": {"name": "Microsoft.NETCore.App", "version": "$version"},
 "configProperties": {"System.Globalization.Invariant": true}}}
END
