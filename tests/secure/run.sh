#!/usr/bin/env bash
# The TLS handshake from C, C++, Python and C#, at the embedded server: trusted and not, by implicit TLS and by STARTTLS, with
# every word that a handler of SSLServerAuthentication can have. Each language must see exactly the same.
#
# Built before: target/debug/libssmtp.so and target/debug/xtask.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
library=$root/target/debug
export SSMTP_LIBRARY=${SSMTP_LIBRARY:-$library/libssmtp.so} PYTHONDONTWRITEBYTECODE=1
base=$(mktemp -d "${TMPDIR:-/tmp}/ssmtp-secure.XXXXXX")
servers=()

finish() {
    status=$?
    trap - EXIT
    [ ${#servers[@]} -eq 0 ] || kill "${servers[@]}" 2>/dev/null || true
    rm -rf "$base"
    exit "$status"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

from=$here/languages
ln -sf libssmtp.so "$library/libssmtp.so.0"
gcc -std=c99 -pedantic -Wall -Wextra -Werror "-I$root/include" "$from/secure.c" \
    "-L$library" -lssmtp "-Wl,-rpath,$library" -o "$base/secure-c"
g++ -std=c++17 -Wall -Wextra -Werror "-I$root/include" "$from/secure.cpp" \
    "-L$library" -lssmtp "-Wl,-rpath,$library" -o "$base/secure-cpp"
"$root/bindings/dotnet/build.sh"
cp "$root/target/dotnet/Ssmtp.dll" "$base/"
mcs -langversion:7 -warnaserror "-r:$base/Ssmtp.dll" "-out:$base/secure.exe" "$from/Secure.cs"

serve() { # MODE: starts a server, and notes its port
    "$root/target/debug/xtask" serve --tls "$1" --cert "$base/$1.pem" --key "$base/$1.key" >"$base/$1.log" &
    servers+=($!)
    for _ in $(seq 100); do
        if port=$(sed -n 's/^listening .*:\([0-9]*\)$/\1/p' "$base/$1.log") && [ -n "$port" ]; then return; fi
        sleep 0.05
    done
    echo "the server did not start" >&2
    return 1
}

secure() { # LANGUAGE PORT MODE TRUSTED WORD
    case $1 in
        c | cpp) "$base/secure-$1" "${@:2}" ;;
        python) PYTHONPATH=$root/bindings/python/src python3 "$from/secure.py" "${@:2}" ;;
        dotnet) mono "$base/secure.exe" "${@:2}" ;;
    esac
}

end_of() { # NUMBER: what is told when a connection ends with it
    printf 'status %d SSL handshake complete\nstatus %d Remote host disconnected\n' "$1" "$1"
}

expected() { # TRUSTED WORD LANGUAGE
    local asked="asked 1 CN=localhost CN=localhost OK" code=
    [ "$1" != - ] || asked="asked 0 CN=localhost CN=localhost not OK"
    printf 'status 0 Remote host connection complete\n%s\nleaf DER\nchain PEM\n' "$asked"
    case $1:$2 in
        *:stop) code=301 ;;
        *:refuse | -:leave) code=280 ;;
    esac
    if [ -z "$code" ]; then
        echo "status 0 SSL handshake complete"
        printf 'status 0 %s\n' "Remote host disconnected" "SSL connection broken"
        echo "sent TLSv1.3 CN=localhost"
        return
    fi
    # After an exception C++ and C# call no handler any more.
    [ "$2:$3" = stop:cpp ] || [ "$2:$3" = stop:dotnet ] || end_of "$code"
    # A handler that raises is heard of as it raised, where there is such a thing.
    if [ "$2" = stop ] && [ "$3" != c ]; then echo "stopped by the handler"; else echo "error $code"; fi
}

bad=0
for mode in implicit starttls; do
    serve "$mode"
    start=explicit
    [ "$mode" = starttls ] || start=implicit
    for trusted in "$base/$mode.pem" -; do
        for word in leave accept refuse stop; do
            for language in c cpp python dotnet; do
                seen=$(secure "$language" "$port" "$start" "$trusted" "$word" || true)
                if [ "$seen" != "$(expected "$trusted" "$word" "$language")" ]; then
                    printf 'FAILED  %s %s trusted=%s %s:\n%s\n' "$language" "$mode" "${trusted##*/}" "$word" "$seen"
                    bad=1
                fi
            done
        done
    done
    [ $bad -eq 1 ] || echo "ok      $mode: 8 handshakes in each of 4 languages"
done
exit $bad
