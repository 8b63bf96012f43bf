# The login scenario from each language, at a server that knows CRAM-MD5: sourced by run.sh.

build_languages() { # FOLDER
    local to=$1 from=$here/languages
    gcc -std=c99 -pedantic -Wall -Wextra -Werror "-I$root/include" "$from/login.c" \
        "-L$library" -lssmtp "-Wl,-rpath,$library" -o "$to/login-c" &&
        g++ -std=c++17 -Wall -Wextra -Werror "-I$root/include" "$from/login.cpp" \
            "-L$library" -lssmtp "-Wl,-rpath,$library" -o "$to/login-cpp" &&
        "$root/bindings/dotnet/build.sh" && cp "$root/target/dotnet/Ssmtp.dll" "$to/" &&
        mcs -langversion:7 -warnaserror -r:"$to/Ssmtp.dll" -out:"$to/login.exe" "$from/Login.cs"
}

log_in_from() { # LANGUAGE FOLDER PORT PASSWORD
    case $1 in
        c | cpp) "$2/login-$1" 127.0.0.1 "$3" alice "$4" ;;
        python) PYTHONPATH=$root/bindings/python/src python3 "$here/languages/login.py" 127.0.0.1 "$3" alice "$4" ;;
        dotnet) mono "$2/login.exe" 127.0.0.1 "$3" alice "$4" ;;
    esac
}

try_languages() { # FOLDER PORT
    local bad=0 right wrong seen_right seen_wrong language
    right=$(sed -n 's/^USER, PASSWORD = "alice", "\(.*\)"$/\1/p' "$here/logins.py")
    wrong="$right?"
    build_languages "$1" || return 1
    for language in c cpp python dotnet; do
        seen_right=$(log_in_from "$language" "$1" "$2" "$right")
        seen_wrong=$(log_in_from "$language" "$1" "$2" "$wrong" || true)
        if grep -qx sent <<<"$seen_right" && grep -qx '0 AUTH CRAM-MD5' <<<"$seen_right" &&
            grep -q '^error 161: .*535' <<<"$seen_wrong" && ! grep -q '^0 MAIL' <<<"$seen_wrong" &&
            ! grep -qF "$right" <<<"$seen_right$seen_wrong"; then
            echo "ok      $language: right and wrong"
        else
            printf 'FAILED  %s:\n%s\n%s\n' "$language" "$seen_right" "$seen_wrong"
            bad=1
        fi
    done
    return $bad
}
