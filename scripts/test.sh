#!/usr/bin/env bash
# Every check there is, one after the other, each under a heading; goes on after a failure and counts the steps at the end.
#
# usage: scripts/test.sh [STEP…]      without a name: all of them, in this order
#   format lint build rust generated c cpp python dotnet coreclr attachments certs memory queue postfix extensions smime login secure platform proxies scenarios cli docs readme install wheel
set -uo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
export PATH=$PATH:${HOME:-/root}/.cargo/bin:/usr/sbin:/sbin
export CARGO_TERM_COLOR=${CARGO_TERM_COLOR:-never} PYTHONDONTWRITEBYTECODE=1
# What the other languages load; an absolute path, because their runners change the folder.
export SSMTP_LIBRARY=$PWD/target/debug/libssmtp.so

format()    { cargo fmt --all -- --check; }
lint()      { cargo clippy --workspace --all-targets -- -D warnings; }
# Programs ask for the soname at run time.
build()     { cargo build --workspace && ln -sf libssmtp.so target/debug/libssmtp.so.0; }
rust()      { cargo test --workspace --no-fail-fast; }
generated() { cargo xtask gen --check; }
c()         { bash tests/c/run.sh; }
cpp()       { bash bindings/cpp/test.sh; }
python()    { PYTHONPATH=bindings/python/src python3 -m unittest discover -s bindings/python/tests; }
dotnet()    { bash bindings/dotnet/test.sh && bash bindings/dotnet/package.sh; }
coreclr()   { bash bindings/dotnet/coreclr.sh; }
attachments() { bash tests/attachments/run.sh; }
certs()     { bash tests/certs/run.sh; }
queue()     { bash tests/torture/run.sh sample && bash tests/celery/run.sh; }
memory()    { bash tests/memory/run.sh; }
postfix()   { bash tests/postfix/run.sh; }
extensions() { bash tests/extensions/run.sh; }
smime()     { bash tests/smime/run.sh; }
login()     { bash tests/login/run.sh; }
secure()    { bash tests/secure/run.sh; }
platform()  { bash tests/platform/run.sh; }
proxies()   { bash tests/proxies/run.sh; }
scenarios() { python3 tests/scenarios/run.py; }
readme()    { bash tests/readme.sh; }
cli()       { bash tests/cli/run.sh; }
docs()      { cargo xtask site && bash tests/docs/run.sh; }
install()   { bash tests/install.sh; }
wheel()     { bash bindings/python/tests/wheel.sh; }

steps=("$@")
[ ${#steps[@]} -gt 0 ] || steps=(format lint build rust generated c cpp python dotnet coreclr attachments certs memory queue postfix extensions smime login secure platform proxies scenarios cli docs readme install wheel)

passed=0
failed=()
for step in "${steps[@]}"; do
    case $step in
        format | lint | build | rust | generated | c | cpp | python | dotnet | coreclr | attachments | certs | memory | queue | postfix | extensions | smime | login | secure | platform | proxies | scenarios | cli | docs | readme | install | wheel) ;;
        *) echo "no step is called $step" >&2; exit 2 ;;
    esac
    printf '\n=== %s\n' "$step"
    started=$SECONDS
    if ("$step") </dev/null; then
        passed=$((passed + 1))
        printf -- '--- %s: ok (%d s)\n' "$step" $((SECONDS - started))
    else
        failed+=("$step")
        printf -- '--- %s: FAILED (%d s)\n' "$step" $((SECONDS - started))
        # Nothing after it could run.
        if [ "$step" = build ]; then break; fi
    fi
done

echo
if [ ${#failed[@]} -gt 0 ]; then echo "Failed: ${failed[*]}"; fi
echo "steps: $passed passed, ${#failed[@]} failed"
[ ${#failed[@]} -eq 0 ]
