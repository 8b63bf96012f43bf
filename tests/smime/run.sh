#!/usr/bin/env bash
# S/MIME between programs: every kind of key, hash, padding, cipher and form goes through a private Postfix on loopback, and what
# arrived is read by other programs (interop.py, whose table is docs/smime-interop.md); then the sign-and-encrypt scenario of every
# language. Postfix's master runs as root, so without root this calls sudo.
#
#   tests/smime/run.sh            compares the table with docs/smime-interop.md
#   tests/smime/run.sh --write    writes it
#
# Built before: target/debug/libssmtp.so.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
PATH=$PATH:/usr/sbin:/sbin

if [ "$(id -u)" -ne 0 ]; then
    exec sudo -- bash "$here/run.sh" "$@"
fi
export SSMTP_LIBRARY=${SSMTP_LIBRARY:-$root/target/debug/libssmtp.so}
export PYTHONPATH=$root/bindings/python/src PYTHONDONTWRITEBYTECODE=1
python=$root/target/smime-venv/bin/python
[ -x "$python" ] || python=python3

# Postfix's unprivileged daemons must be able to walk down to the queue, so the folder lies in /tmp and is readable.
base=$(mktemp -d /tmp/ssmtp-smime.XXXXXX)
chmod 755 "$base"
config=$base/config
mail=$base/mail
mkdir -p "$config" "$base/queue" "$base/data" "$mail" "$base/work"
chown postfix "$base/data"
chown nobody "$mail"

finish() {
    status=$?
    trap - EXIT INT TERM
    trap '' PIPE
    set +e
    if [ -f "$base/queue/pid/master.pid" ]; then
        postfix -c "$config" stop >/dev/null 2>&1
        for _ in $(seq 50); do
            postfix -c "$config" status >/dev/null 2>&1 || break
            sleep 0.1
        done
    fi
    if [ "$status" -ne 0 ] && [ -f "$base/maillog" ]; then
        echo "--- the end of Postfix's log" >&2
        tail -n 5 "$base/maillog" >&2
    fi
    rm -rf "$base"
    exit "$status"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
cat >"$config/main.cf" <<CF
compatibility_level = 3.6
queue_directory = $base/queue
data_directory = $base/data
mail_owner = postfix
setgid_group = postdrop
maillog_file = $base/maillog
maillog_file_prefixes = $base
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = mail.postfix.test
mydestination =
mynetworks = 127.0.0.0/8
smtpd_peername_lookup = no
disable_dns_lookups = yes
append_dot_mydomain = no
alias_maps =
alias_database =
local_recipient_maps =
default_transport = error:no mail leaves this test
relay_transport = error:no mail leaves this test
smtpd_relay_restrictions = reject_unauth_destination
virtual_transport = virtual
virtual_mailbox_domains = b.example
virtual_mailbox_base = $mail
virtual_mailbox_maps = static:all/
virtual_uid_maps = static:$(id -u nobody)
virtual_gid_maps = static:$(id -g nobody)
in_flow_delay = 0
smtpd_client_event_limit_exceptions = 127.0.0.0/8
default_process_limit = 10
CF
cat >"$config/master.cf" <<CF
127.0.0.1:$port inet n - n - - smtpd
pickup    unix  n - n 60   1 pickup
cleanup   unix  n - n -    0 cleanup
qmgr      unix  n - n 300  1 qmgr
rewrite   unix  - - n -    - trivial-rewrite
bounce    unix  - - n -    0 bounce
defer     unix  - - n -    0 bounce
trace     unix  - - n -    0 bounce
proxymap  unix  - - n -    - proxymap
error     unix  - - n -    - error
retry     unix  - - n -    - error
virtual   unix  - n n -    - virtual
anvil     unix  - - n -    1 anvil
postlog   unix-dgram n - n - 1 postlogd
CF
sh "$here/pki.sh" "$base/pki" &
pki=$!
postfix -c "$config" start >"$base/start.log" 2>&1 || { cat "$base/start.log" >&2; exit 1; }
for _ in $(seq 100); do
    if (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then break; fi
    sleep 0.1
done
wait "$pki"

failed=0
"$python" "$here/interop.py" "$port" "$mail/all" "$base/pki" "$base/work" "$root/docs/smime-interop.md" "$@" || failed=1

# --- the scenario in every language: what one sends, OpenSSL and the others read --------------------------------------------
cd "$root"
mkdir -p target/c target/cpp
library=$(dirname "$SSMTP_LIBRARY")
link=(-Iinclude -L"$library" -lssmtp -Wl,-rpath,"$library")
gcc -std=c99 -D_XOPEN_SOURCE=700 -pedantic -Wall -Wextra -Werror examples/c/smime.c -o target/c/smime "${link[@]}"
g++ -std=c++17 -Wall -Wextra -Wpedantic -Werror examples/cpp/smime.cpp -o target/cpp/smime "${link[@]}"
sh bindings/dotnet/build.sh
in_language() { # LANGUAGE ARGUMENTS…
    local language=$1
    shift
    case $language in
        c)      target/c/smime "$@" ;;
        cpp)    target/cpp/smime "$@" ;;
        python) python3 examples/python/smime.py "$@" ;;
        dotnet) mono target/dotnet/smime.exe "$@" ;;
    esac
}
people=$base/pki
content=$'Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nBetween us: =C3=BC.\r\n'
for language in c cpp python dotnet; do
    rm -rf "$mail/all"
    wrong=
    in_language $language send "127.0.0.1:$port" "$people/rsa.all" "$people/second.pem" >"$base/out" 2>&1 || wrong="it was not sent: $(cat "$base/out")"
    for _ in $(seq 100); do
        [ -z "$(ls "$mail/all/new" 2>/dev/null)" ] || break
        sleep 0.1
    done
    if [ -z "$wrong" ]; then
        cp "$mail"/all/new/* "$base/message"
        openssl cms -decrypt -in "$base/message" -recip "$people/second.pem" -inkey "$people/second.key" -out "$base/signed" 2>"$base/out" &&
            openssl cms -verify -in "$base/signed" -CAfile "$people/chain.pem" -out "$base/content" 2>"$base/out" ||
            wrong="OpenSSL does not read it: $(cat "$base/out")"
    fi
    if [ -z "$wrong" ] && ! grep -q '^Between us: =C3=BC\.' "$base/content"; then wrong="OpenSSL reads another text"; fi
    for reader in c cpp python dotnet; do
        if [ -z "$wrong" ]; then
            in_language $reader read "$base/message" "$people/second.all" >"$base/read" 2>&1 || wrong="$reader does not read it: $(cat "$base/read")"
            printf 'Signed by CN=rsa, O=libssmtp\n%s' "$content" | cmp -s - "$base/read" || wrong=${wrong:-"$reader reads: $(cat "$base/read")"}
        fi
    done
    # Somebody else's key opens nothing.
    if [ -z "$wrong" ] && in_language $language read "$base/message" "$people/third.all" >/dev/null 2>&1; then wrong="the wrong key opens it"; fi
    if [ -z "$wrong" ]; then
        echo "ok      $language: signed, encrypted, sent, read by OpenSSL and all four"
    else
        echo "FAILED  $language: $wrong"
        failed=1
    fi
done
exit $failed
