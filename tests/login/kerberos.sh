# A Kerberos realm of our own, as nobody: sourced by run.sh. Its users are those of the other mechanisms, and Dovecot's GSSAPI
# is the service. Everything finds it by KRB5_CONFIG.

start_realm() { # FOLDER
    local dir=$1/realm port
    command -v krb5kdc >/dev/null && command -v kadmin.local >/dev/null && command -v kinit >/dev/null ||
        { echo "krb5-kdc, krb5-admin-server or krb5-user is not installed: scripts/setup.sh test installs them" >&2; return 1; }
    port=$(free_port)
    mkdir -p "$dir"
    # UDP to a port that is bound and never read: a distribution centre that is silent.
    export KRB5_CONFIG=$dir/krb5.conf KRB5_KDC_PROFILE=$dir/kdc.conf KRB5CCNAME=FILE:$dir/tickets KRB5_CLIENT_KTNAME=FILE:$dir/none
    cat >"$KRB5_CONFIG" <<CONF
[libdefaults]
default_realm = TEST.EXAMPLE
dns_lookup_kdc = false
dns_lookup_realm = false
dns_canonicalize_hostname = false
rdns = false
udp_preference_limit = 0
clockskew = 1
[realms]
TEST.EXAMPLE = {
kdc = 127.0.0.1:$port
}
CONF
    cat >"$KRB5_KDC_PROFILE" <<CONF
[kdcdefaults]
kdc_listen = 127.0.0.1:$port
kdc_tcp_listen = 127.0.0.1:$port
[realms]
TEST.EXAMPLE = {
database_name = $dir/principal
key_stash_file = $dir/stash
max_life = 1h
}
[logging]
kdc = FILE:$dir/log
CONF
    : >"$dir/none"
    {
        kdb5_util create -s -r TEST.EXAMPLE -P 'nothing but this test' &&
            kadmin.local -q 'addprinc -pw "correct-Horse 7 battery-Staple 9 stable-Door 11" alice' &&
            kadmin.local -q 'addprinc -randkey smtp/localhost' &&
            kadmin.local -q 'addprinc -randkey smtp/elsewhere' &&
            kadmin.local -q "ktadd -k $dir/keytab smtp/localhost"
    } >"$dir/out" 2>&1 || { cat "$dir/out" >&2; return 1; }
    chown -R nobody:nogroup "$dir"
    as_nobody krb5kdc -n -r TEST.EXAMPLE >>"$dir/out" 2>&1 &
    realm_pid=$!
    for _ in $(seq 100); do
        if python3 -c 'import socket, sys; socket.create_connection(("127.0.0.1", int(sys.argv[1])), 1)' "$port" 2>/dev/null; then return 0; fi
        sleep 0.05
    done
    tail -n 20 "$dir/out" "$dir/log" >&2
    return 1
}

stop_realm() { end_process "${realm_pid:-}"; }
