#!/bin/sh
# Compiles the C# library, its tests, the scenario program and the examples with Mono's compiler into target/dotnet. What is
# newer than its sources is left alone.
set -eu

cd "$(dirname "$0")/../.."
out=target/dotnet
mkdir -p "$out"
new=$(mktemp -d "$out/new.XXXXXX")
trap 'rm -rf "$new"' EXIT

# compile OUTPUT "SOURCES" "OTHER THINGS IT DEPENDS ON" OPTIONS…
# The lists are paths inside the project, without blanks.
# shellcheck disable=SC2086
compile() {
    output=$1 sources=$2 others=$3
    shift 3
    if [ -f "$out/$output" ] && [ -z "$(find $sources $others bindings/dotnet/build.sh -newer "$out/$output")" ]; then
        return 0
    fi
    # Written beside and then moved: a build cut short leaves nothing that looks complete, and two at once do no harm.
    mcs -langversion:7 -debug+ -warnaserror -out:"$new/$output" "$@" $(find $sources -name '*.cs' | LC_ALL=C sort)
    mv "$new"/* "$out/"
}

compile Ssmtp.dll bindings/dotnet/src "" -unsafe -target:library -doc:"$new/Ssmtp.xml"

library=$out/Ssmtp.dll
compile ssmtp-tests.exe "bindings/dotnet/tests bindings/dotnet/scenario/ScenarioMessage.cs" "$library" -r:"$library"
compile scenario.exe bindings/dotnet/scenario "$library" -r:"$library"
compile send.exe examples/dotnet/Send.cs "$library" -r:"$library"
compile quickstart.exe examples/dotnet/Quickstart.cs "$library" -r:"$library"
compile attachments.exe examples/dotnet/Attachments.cs "$library" -r:"$library"
compile smime.exe examples/dotnet/Smime.cs "$library" -r:"$library"
