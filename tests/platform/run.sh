#!/usr/bin/env bash
# STARTTLS at real servers on loopback, Postfix (OpenSSL) and Exim (GnuTLS), in every version that they have, with both
# providers, full and resumed, through the C ABI. Private instances in a folder of their own; without root this calls sudo.
#
# Built before: target/debug/libssmtp.so.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
PATH=$PATH:/usr/sbin:/sbin
if [ "$(id -u)" -ne 0 ]; then
    exec sudo -- bash "$here/run.sh" "$@"
fi
export SSMTP_LIBRARY=${SSMTP_LIBRARY:-$root/target/debug/libssmtp.so} PYTHONDONTWRITEBYTECODE=1

base=$(mktemp -d /tmp/ssmtp-platform.XXXXXX)
chmod 755 "$base"
exims=()
finish() {
    status=$?
    trap - EXIT INT TERM
    [ ${#exims[@]} -eq 0 ] || kill "${exims[@]}" 2>/dev/null || true
    [ ! -d "$base/postfix/config" ] || postfix -c "$base/postfix/config" stop >/dev/null 2>&1 || true
    if [ "$status" -ne 0 ]; then tail -n 20 "$base/postfix/maillog" "$base"/exim-*/out "$base"/exim-*/log/* 2>/dev/null >&2 || true; fi
    sleep 0.3
    rm -rf "$base"
    exit "$status"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

free_port() {
    python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}
listens() { # PORT
    for _ in $(seq 100); do
        if (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; then return 0; fi
        sleep 0.1
    done
    echo "nobody listens on port $1" >&2
    return 1
}

cd "$base"
openssl req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -days 30 -subj "/CN=Test Root" 2>/dev/null
openssl req -newkey rsa:2048 -nodes -keyout key.pem -out server.csr -subj "/CN=localhost" 2>/dev/null
printf 'subjectAltName=DNS:localhost\nextendedKeyUsage=serverAuth\n' >server.ext
openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 30 -extfile server.ext -out cert.pem 2>/dev/null

versions=(TLSv1 TLSv1.1 TLSv1.2 TLSv1.3)
declare -A port_of=()

mkdir -p postfix/config postfix/queue postfix/data
chown postfix postfix/data
cat >postfix/config/main.cf <<CF
compatibility_level = 3.6
queue_directory = $base/postfix/queue
data_directory = $base/postfix/data
mail_owner = postfix
setgid_group = postdrop
maillog_file = $base/postfix/maillog
maillog_file_prefixes = $base
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = localhost
mydestination =
local_transport = discard:ok
default_transport = discard:ok
disable_dns_lookups = yes
smtpd_peername_lookup = no
alias_maps =
alias_database =
mynetworks = 127.0.0.0/8
smtpd_relay_restrictions = permit_mynetworks, reject
smtpd_tls_security_level = may
smtpd_tls_cert_file = $base/cert.pem
smtpd_tls_key_file = $base/key.pem
smtpd_tls_ciphers = medium
tls_medium_cipherlist = ALL:@SECLEVEL=0
CF
cat >postfix/config/master.cf <<CF
cleanup   unix  n - n -    0 cleanup
qmgr      unix  n - n 300  1 qmgr
tlsmgr    unix  - - n 1000? 1 tlsmgr
rewrite   unix  - - n -    - trivial-rewrite
bounce    unix  - - n -    0 bounce
defer     unix  - - n -    0 bounce
trace     unix  - - n -    0 bounce
proxymap  unix  - - n -    - proxymap
discard   unix  - - n -    - discard
anvil     unix  - - n -    1 anvil
postlog   unix-dgram n - n - 1 postlogd
CF
for version in "${versions[@]}"; do
    port=$(free_port)
    port_of[postfix $version]=$port
    echo "127.0.0.1:$port inet n - n - - smtpd -o smtpd_tls_protocols=$version" >>postfix/config/master.cf
done
postfix -c "$base/postfix/config" start >/dev/null 2>&1

program=${EXIM_ROOT:-$root/target/exim}
[ -f "$program/usr/sbin/exim4" ] || { echo "Exim is not in $program: scripts/setup.sh test puts it there" >&2; exit 1; }
chmod 644 "$base/key.pem"
for version in "${versions[@]}"; do
    port=$(free_port)
    port_of[exim $version]=$port
    dir=$base/exim-$version
    mkdir -p "$dir/spool" "$dir/log"
    install -m 755 "$program/usr/sbin/exim4" "$dir/exim4"
    name=VERS-TLS${version#TLSv}
    [ "$version" != TLSv1 ] || name=VERS-TLS1.0
    cat >"$dir/exim.conf" <<CONF
exim_path = $dir/exim4
spool_directory = $dir/spool
log_file_path = $dir/log/%slog
pid_file_path = $dir/pid
exim_user = nobody
exim_group = nogroup
deliver_drop_privilege = true
primary_hostname = localhost
local_interfaces = 127.0.0.1
daemon_smtp_ports = $port
tls_advertise_hosts = *
tls_certificate = $base/cert.pem
tls_privatekey = $base/key.pem
tls_require_ciphers = LEGACY:-VERS-ALL:+$name
tls_resumption_hosts = *
host_lookup =
rfc1413_hosts =
keep_environment =
acl_smtp_rcpt = rcpt
begin acl
rcpt:
  accept
begin routers
gone:
  driver = redirect
  data = :blackhole:
CONF
    chown -R nobody:nogroup "$dir"
    chown root "$dir/exim.conf"
    { cat /etc/passwd; echo "Debian-exim:x:$(id -u nobody):$(id -g nobody)::/nonexistent:/usr/sbin/nologin"; } >"$dir/passwd"
    { cat /etc/group; echo "Debian-exim:x:$(id -g nobody):"; } >"$dir/group"
    setpriv --reuid nobody --regid nogroup --clear-groups -- env \
        LD_LIBRARY_PATH="$program/usr/lib/x86_64-linux-gnu:$program/usr/lib" \
        LD_PRELOAD="$program/usr/lib/x86_64-linux-gnu/libnss_wrapper.so" \
        NSS_WRAPPER_PASSWD="$dir/passwd" NSS_WRAPPER_GROUP="$dir/group" \
        "$dir/exim4" -C "$dir/exim.conf" -bdf >"$dir/out" 2>&1 &
    exims+=($!)
done

for peer in postfix exim; do
    for version in "${versions[@]}"; do
        listens "${port_of[$peer $version]}"
        timeout 60 python3 "$here/servers.py" "$peer" "$version" "${port_of[$peer $version]}" "$base/ca.pem"
    done
done
