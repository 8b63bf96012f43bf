# The login scenario from each language, at a server that knows CRAM-MD5, and the one of a token that has expired, at XOAUTH2:
# sourced by run.sh.

build_languages() { # FOLDER
    local to=$1 from=$here/languages name
    "$root/bindings/dotnet/build.sh" && cp "$root/target/dotnet/Ssmtp.dll" "$to/" || return 1
    for name in login renew; do
        gcc -std=c99 -pedantic -Wall -Wextra -Werror "-I$root/include" "$from/$name.c" \
            "-L$library" -lssmtp "-Wl,-rpath,$library" -o "$to/$name-c" &&
            g++ -std=c++17 -Wall -Wextra -Werror "-I$root/include" "$from/$name.cpp" \
                "-L$library" -lssmtp "-Wl,-rpath,$library" -o "$to/$name-cpp" &&
            mcs -langversion:7 -warnaserror -r:"$to/Ssmtp.dll" -out:"$to/$name.exe" "$from/${name^}.cs" || return 1
    done
}

run_from() { # LANGUAGE FOLDER PROGRAM ARGUMENTS
    local language=$1 folder=$2 program=$3
    shift 3
    case $language in
        c | cpp) "$folder/$program-$language" "$@" ;;
        python) PYTHONPATH=$root/bindings/python/src python3 "$here/languages/$program.py" "$@" ;;
        dotnet) mono "$folder/$program.exe" "$@" ;;
    esac
}

try_languages() { # FOLDER PORT
    local bad=0 right wrong seen_right seen_wrong language
    right=$(sed -n 's/^USER, PASSWORD = "alice", "\(.*\)"$/\1/p' "$here/logins.py")
    wrong="$right?"
    build_languages "$1" || return 1
    for language in c cpp python dotnet; do
        seen_right=$(run_from "$language" "$1" login 127.0.0.1 "$2" alice "$right")
        seen_wrong=$(run_from "$language" "$1" login 127.0.0.1 "$2" alice "$wrong" || true)
        if grep -qx sent <<<"$seen_right" && grep -qx '0 AUTH CRAM-MD5' <<<"$seen_right" &&
            grep -q '^error 161: .*535' <<<"$seen_wrong" && ! grep -q '^0 MAIL' <<<"$seen_wrong" &&
            ! grep -qF "$right" <<<"$seen_right$seen_wrong"; then
            echo "ok      $language: right and wrong"
        else
            printf 'FAILED  %s:\n%s\n%s\n' "$language" "$seen_right" "$seen_wrong"
            bad=1
        fi
        seen_right=$(run_from "$language" "$1" renew 127.0.0.1 "$2" alice "$LOGIN_STALE_TOKEN" "$LOGIN_TOKEN" || true)
        seen_wrong=$(run_from "$language" "$1" renew 127.0.0.1 "$2" alice "$LOGIN_STALE_TOKEN" "$LOGIN_STALE_TOKEN" || true)
        if [ "$seen_right" = $'asked for alice\nlogged in' ] && grep -q '^error 161: ' <<<"$seen_wrong"; then
            echo "ok      $language: another token, or none"
        else
            printf 'FAILED  %s, token:\n%s\n%s\n' "$language" "$seen_right" "$seen_wrong"
            bad=1
        fi
    done
    return $bad
}
