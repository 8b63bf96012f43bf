# The proxy scenario from each language: a message through Squid and one through microsocks, and a wrong password at each.
# Sourced by run.sh.

build_languages() { # FOLDER
    local to=$1 from=$here/languages
    gcc -std=c99 -pedantic -Wall -Wextra -Werror "-I$root/include" "$from/proxy.c" \
        "-L$library" -lssmtp "-Wl,-rpath,$library" -o "$to/proxy-c" &&
        g++ -std=c++17 -Wall -Wextra -Werror "-I$root/include" "$from/proxy.cpp" \
            "-L$library" -lssmtp "-Wl,-rpath,$library" -o "$to/proxy-cpp" &&
        "$root/bindings/dotnet/build.sh" && cp "$root/target/dotnet/Ssmtp.dll" "$to/" &&
        mcs -langversion:7 -warnaserror -r:"$to/Ssmtp.dll" -out:"$to/proxy.exe" "$from/Proxy.cs"
}

send_from() { # LANGUAGE FOLDER TYPE PORT PASSWORD
    local server=('*'"$ONLY_THERE" "$PLAIN")
    [ "$3" != 1 ] || server=("$ONLY_THERE" "$PLAIN")
    case $1 in
        c | cpp) "$2/proxy-$1" "${server[@]}" "$3" localhost "$4" "$user" "$5" ;;
        python) PYTHONPATH=$root/bindings/python/src python3 "$here/languages/proxy.py" "${server[@]}" "$3" localhost "$4" "$user" "$5" ;;
        dotnet) mono "$2/proxy.exe" "${server[@]}" "$3" localhost "$4" "$user" "$5" ;;
    esac
}

try_languages() { # FOLDER
    local bad=0 language kind seen
    build_languages "$1" || return 1
    for language in c cpp python dotnet; do
        for kind in "1 $SQUID 407" "3 $MICROSOCKS login"; do
            set -- "$1" $kind
            seen=$(send_from "$language" "$1" "$2" "$3" "$password" || true)
            seen+=$'\n'$(send_from "$language" "$1" "$2" "$3" "$password?" || true)
            if grep -qx sent <<<"$seen" && grep -qx 'Firewall connection complete 0' <<<"$seen" &&
                grep -qx 'Firewall host disconnected 0' <<<"$seen" && grep -q "^error 118: proxy localhost:$3: .*$4" <<<"$seen" &&
                grep -qx 'Firewall connection complete 118' <<<"$seen" && ! grep -qF "$password" <<<"$seen"; then
                echo "ok      $language: through the proxy of type $2, and refused"
            else
                printf 'FAILED  %s, type %s:\n%s\n' "$language" "$2" "$seen"
                bad=1
            fi
        done
    done
    return $bad
}
