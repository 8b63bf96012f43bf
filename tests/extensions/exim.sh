# Exim that relays to the next hop, as nobody, from its package unpacked aside: sourced by run.sh.

start_exim() { # FOLDER PORT NEXT-HOP
    local dir=$1 port=$2 hop=$3 program=${EXIM_ROOT:-$root/target/exim}
    [ -f "$program/usr/sbin/exim4" ] ||
        { echo "Exim is not in $program: scripts/setup.sh test puts it there" >&2; return 1; }
    mkdir -p "$dir/spool" "$dir/log"
    # A copy: the package's own is setuid, which would drop LD_LIBRARY_PATH.
    install -m 755 "$program/usr/sbin/exim4" "$dir/exim4"
    cat >"$dir/exim.conf" <<CONF
exim_path = $dir/exim4
spool_directory = $dir/spool
log_file_path = $dir/log/%slog
pid_file_path = $dir/pid
exim_user = nobody
exim_group = nogroup
deliver_drop_privilege = true
primary_hostname = exim.example
local_interfaces = 127.0.0.1
daemon_smtp_ports = $port
tls_advertise_hosts =
chunking_advertise_hosts = *
dsn_advertise_hosts = *
smtputf8_advertise_hosts = *
pipelining_advertise_hosts = *
accept_8bitmime = true
message_size_limit = 300000
host_lookup =
rfc1413_hosts =
keep_environment =
log_selector = +received_recipients +8bitmime +pipelining
acl_smtp_mail = accept
acl_smtp_rcpt = accept
begin routers
onward:
  driver = manualroute
  domains = *
  route_data = 127.0.0.1
  self = send
  transport = onward
begin transports
onward:
  driver = smtp
  port = $hop
  allow_localhost = true
  hosts_try_chunking =
  hosts_try_fastopen =
begin retry
* * F,1m,1s
CONF
    chown -R nobody:nogroup "$dir"
    chown root "$dir/exim.conf"
    # It will not start without a user of this name, which its package would have made.
    { cat /etc/passwd; echo "Debian-exim:x:$(id -u nobody):$(id -g nobody)::/nonexistent:/usr/sbin/nologin"; } >"$dir/passwd"
    { cat /etc/group; echo "Debian-exim:x:$(id -g nobody):"; } >"$dir/group"
    setpriv --reuid nobody --regid nogroup --clear-groups -- \
        env LD_LIBRARY_PATH="$program/usr/lib/x86_64-linux-gnu:$program/usr/lib" \
        LD_PRELOAD="$program/usr/lib/x86_64-linux-gnu/libnss_wrapper.so" \
        NSS_WRAPPER_PASSWD="$dir/passwd" NSS_WRAPPER_GROUP="$dir/group" \
        "$dir/exim4" -C "$dir/exim.conf" -bdf >"$dir/out" 2>&1 &
    exim_pid=$!
}

stop_exim() { end_process "${exim_pid:-}"; }
