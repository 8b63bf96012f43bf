#!/bin/sh
# Makes the certificates of the TLS tests in the folder $1: authorities, servers of which each has the faults that its name
# says, a client. Every key and date is its own; nothing here is a secret or lasts.
set -eu
mkdir -p "$1"
cd "$1"
mkdir -p issued
: >index.txt

cat >ca.cnf <<'EOF'
[ca]
default_ca = own
[own]
new_certs_dir = issued
database = index.txt
rand_serial = yes
unique_subject = no
policy = any
default_md = sha256
copy_extensions = none
[any]
commonName = supplied
[req]
distinguished_name = dn
[dn]
EOF

PAST="-startdate 20200101000000Z -enddate 20210101000000Z"
FUTURE="-startdate 20900101000000Z -enddate 20910101000000Z"
SINCE="-startdate 20200601000000Z -enddate 20890101000000Z"
NOW="-startdate 20250101000000Z -enddate 20890101000000Z"

key() { # file kind
    case $2 in
    ec) openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1" 2>/dev/null ;;
    ec384) openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-384 -out "$1" 2>/dev/null ;;
    rsa) openssl genrsa -out "$1" 2048 2>/dev/null ;;
    rsa1024) openssl genrsa -out "$1" 1024 2>/dev/null ;;
    ec521) openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-521 -out "$1" 2>/dev/null ;;
    ed25519) openssl genpkey -algorithm ED25519 -out "$1" 2>/dev/null ;;
    ed448) openssl genpkey -algorithm ED448 -out "$1" 2>/dev/null ;;
    dsa)
        [ -f dsa.params ] || openssl dsaparam -out dsa.params 2048 2>/dev/null
        openssl gendsa -out "$1" dsa.params 2>/dev/null
        ;;
    esac
}

# name subject issuer dates extensions [key]
issue() {
    key "$1.key" "${6:-ec}"
    openssl req -new -config ca.cnf -key "$1.key" -subj "/CN=$2" -out "$1.csr"
    printf '%b' "$5" >"$1.ext"
    if [ "$3" = self ]; then
        # shellcheck disable=SC2086
        openssl ca -batch -notext -config ca.cnf -selfsign -keyfile "$1.key" -in "$1.csr" -extfile "$1.ext" $4 -out "$1.pem" 2>/dev/null
    else
        # shellcheck disable=SC2086
        openssl ca -batch -notext -config ca.cnf -cert "$3.pem" -keyfile "$3.key" -in "$1.csr" -extfile "$1.ext" $4 -out "$1.pem" 2>/dev/null
    fi
    rm -f "$1.csr" "$1.ext"
}

CA='basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\nsubjectKeyIdentifier=hash\n'
SERVER='basicConstraints=CA:FALSE\nextendedKeyUsage=serverAuth\n'
CLIENT='basicConstraints=CA:FALSE\nextendedKeyUsage=clientAuth\n'
MAIL='subjectAltName=DNS:mail.example,DNS:localhost\n'
OTHER='subjectAltName=DNS:other.example\n'

issue ca 'Test Root' self "$NOW" "$CA"
issue unknown-ca 'Another Root' self "$NOW" "$CA"
issue int 'Test Intermediate' ca "$NOW" "$CA"
issue int2 'Test Second Intermediate' int "$NOW" "$CA"
issue int-gone 'Gone Intermediate' ca "$PAST" "$CA"
issue int-expired 'Expired Intermediate' ca "$PAST" "$CA"
issue int-client 'Client Intermediate' ca "$NOW" "${CA}extendedKeyUsage=clientAuth\n"
issue int-path 'Short Intermediate' ca "$NOW" 'basicConstraints=critical,CA:TRUE,pathlen:0\n'
issue int-names 'Constrained Intermediate' ca "$NOW" "${CA}nameConstraints=critical,permitted;DNS:elsewhere.example\n"
issue int-path2 'Below Short' int-path "$NOW" "$CA"
issue int-unknown 'Unknown Intermediate' unknown-ca "$NOW" "$CA"

# Every set of the four faults that have a flag: t time, c authority, u usage, n name; "none" has no fault.
for t in '' t; do for c in '' c; do for u in '' u; do for n in '' n; do
    name="$t$c$u$n"
    dates=$NOW issuer=ca usage=$SERVER host=$MAIL
    [ -z "$t" ] || dates=$PAST
    [ -z "$c" ] || issuer=unknown-ca
    [ -z "$u" ] || usage=$CLIENT
    [ -z "$n" ] || host=$OTHER
    issue "faults-${name:-none}" 'server' $issuer "$dates" "$usage$host"
done; done; done; done

issue rsa server ca "$NOW" "$SERVER$MAIL" rsa
issue ec384 server ca "$NOW" "$SERVER$MAIL" ec384
issue ed25519 server ca "$NOW" "$SERVER$MAIL" ed25519
issue ed448 server ca "$NOW" "$SERVER$MAIL" ed448
issue ed448-ca 'Ed448 Root' self "$NOW" "$CA" ed448
issue under-ed448 server ed448-ca "$NOW" "$SERVER$MAIL"
issue dsa server ca "$NOW" "$SERVER$MAIL" dsa
issue weak server ca "$NOW" "$SERVER$MAIL" rsa1024
issue future server ca "$FUTURE" "$SERVER$MAIL"
issue reissued server unknown-ca "$NOW" "$SERVER$MAIL"
issue self mail.example self "$NOW" "$SERVER$MAIL"
# Another authority of the same name, with a key of the same kind and of another one.
issue namesake mail.example self "$NOW" "$CA"
issue namesake-rsa mail.example self "$NOW" "$CA" rsa
issue ca-namesake 'Test Root' self "$NOW" "$CA" rsa
issue self-ca mail.example self "$NOW" "$CA$MAIL"
issue self-expired mail.example self "$PAST" "$SERVER$MAIL"
issue address server ca "$NOW" "${SERVER}subjectAltName=IP:127.0.0.1\n"
issue address-as-name server ca "$NOW" "${SERVER}subjectAltName=DNS:127.0.0.1\n"
issue common-name mail.example ca "$NOW" "$SERVER"
issue wildcard server ca "$NOW" "${SERVER}subjectAltName=DNS:*.mail.example\n"
issue wildcard-tld server ca "$NOW" "${SERVER}subjectAltName=DNS:*.example\n"
# mail.example, a NUL, .evil.example: what ends a text in C is no end of a name (CVE-2009-2408 and its kin).
issue nul server ca "$NOW" "${SERVER}subjectAltName=DER:301c821a6d61696c2e6578616d706c65002e6576696c2e6578616d706c65\n"
issue idn server ca "$NOW" "${SERVER}subjectAltName=DNS:xn--bcher-kva.example\n"
issue via server int "$NOW" "$SERVER$MAIL"
issue via2 server int2 "$NOW" "$SERVER$MAIL"
issue via-gone server int-gone "$NOW" "$SERVER$MAIL"
issue via-expired server int-expired "$SINCE" "$SERVER$MAIL"
issue via-client server int-client "$NOW" "$SERVER$MAIL"
issue via-path server int-path2 "$NOW" "$SERVER$MAIL"
issue via-names server int-names "$NOW" "$SERVER$MAIL"
issue via-unknown server int-unknown "$NOW" "$SERVER$MAIL"
issue via-leaf server faults-none "$NOW" "$SERVER$MAIL"
issue critical server ca "$NOW" "$SERVER${MAIL}1.2.3.4=critical,ASN1:UTF8String:x\n"
issue client client ca "$NOW" "$CLIENT"
issue client-rsa client ca "$NOW" "$CLIENT" rsa
issue client-ed25519 client ca "$NOW" "$CLIENT" ed25519
issue client-weak client ca "$NOW" "$CLIENT" rsa1024
issue client-p521 client ca "$NOW" "$CLIENT" ec521
issue client2 client2 ca "$NOW" "$CLIENT"
issue client-int client int "$NOW" "$CLIENT"
issue ec521 server ca "$NOW" "$SERVER$MAIL" ec521
# An authority whose signatures take long to look at.
issue slow-ca 'Slow Root' self "$NOW" "$CA" ec521
issue slow-int 'Slow Intermediate' slow-ca "$NOW" "$CA"
issue slow server slow-int "$NOW" "$SERVER$MAIL"

# A certificate whose signature's last bit is another.
openssl x509 -in faults-none.pem -outform DER -out broken.der
last=$(tail -c 1 broken.der | od -An -tu1 | tr -d ' ')
head -c -1 broken.der >broken2.der
printf "\\$(printf %03o $((last ^ 1)))" >>broken2.der
openssl x509 -in broken2.der -inform DER -out broken.pem
cp faults-none.key broken.key
rm -f broken.der broken2.der

cat int.pem >via.chain
cat int2.pem int.pem >via2.chain
cat int.pem ca.pem unknown-ca.pem int2.pem >via2-disordered.chain
cat int-expired.pem >via-expired.chain
cat int-gone.pem >via-gone.chain
cat int-client.pem >via-client.chain
cat int-path2.pem int-path.pem >via-path.chain
cat int-names.pem >via-names.chain
cat int-unknown.pem >via-unknown.chain
cat faults-none.pem >via-leaf.chain
for name in client client-rsa client-ed25519 client-weak client-p521; do
    openssl pkcs8 -topk8 -nocrypt -in $name.key -outform DER -out $name.p8
done
openssl ec -in client.key -outform DER -out client.sec1 2>/dev/null
