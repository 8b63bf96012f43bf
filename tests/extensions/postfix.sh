# Postfix that relays to the next hop: sourced by run.sh.

start_postfix() { # FOLDER PORT NEXT-HOP
    local dir=$1 port=$2 hop=$3
    command -v postfix >/dev/null ||
        { echo "Postfix is not installed: scripts/setup.sh test installs it" >&2; return 1; }
    mkdir -p "$dir/config" "$dir/queue" "$dir/data"
    chown postfix "$dir/data"
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
mynetworks = 127.0.0.0/8
disable_dns_lookups = yes
smtp_host_lookup = native
smtpd_peername_lookup = no
smtpd_relay_restrictions = permit_mynetworks, reject
smtputf8_enable = yes
default_transport = smtp:[127.0.0.1]:$hop
local_header_rewrite_clients =
alias_maps =
alias_database =
message_size_limit = 300000
smtpd_discard_ehlo_keywords =
CF
    cat >"$dir/config/master.cf" <<CF
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
smtp      unix  - - n -    - smtp
showq     unix  n - n -    - showq
error     unix  - - n -    - error
retry     unix  - - n -    - error
discard   unix  - - n -    - discard
anvil     unix  - - n -    1 anvil
scache    unix  - - n -    1 scache
postlog   unix-dgram n - n - 1 postlogd
CF
    postfix -c "$dir/config" start >"$dir/out" 2>&1 || { cat "$dir/out" >&2; return 1; }
    postfix_config=$dir/config
}

stop_postfix() {
    [ -n "${postfix_config:-}" ] || return 0
    postfix -c "$postfix_config" stop >/dev/null 2>&1 || true
    for _ in $(seq 50); do
        postfix -c "$postfix_config" status >/dev/null 2>&1 || break
        sleep 0.1
    done
}
