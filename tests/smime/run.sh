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

"$python" "$here/interop.py" "$port" "$mail/all" "$base/pki" "$base/work" "$root/docs/smime-interop.md" "$@"
