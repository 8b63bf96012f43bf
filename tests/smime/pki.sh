#!/bin/sh
# Makes the certificates of the S/MIME tests in the folder $1: an authority, one below it, and people of every kind of key. Every
# key is of this run alone. NAME.pem is the certificate, NAME.key the key, NAME.all both with the chain.
set -eu
mkdir -p "$1"
cd "$1"

cat >ca.cnf <<'EOF'
[req]
distinguished_name = dn
[dn]
EOF

key() { # file kind
    case $2 in
    rsa*) openssl genrsa -out "$1" "${2#rsa}" 2>/dev/null ;;
    P-*) openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:"$2" -out "$1" 2>/dev/null ;;
    *) openssl genpkey -algorithm "$2" -out "$1" 2>/dev/null ;;
    esac
}

issue() { # name kind issuer extensions [public key]
    if [ -n "${5:-}" ]; then
        key signing.key rsa2048
        openssl req -new -config ca.cnf -key signing.key -subj "/O=libssmtp/CN=$1" -out "$1.csr"
        set -- "$1" "$2" "$3" "$4" -force_pubkey "$5"
    else
        key "$1.key" "$2"
        openssl req -new -config ca.cnf -key "$1.key" -subj "/O=libssmtp/CN=$1" -out "$1.csr"
    fi
    printf '%b' "$4" >"$1.ext"
    name=$1 issuer=$3
    shift 4
    if [ "$issuer" = self ]; then
        openssl x509 -req -in "$name.csr" -signkey "$name.key" -days 3650 -extfile "$name.ext" -out "$name.pem" 2>/dev/null
    else
        openssl x509 -req -in "$name.csr" -CA "$issuer.pem" -CAkey "$issuer.key" -set_serial "0x$(openssl rand -hex 8)" \
            -days 3650 -extfile "$name.ext" -out "$name.pem" "$@" 2>/dev/null
    fi
    rm -f "$name.csr" "$name.ext"
}

CA='basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\nsubjectKeyIdentifier=hash\n'
PERSON='basicConstraints=CA:FALSE\nextendedKeyUsage=emailProtection\nsubjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n'
BOTH='keyUsage=critical,digitalSignature,keyEncipherment\n'
AGREES='keyUsage=critical,digitalSignature,keyAgreement\n'

issue root rsa2048 self "$CA"
issue middle rsa2048 root "$CA"

person() { # name kind usage
    issue "$1" "$2" middle "$PERSON${3}subjectAltName=email:$1@b.example\n"
    cat "$1.key" "$1.pem" middle.pem root.pem >"$1.all"
}

person rsa rsa2048 "$BOTH"
person second rsa2048 "$BOTH"
person third rsa2048 "$BOTH"
person p256 P-256 "$AGREES"
if [ "${2:-}" != few ]; then
    person rsa3072 rsa3072 "$BOTH"
    person p384 P-384 "$AGREES"
    person p521 P-521 "$AGREES"
    person ed25519 ED25519 'keyUsage=critical,digitalSignature\n'
    key x25519.key X25519
    openssl pkey -in x25519.key -pubout -out x25519.pub
    issue x25519 X25519 middle "${PERSON}keyUsage=critical,keyAgreement\nsubjectAltName=email:x25519@b.example\n" x25519.pub
    cat x25519.key x25519.pem middle.pem root.pem >x25519.all
fi
# Names nobody's address.
issue nobody rsa2048 middle "$PERSON$BOTH"
cat nobody.key nobody.pem middle.pem root.pem >nobody.all
cat root.pem middle.pem >chain.pem
rm -f signing.key
