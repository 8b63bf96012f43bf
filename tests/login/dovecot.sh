# Dovecot's submission service, as nobody: sourced by run.sh. Mail goes on to the embedded server.
# PLAIN, LOGIN, CRAM-MD5, DIGEST-MD5, SCRAM-SHA-1 and -256 against a file of passwords; XOAUTH2 and OAUTHBEARER against tokens
# that it verifies by itself; GSSAPI with a realm of its own (kerberos.sh).

. "$here/kerberos.sh"

start_dovecot() { # FOLDER PORT
    local dir=$1/dovecot port=$2 sink
    command -v dovecot >/dev/null || { echo "dovecot is not installed: scripts/setup.sh test installs it" >&2; return 1; }
    start_realm "$1" || return 1
    mkdir -p "$dir/run" "$dir/keys/default/HS256"
    mkfifo "$dir/sink"
    "$root/target/debug/xtask" serve --discard >"$dir/sink" &
    sink_pid=$!
    read -r _ sink <"$dir/sink"
    python3 "$here/oauth_token.py" key >"$dir/keys/default/HS256/default"
    # The second name is the one that DIGEST-MD5 looks for: its user has a realm.
    cat >"$dir/users" <<'USERS'
alice:{PLAIN}correct-Horse 7 battery-Staple 9 stable-Door 11
alice@localhost:{PLAIN}correct-Horse 7 battery-Staple 9 stable-Door 11
bob:{PLAIN}pä"s\s{wörd}
carol@localhost:{PLAIN}q"s\s{word},=
USERS
    cat >"$dir/oauth2.conf" <<CONF
introspection_mode = local
local_validation_key_dict = fs:posix:prefix=$dir/keys/
username_attribute = sub
CONF
    cat >"$dir/dovecot.conf" <<CONF
base_dir = $dir/run
state_dir = $dir/run
log_path = $dir/log
default_internal_user = nobody
default_login_user = nobody
default_internal_group = nogroup
protocols = submission
ssl = no
disable_plaintext_auth = no
auth_mechanisms = plain login cram-md5 digest-md5 scram-sha-1 scram-sha-256 xoauth2 oauthbearer gssapi
auth_krb5_keytab = ${KRB5_CONFIG%/*}/keytab
# Its own name for the service would be "submission"; every key of the table is fine.
auth_gssapi_hostname = "\$ALL"
import_environment = KRB5_CONFIG
auth_realms = localhost other.example
auth_failure_delay = 0
auth_verbose = yes
hostname = dovecot.example
first_valid_uid = 0
mail_location = maildir:$dir/mail
submission_relay_host = 127.0.0.1
submission_relay_port = ${sink##*:}
submission_relay_trusted = yes
service anvil {
  chroot =
  # Without it every failed login makes the next one slower.
  unix_listener anvil-auth-penalty {
    mode = 0
  }
}
service submission-login {
  chroot =
  inet_listener submission {
    address = 127.0.0.1
    port = $port
  }
}
passdb {
  driver = oauth2
  mechanisms = xoauth2 oauthbearer
  args = $dir/oauth2.conf
}
passdb {
  driver = passwd-file
  args = scheme=PLAIN username_format=%u $dir/users
}
userdb {
  driver = static
  args = uid=nobody gid=nogroup home=$dir
}
CONF
    chown -R nobody:nogroup "$dir"
    as_nobody dovecot -F -c "$dir/dovecot.conf" >"$dir/out" 2>&1 &
    dovecot_pid=$!
    log_of[dovecot]=$dir/log
    LOGIN_TOKEN=$(python3 "$here/oauth_token.py" good)
    LOGIN_STALE_TOKEN=$(python3 "$here/oauth_token.py" stale)
    export LOGIN_TOKEN LOGIN_STALE_TOKEN
}

stop_dovecot() {
    stop_realm
    end_process "${dovecot_pid:-}"
    end_process "${sink_pid:-}"
}
