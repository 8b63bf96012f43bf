# Exim, as nobody, from its package unpacked aside (it and Postfix exclude each other): sourced by run.sh. Its SPA is NTLM
# version 1 only.

start_exim() { # FOLDER PORT
    local dir=$1/exim port=$2 program=${EXIM_ROOT:-$root/target/exim}
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
host_lookup =
rfc1413_hosts =
keep_environment =
acl_smtp_mail = mail
acl_smtp_rcpt = rcpt
begin acl
mail:
  accept authenticated = *
  deny
rcpt:
  accept authenticated = *
  deny
begin routers
gone:
  driver = redirect
  data = :blackhole:
begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  server_prompts = :
  server_condition = \${if and{{eq{\$auth2}{alice}}{eq{\$auth3}{correct-Horse 7 battery-Staple 9 stable-Door 11}}}}
  server_set_id = \$auth2
login:
  driver = plaintext
  public_name = LOGIN
  server_prompts = Username:: : Password::
  server_condition = \${if and{{eq{\$auth1}{alice}}{eq{\$auth2}{correct-Horse 7 battery-Staple 9 stable-Door 11}}}}
  server_set_id = \$auth1
cram:
  driver = cram_md5
  public_name = CRAM-MD5
  server_secret = \${if eq{\$auth1}{alice}{correct-Horse 7 battery-Staple 9 stable-Door 11}fail}
  server_set_id = \$auth1
spa:
  driver = spa
  public_name = NTLM
  server_password = \${if eq{\$auth1}{alice}{correct-Horse 7 battery-Staple 9 stable-Door 11}fail}
  server_set_id = \$auth1
CONF
    chown -R nobody:nogroup "$dir"
    chown root "$dir/exim.conf"
    # It will not start without a user of this name, which its package would have made.
    { cat /etc/passwd; echo "Debian-exim:x:$(id -u nobody):$(id -g nobody)::/nonexistent:/usr/sbin/nologin"; } >"$dir/passwd"
    { cat /etc/group; echo "Debian-exim:x:$(id -g nobody):"; } >"$dir/group"
    as_nobody env LD_LIBRARY_PATH="$program/usr/lib/x86_64-linux-gnu:$program/usr/lib" \
        LD_PRELOAD="$program/usr/lib/x86_64-linux-gnu/libnss_wrapper.so" \
        NSS_WRAPPER_PASSWD="$dir/passwd" NSS_WRAPPER_GROUP="$dir/group" \
        "$dir/exim4" -C "$dir/exim.conf" -bdf >"$dir/out" 2>&1 &
    exim_pid=$!
    log_of[exim]=$dir/out
}

stop_exim() { end_process "${exim_pid:-}"; }
