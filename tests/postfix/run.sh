#!/usr/bin/env bash
# Delivers the scenario message to a private Postfix on loopback, once from each language, and compares what lies in the
# maildirs byte for byte with expected.eml. Postfix's master runs as root, so without root this calls sudo.
#
#   tests/postfix/run.sh                     reference c cpp python dotnet
#   tests/postfix/run.sh python              one of them (`reference` is Python's smtplib: it tries the harness itself)
#
# Built before: target/debug/libssmtp.so, and the scenario programs by tests/c/run.sh, bindings/dotnet/test.sh.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
PATH=$PATH:/usr/sbin:/sbin

if [ "$(id -u)" -ne 0 ]; then
    exec sudo -- bash "$here/run.sh" "$@"
fi
command -v postfix >/dev/null || { echo "Postfix is not installed: scripts/setup.sh test installs it" >&2; exit 1; }

languages=("$@")
[ ${#languages[@]} -gt 0 ] || languages=(reference c cpp python dotnet)

# --- the instance -------------------------------------------------------------------------------------------------------
# Postfix's unprivileged daemons must be able to walk down to the queue, so the folder lies in /tmp and is readable.
base=$(mktemp -d /tmp/ssmtp-postfix.XXXXXX)
chmod 755 "$base"
config=$base/config
mail=$base/mail
mkdir -p "$config" "$base/queue" "$base/data" "$mail"
chown postfix "$base/data"
nobody_uid=$(id -u nobody)
nobody_gid=$(id -g nobody)

finish() {
    status=$?
    trap - EXIT INT TERM
    trap '' PIPE # who read our output may be gone; the folder is cleared all the same
    set +e
    if [ -f "$base/queue/pid/master.pid" ]; then
        postfix -c "$config" stop >/dev/null 2>&1 || true
        for _ in $(seq 50); do
            postfix -c "$config" status >/dev/null 2>&1 || break
            sleep 0.1
        done
    fi
    if [ "$status" -ne 0 ] && [ -f "$base/maillog" ]; then
        echo "--- the end of Postfix's log" >&2
        tail -n 20 "$base/maillog" >&2
    fi
    rm -rf "$base"
    exit "$status"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 141' PIPE
trap 'exit 143' TERM

free_port() {
    python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}
port=$(free_port)

# local_header_rewrite_clients and message_drop_headers are empty so that Postfix completes, rewrites and drops no header:
# what arrives is what was sent, a Bcc line too if there were one.
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
smtputf8_enable = yes
smtpd_peername_lookup = no
disable_dns_lookups = yes
local_header_rewrite_clients =
always_add_missing_headers = no
message_drop_headers =
append_dot_mydomain = no
alias_maps =
alias_database =
local_recipient_maps =
default_transport = error:no mail leaves this test
relay_transport = error:no mail leaves this test
smtpd_relay_restrictions = reject_unauth_destination
virtual_transport = virtual
virtual_mailbox_domains = postfix.test
virtual_mailbox_base = $mail
virtual_mailbox_maps = inline:{ { alice@postfix.test = alice/ }, { bob@postfix.test = bob/ }, { carol@postfix.test = carol/ } }
virtual_uid_maps = static:$nobody_uid
virtual_gid_maps = static:$nobody_gid
message_size_limit = 10240000
default_process_limit = 10
CF

# As Debian's master.cf, with nothing in a chroot, and only the services a delivery to a maildir passes through.
cat >"$config/master.cf" <<CF
127.0.0.1:$port inet n - n - - smtpd
pickup    unix  n - n 60   1 pickup
cleanup   unix  n - n -    0 cleanup
qmgr      unix  n - n 300  1 qmgr
tlsmgr    unix  - - n 1000? 1 tlsmgr
rewrite   unix  - - n -    - trivial-rewrite
bounce    unix  - - n -    0 bounce
defer     unix  - - n -    0 bounce
trace     unix  - - n -    0 bounce
verify    unix  - - n -    1 verify
flush     unix  n - n 1000? 0 flush
proxymap  unix  - - n -    - proxymap
showq     unix  n - n -    - showq
error     unix  - - n -    - error
retry     unix  - - n -    - error
discard   unix  - - n -    - discard
virtual   unix  - n n -    - virtual
anvil     unix  - - n -    1 anvil
scache    unix  - - n -    1 scache
postlog   unix-dgram n - n - 1 postlogd
CF

answers() {
    python3 - "$port" <<'PY'
import socket, sys
try:
    with socket.create_connection(("127.0.0.1", int(sys.argv[1])), timeout=2) as s:
        ok = s.recv(512).startswith(b"220 mail.postfix.test")
        s.sendall(b"QUIT\r\n")
        s.recv(512)
    sys.exit(0 if ok else 1)
except OSError:
    sys.exit(1)
PY
}

postfix -c "$config" start >"$base/start.log" 2>&1 || { cat "$base/start.log" >&2; exit 1; }
up=no
for _ in $(seq 100); do
    if answers; then up=yes; break; fi
    sleep 0.1
done
[ $up = yes ] || { echo "Postfix did not answer on 127.0.0.1:$port" >&2; cat "$base/start.log" >&2; exit 1; }

# --- the senders --------------------------------------------------------------------------------------------------------
export SSMTP_LIBRARY=${SSMTP_LIBRARY:-$root/target/debug/libssmtp.so}
export LD_LIBRARY_PATH=$(dirname "$SSMTP_LIBRARY")${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
export PYTHONPATH=$root/bindings/python/src PYTHONDONTWRITEBYTECODE=1

built() { # PROGRAM SCRIPT
    [ -e "$1" ] || { echo "$1 is missing: run $2 first" >&2; return 1; }
}
send_from() {
    case $1 in
        c)         built "$root/target/c/scenario" tests/c/run.sh || return ;;
        cpp)       built "$root/target/cpp/scenario" bindings/cpp/test.sh || return ;;
        dotnet)    built "$root/target/dotnet/scenario.exe" bindings/dotnet/test.sh || return ;;
    esac
    case $1 in
        reference) python3 "$here/reference.py" 127.0.0.1 "$port" ;;
        c)         "$root/target/c/scenario" 127.0.0.1 "$port" ;;
        cpp)       "$root/target/cpp/scenario" 127.0.0.1 "$port" ;;
        python)    python3 "$root/bindings/python/tests/scenario.py" 127.0.0.1 "$port" ;;
        dotnet)    mono "$root/target/dotnet/scenario.exe" 127.0.0.1 "$port" ;;
        *)         echo "no sender is called $1" >&2; return 2 ;;
    esac
}

# A harness that cannot fail proves nothing: one changed byte in what is expected must be noticed.
notices_a_change() {
    sed 's/^\.leading dot$/.leading d0t/' "$here/expected.eml" >"$base/changed.eml"
    ! python3 "$here/compare.py" "$mail" "$base/changed.eml" 2>/dev/null
}

passed=0
failed=0
for language in "${languages[@]}"; do
    rm -rf "${mail:?}"/*
    install -d -o "$nobody_uid" -g "$nobody_gid" -m 700 "$mail/alice" "$mail/bob" "$mail/carol"
    if timeout 60 bash -c "$(declare -f built send_from); $(declare -p here root port); send_from $language" </dev/null &&
        python3 "$here/compare.py" "$mail" "$here/expected.eml" &&
        { [ "$language" != reference ] || notices_a_change; }; then
        echo "ok      $language: delivered to alice, bob and carol as it was set"
        passed=$((passed + 1))
    else
        echo "FAILED  $language"
        failed=$((failed + 1))
    fi
done
# The attachments scenario: every part must come out of the maildir as it was set.
attach_from() {
    case $1 in
        c)         "$root/target/c/attachments" "127.0.0.1:$port" ;;
        cpp)       "$root/target/cpp/attachments" "127.0.0.1:$port" ;;
        python)    python3 "$root/examples/python/attachments.py" "127.0.0.1:$port" ;;
        dotnet)    mono "$root/target/dotnet/attachments.exe" "127.0.0.1:$port" ;;
    esac
}
bash "$root/tests/attachments/run.sh" --build
for language in "${languages[@]}"; do
    [ "$language" != reference ] || continue
    rm -rf "${mail:?}"/*
    install -d -o "$nobody_uid" -g "$nobody_gid" -m 700 "$mail/alice"
    if timeout 60 bash -c "$(declare -f attach_from); $(declare -p root port); attach_from $language" </dev/null >"$base/out" 2>&1 &&
        python3 "$here/take.py" "$mail/alice" "$base/attachments.eml" &&
        python3 "$root/tests/attachments/check.py" "$base/attachments.eml" &&
        perl "$root/tests/attachments/parse.pl" "$base/attachments.eml" | diff - "$root/tests/attachments/structure.txt"; then
        echo "ok      $language: attachments delivered to alice as they were set"
        passed=$((passed + 1))
    else
        cat "$base/out"
        echo "FAILED  $language: attachments"
        failed=$((failed + 1))
    fi
done
echo "Postfix delivery: $passed passed, $failed failed"
[ "$failed" -eq 0 ]
