# shellcheck shell=bash disable=SC2154
# What run.sh has not shown yet of options and exit codes; it is read by run.sh and uses its functions.

arrived() { grep -q "$1" "$(newest)"; }
says() { grep -q -- "$1" "$work/said"; }

# The message.
serve --extensions "PIPELINING,8BITMIME,SIZE 100000000" --auth 'me:open sesame' --fault "RCPT:bad=550 5.1.1 no" --fault "RCPT:later=451 later" \
    --fault "RCPT:rude=550 no$(printf '\033[2J\302\2332J')" --fault "MAIL:stall=stall"
plain=(--server "127.0.0.1:$port" --tls none)
echo 'open sesame' >"$work/login"
login=(--user me --password-file "$work/login")
check "a login, from a file" exits 0 send "${plain[@]}" "${login[@]}" "${mail[@]}" --text x -vv
check "no word of the password" not grep -rq -e sesame -e "$(printf '\0me\0open sesame' | base64)" "$work/said" "$work/out"
check "from standard input" exits 0 check "${plain[@]}" --user me --password-file - <"$work/login"
check "from the environment" env "PW=open sesame" "$ssmtp" check "${plain[@]}" --user me --password-env PW
check "from no such variable" exits 66 check "${plain[@]}" --user me --password-env NO_SUCH_PW
check "a mechanism by name" exits 0 check "${plain[@]}" "${login[@]}" --auth LOGIN -v
check "is the one that is used" says '^> AUTH LOGIN'
echo wrong >"$work/wrong"
check "a refused login is exit code 77" exits 77 check "${plain[@]}" --user me --password-file "$work/wrong"
plain+=("${login[@]}")
check "further recipients and headers" exits 0 send "${plain[@]}" "${mail[@]}" --cc cc@a.example --bcc bcc@a.example --reply-to answer@a.example \
    --return-path bounce@a.example --hello client.example --text x -v
check "EHLO with a name" says '^> EHLO client.example'
check "the envelope has all" test "$(sed 's/ SIZE.*//' "$(newest envelope)" | tr '\n' ' ')" = \
    'MAIL FROM:<bounce@a.example> RCPT TO:<you@b.example> RCPT TO:<cc@a.example> RCPT TO:<bcc@a.example> '
check "the headers have Cc" arrived '^Cc: cc@a.example'
check "and Reply-To" arrived '^Reply-To: answer@a.example'
check "and no Bcc" not arrived "bcc@"
echo 'from a file' >"$work/text"
echo '<p>from a file</p>' >"$work/html"
check "text and HTML from files" exits 0 send "${plain[@]}" "${mail[@]}" --text-file "$work/text" --html-file "$work/html"
check "arrive as alternatives" arrived '^Content-Type: multipart/alternative'
check "text from standard input" exits 0 send "${plain[@]}" "${mail[@]}" --text-file - <"$work/text"
check "arrives" arrived '^from a file'
check "standard input is for one option" exits 66 send "${plain[@]}" "${mail[@]}" --text-file - --html-file - <"$work/text"
printf 'a\0b' >"$work/nul"
check "text with NUL is not cut short" exits 66 send "${plain[@]}" "${mail[@]}" --text-file "$work/nul"
printf 'From: them@c.example\nBcc: blind@c.example\nX-Own: 1\n\nWhole\n' >"$work/whole.eml"
check "a whole message" exits 0 send "${plain[@]}" "${mail[@]}" --message "$work/whole.eml"
check "arrives as it is" arrived '^X-Own: 1'
check "but for its Bcc" not arrived "blind@"
check "a property by name" exits 0 send "${plain[@]}" "${mail[@]}" --text x --set Importance=1
check "is set" arrived '^Importance: High'
check "a setting by name" exits 0 send "${plain[@]}" "${mail[@]}" --text x --config "Hello=other.example" -v
check "is set, too" says '^> EHLO other.example'
check "an option with an equals sign" exits 0 send "${plain[@]}" "${mail[@]}" --subject=a=b --text=x
check "has what is behind the first" arrived '^Subject: a=b'
check "a flag takes no value" exits 64 send --modern=1
check "VRFY" exits 0 verify you@b.example "${plain[@]}"
check "prints the reply" grep -q you@b.example "$work/out"
check "EXPN" exits 0 expand list "${plain[@]}"
check "prints the members" test "$(wc -l <"$work/out")" -ge 2
check "a hash by name" exits 0 send "${plain[@]}" "${mail[@]}" --text x --sign "$work/me.pfx" --sign-password-file "$work/password" --hash SHA512
check "is in the signature" arrived 'micalg="\?sha-512'

# Exit codes, and what goes where.
check "a refusal for good is 69" exits 69 send "${plain[@]}" --from me@a.example --to bad@b.example --text x
check "a refusal for now is 75" exits 75 send "${plain[@]}" --from me@a.example --to later@b.example --text x
check "a server does not steer the terminal" exits 69 send "${plain[@]}" --from me@a.example --to rude@b.example --text x -v
check "by any control character" not grep -q "$(printf '\033\|\302\233')" "$work/said"
check "no sender is 65" exits 65 send "${plain[@]}" --to you@b.example --text x
check "no server is 64" exits 64 send "${mail[@]}" --text x
check "a missing attachment is 66" exits 66 send "${plain[@]}" "${mail[@]}" --text x --attach "$work/none"
check "a missing store is 66" exits 66 send "${plain[@]}" "${mail[@]}" --text x --sign "$work/none"
check "what is no certificate is 65" exits 65 send "${plain[@]}" "${mail[@]}" --text x --encrypt-to "$work/text"
check "a name that does not resolve is 68" exits 68 check --server no-such-host.invalid
check "a server with a bad port is 64" exits 64 check --server host:99999
check "an address that no interface has is 75" exits 75 check --server 127.0.0.1:1 --set LocalHost=203.0.113.5
check "what a command takes is told" exits 64 send "${plain[@]}" word
check "no such command" exits 64 nonsense
full() { "$ssmtp" "$@" >/dev/full 2>"$work/said"; [ $? -eq 74 ]; }
check "a full disk behind standard output is 74" full help
closed() { "$ssmtp" send "${plain[@]}" "${mail[@]}" --text untouched -vv 2>&-; }
check "a closed standard error is no place for a connection" closed
check "and what it would show goes nowhere" diff <(tail -n 1 "$(newest)" | tr -d '\r') <(echo untouched)

# A folder with something that nobody takes.
rm -f "$work/queue"/*
quiet "$ssmtp" send --from me@a.example --to bad@b.example --text x --queue "$work/queue"
quiet "$ssmtp" send "${mail[@]}" --text "from the folder" --queue "$work/queue"
check "process tells by 69 that one was refused" exits 69 process "$work/queue" "${plain[@]}"
check "and the others went" arrived "from the folder"
check "it is kept" test -n "$(ls "$work/queue"/*.failed)"
quiet "$ssmtp" send --from stall@a.example --to you@b.example --text "in the middle" --queue "$work/queue"
"$ssmtp" process "$work/queue" "${plain[@]}" -v 2>"$work/said" &
running=$!
for _ in $(seq 200); do says '^> MAIL' && break; sleep 0.05; done
kill -INT $running 2>/dev/null || kill $running
sleep 0.1
kill $running 2>/dev/null
wait $running 2>/dev/null
check "recover names what was being sent" exits 0 recover "$work/queue"
check "as it is" grep -q '\.sending$' "$work/out"
check "and lets it be sent again" exits 0 recover "$work/queue" --config QueueRecovery=Requeue
check "under its usual name" test -n "$(ls "$work/queue"/*.queued)"

check "the terminal: bar, question, Ctrl-C" python3 tests/cli/terminal.py "$ssmtp" "$port" "$work/large" "$work/login"

# Tokens: the server of a transcript, the second time with a refusal.
echo ya29.token.token >"$work/token"
target/debug/xtask serve --transcript tests/transcripts/login_xoauth2.txt >"$work/listening" 2>/dev/null &
other=$!
for _ in $(seq 100); do grep -q listening "$work/listening" && break; sleep 0.05; done
oauth=(--server "127.0.0.1:$(sed -n 's/.*:\([0-9]*\)$/\1/p' "$work/listening")" --tls none --hello client.example --user tim --token-file "$work/token")
check "a token" exits 0 check "${oauth[@]}" -v
check "is not shown" not grep -q ya29 "$work/said"
check "a refused token is 77" exits 77 check "${oauth[@]}" -v
check "and not shown either" not grep -q ya29 "$work/said"
wait "$other"

# Proxies and certificates for the TLS login.
python3 tests/cli/peers.py "$work/server.crt" "$work/server.key" "$work/me.crt" >"$work/ports" &
other=$!
for _ in $(seq 100); do [ -s "$work/ports" ] && break; sleep 0.05; done
read -r proxy identity <"$work/ports"
echo 'let me through' >"$work/through"
there=(--tls none "${login[@]}" --server "there.example:$port")
check "SOCKS5 with a password in the URL" exits 0 check "${there[@]}" --server "*there.example:$port" --proxy "socks5://alice:let%20me%20through@127.0.0.1:$proxy"
check "a tunnel with a password from a file" exits 0 check "${there[@]}" --proxy "http://alice@127.0.0.1:$proxy/" --proxy-password-file "$work/through"
check "a proxy that refuses is 75" exits 75 check "${there[@]}" --proxy "http://alice:let/me@127.0.0.1:$proxy" -v
check "its password is not shown" not says 'let/me'
check "a broken URL is 64" exits 64 check "${there[@]}" --proxy "socks5://alice:%zz@127.0.0.1:$proxy"
mine=(--server "localhost:$identity" --tls implicit --ca "$work/server.crt")
check "a certificate of one's own" exits 0 check "${mine[@]}" --identity "$work/me.pfx" --identity-password-file "$work/password" -v
check "is shown to the server" says '^< 220 welcome me'
check "which takes nobody without" exits 76 check "${mine[@]}"
pin=sha256//$(openssl x509 -in "$work/server.crt" -noout -pubkey | openssl pkey -pubin -outform der | openssl dgst -sha256 -binary | base64)
mine+=(--identity "$work/me.pfx" --identity-password-file "$work/password")
check "a pin" exits 0 check "${mine[@]}" --pin "$pin"
check "of another key is 76" exits 76 check "${mine[@]}" --pin "sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
check "modern settings need TLS for a login" exits 65 check "${plain[@]}" --modern
kill "$other"

serve --fault GREETING=stall
check "a timeout is 75" exits 75 check --server "127.0.0.1:$port" --tls none --timeout 1
