# The proxies, each as nobody on a free port of loopback: sourced by run.sh. All know a name that nobody else does.

ONLY_THERE=only.proxy.example
user='tim'
password='tanstaaf-Zx7 "quoted" \back'
# Those of the program that looks for passwords in memory.
other_user='alice'
other_password='correct-Horse 7 battery-Staple 9 stable-Door 11'

hosts() { # FOLDER: what only the proxies resolve; Squid reads it itself, the others by a preloaded library
    printf '127.0.0.1 localhost %s\n' "$ONLY_THERE" >"$1/hosts"
    for wrapper in /usr/lib/*/libnss_wrapper.so "$root"/target/exim/usr/lib/*/libnss_wrapper.so; do
        [ -f "$wrapper" ] && break
    done
    [ -f "$wrapper" ] || { echo "libnss-wrapper is not there: scripts/setup.sh test unpacks it" >&2; return 1; }
    resolving=(env "LD_PRELOAD=$wrapper" "NSS_WRAPPER_HOSTS=$1/hosts")
}

start_squid() { # FOLDER: Basic, Digest and NTLM, in clear and over TLS
    local dir=$1/squid port=$(free_port) secure=$(free_port) digest python=/usr/bin/python3
    mkdir -p "$dir"
    # Nobody need not be able to walk to this folder, nor to a python of somebody's own.
    cp "$here/ntlm_helper.py" "$dir/"
    [ -x $python ] || python=$(command -v python3)
    local name word
    while IFS=$'\t' read -r name word; do
        printf '%s:%s\n' "$name" "$(openssl passwd -apr1 -- "$word")" >>"$dir/basic"
        digest=$(printf '%s:%s:%s' "$name" 'a realm, ours' "$word" | md5sum | cut -d' ' -f1)
        printf '%s:%s:%s\n' "$name" 'a realm, ours' "$digest" >>"$dir/digest"
        printf '%s\n%s\n' "$name" "$word" >>"$dir/ntlm"
    done < <(printf '%s\t%s\n' "$user" "$password" "$other_user" "$other_password")
    cat >"$dir/squid.conf" <<CONF
http_port 127.0.0.1:$port
https_port 127.0.0.1:$secure tls-cert=$1/proxy.pem tls-key=$1/proxy.key
auth_param ntlm program $python $dir/ntlm_helper.py $dir/ntlm
auth_param ntlm children 2 startup=1
auth_param ntlm keep_alive on
auth_param digest program /usr/lib/squid/digest_file_auth -c $dir/digest
auth_param digest children 1 startup=1
auth_param digest realm a realm, ours
auth_param digest nonce_garbage_interval 1 hour
auth_param basic program /usr/lib/squid/basic_ncsa_auth $dir/basic
auth_param basic children 1 startup=1
auth_param basic realm a realm, ours
acl known proxy_auth REQUIRED
acl CONNECT method CONNECT
http_access allow CONNECT known
http_access deny all
cache deny all
hosts_file $1/hosts
pid_filename $dir/pid
cache_log $dir/log
access_log stdio:$dir/access
cache_store_log none
netdb_filename none
coredump_dir $dir
pinger_enable off
shutdown_lifetime 0 seconds
connect_timeout 5 seconds
visible_hostname proxy.example
CONF
    chown -R nobody:nogroup "$dir"
    chmod 644 "$1/proxy.key"
    as_nobody squid -N -f "$dir/squid.conf" >"$dir/out" 2>&1 &
    pids+=($!)
    export SQUID=$port SQUID_TLS=$secure
}

start_tinyproxy() { # FOLDER: Basic
    local dir=$1/tinyproxy port=$(free_port)
    mkdir -p "$dir"
    # It has no quoting for passwords.
    cat >"$dir/conf" <<CONF
User nobody
Group nogroup
Port $port
Listen 127.0.0.1
Timeout 30
LogFile "$dir/log"
LogLevel Info
MaxClients 20
Allow 127.0.0.1
BasicAuth $user tanstaaf-Zx7
CONF
    chown -R nobody:nogroup "$dir"
    as_nobody "${resolving[@]}" tinyproxy -d -c "$dir/conf" >"$dir/out" 2>&1 &
    pids+=($!)
    export TINYPROXY=$port
}

start_dante() { # FOLDER: SOCKS 4 and 5 without a login
    local dir=$1/dante port=$(free_port)
    mkdir -p "$dir"
    cat >"$dir/conf" <<CONF
logoutput: $dir/log
internal: 127.0.0.1 port = $port
external: lo
clientmethod: none
socksmethod: none
user.privileged: nobody
user.unprivileged: nobody
client pass {
    from: 127.0.0.0/8 to: 0.0.0.0/0
}
socks pass {
    from: 127.0.0.0/8 to: 0.0.0.0/0
    command: connect
    proxyprotocol: socks_v4 socks_v5
}
CONF
    chown -R nobody:nogroup "$dir"
    as_nobody "${resolving[@]}" danted -f "$dir/conf" -N 1 >"$dir/out" 2>&1 &
    pids+=($!)
    export DANTE=$port
}

start_microsocks() { # FOLDER: SOCKS 5 with user and password, one for each user
    local dir=$1/microsocks port=$(free_port)
    mkdir -p "$dir"
    export MICROSOCKS_OTHER=$(free_port)
    as_nobody microsocks -i 127.0.0.1 -p "$MICROSOCKS_OTHER" -u "$other_user" -P "$other_password" >"$dir/other" 2>&1 &
    pids+=($!)
    as_nobody "${resolving[@]}" microsocks -i 127.0.0.1 -p "$port" -u "$user" -P "$password" >"$dir/out" 2>&1 &
    pids+=($!)
    export MICROSOCKS=$port
}
