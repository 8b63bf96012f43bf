# Postfix with Cyrus SASL and a sasldb: sourced by run.sh. The only server here that knows NTLM in both versions.

start_postfix() { # FOLDER PORT
    local dir=$1/postfix port=$2
    command -v postfix >/dev/null && command -v saslpasswd2 >/dev/null ||
        { echo "postfix or sasl2-bin is not installed: scripts/setup.sh test installs them" >&2; return 1; }
    mkdir -p "$dir/config" "$dir/queue" "$dir/data" "$dir/config/sasl"
    chown postfix "$dir/data"
    # Debian's Postfix looks for it beside main.cf, whatever cyrus_sasl_config_path says.
    cat >"$dir/config/sasl/smtpd.conf" <<CONF
pwcheck_method: auxprop
auxprop_plugin: sasldb
sasldb_path: $dir/config/sasl/sasldb2
mech_list: PLAIN LOGIN CRAM-MD5 DIGEST-MD5 NTLM SCRAM-SHA-1 SCRAM-SHA-256 SCRAM-SHA-512
CONF
    printf '%s' 'correct-Horse 7 battery-Staple 9 stable-Door 11' | saslpasswd2 -p -c -f "$dir/config/sasl/sasldb2" -u postfix.example alice || return 1
    printf '%s' 'pä"s\s{wörd}' | saslpasswd2 -p -c -f "$dir/config/sasl/sasldb2" -u postfix.example bob || return 1
    chown postfix "$dir/config/sasl/sasldb2"
    cat >"$dir/config/main.cf" <<CF
compatibility_level = 3.6
queue_directory = $dir/queue
data_directory = $dir/data
mail_owner = postfix
setgid_group = postdrop
maillog_file = $dir/maillog
maillog_file_prefixes = $dir
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = postfix.example
mydestination =
local_transport = discard:ok
default_transport = discard:ok
disable_dns_lookups = yes
smtpd_peername_lookup = no
alias_maps =
alias_database =
smtpd_sasl_auth_enable = yes
smtpd_sasl_type = cyrus
smtpd_sasl_path = smtpd
smtpd_sasl_local_domain = postfix.example
smtpd_sasl_security_options = noanonymous
cyrus_sasl_config_path = $dir/config/sasl
smtpd_sender_restrictions = permit_sasl_authenticated, reject
smtpd_relay_restrictions = permit_sasl_authenticated, reject
CF
    cat >"$dir/config/master.cf" <<CF
127.0.0.1:$port inet n - n - - smtpd
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
    log_of[postfix]=$dir/maillog
    postfix_config=$dir/config
    postfix -c "$dir/config" start >"$dir/out" 2>&1 || { cat "$dir/out" >&2; return 1; }
}

stop_postfix() {
    [ -n "${postfix_config:-}" ] || return 0
    postfix -c "$postfix_config" stop >/dev/null 2>&1 || true
    for _ in $(seq 50); do
        postfix -c "$postfix_config" status >/dev/null 2>&1 || break
        sleep 0.1
    done
}
