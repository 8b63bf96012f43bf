#!/bin/sh
# Makes what the tests of signed and encrypted messages need, in the folder $1: an authority and, for each kind of key, a certificate of
# it (.crt, .pem) with the key (.p8 in DER, .key in PEM). Nothing here is a secret or lasts.
set -eu
mkdir -p "$1"
cd "$1"

openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out ca.key 2>/dev/null
openssl req -x509 -new -key ca.key -days 3650 -subj '/O=Example/CN=Mail Root' -out ca.crt \
    -addext keyUsage=critical,keyCertSign,cRLSign -addext basicConstraints=critical,CA:TRUE 2>/dev/null
openssl req -x509 -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout other-ca.key -days 3650 -subj '/CN=Other Root' \
    -out other-ca.crt 2>/dev/null

# An authority below, which signs one certificate of its own.
openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out sub.key 2>/dev/null
printf 'basicConstraints=critical,CA:TRUE\nkeyUsage=keyCertSign\n' >sub.ext
openssl req -new -key sub.key -subj '/CN=Sub' | openssl x509 -req -CA ca.crt -CAkey ca.key -days 3650 -extfile sub.ext -out sub.crt 2>/dev/null

leaf() { # name usage issuer [extended usage [days]]
    printf 'keyUsage=critical,%s\nextendedKeyUsage='"${4:-emailProtection}"'\nsubjectAltName=email:%s@example.com\nsubjectKeyIdentifier=hash\n' \
        "$2" "$1" >"$1.ext"
    openssl req -new -key ca.key -subj "/C=DE/O=Example, Inc./CN=$1" -out "$1.csr" 2>/dev/null
    openssl pkey -in "$1.key" -pubout -out "$1.pub"
    openssl x509 -req -in "$1.csr" -force_pubkey "$1.pub" -CA "$3.crt" -CAkey "$3.key" -days "${5:-3650}" -sha256 -extfile "$1.ext" \
        -set_serial "0x$(openssl rand -hex 8 | sed 's/^./9/')" -out "$1.crt" 2>/dev/null
    openssl x509 -in "$1.crt" -outform DER -out "$1.der"
    openssl pkcs8 -topk8 -nocrypt -in "$1.key" -outform DER -out "$1.p8"
}

openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out rsa.key 2>/dev/null
openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:1024 -out rsa1024.key 2>/dev/null
openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:512 -out rsa512.key 2>/dev/null
openssl genpkey -algorithm RSA-PSS -pkeyopt rsa_keygen_bits:2048 -out rsapss.key 2>/dev/null
openssl genpkey -algorithm RSA-PSS -pkeyopt rsa_keygen_bits:2048 -pkeyopt rsa_pss_keygen_md:sha384 \
    -pkeyopt rsa_pss_keygen_mgf1_md:sha384 -pkeyopt rsa_pss_keygen_saltlen:48 -out rsapss384.key 2>/dev/null
for curve in 256 384 521; do openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-$curve -out p$curve.key 2>/dev/null; done
openssl genpkey -algorithm ed25519 -out ed25519.key
openssl genpkey -algorithm x25519 -out x25519.key
openssl dsaparam -genkey -out dsa.par 2048 2>/dev/null
openssl pkey -in dsa.par -out dsa.key
cp rsa.key subrsa.key
for name in signonly encryptonly expired forservers; do cp rsa.key $name.key; done

for name in rsa rsa1024 rsa512; do leaf $name digitalSignature,keyEncipherment ca; done
for name in p256 p384 p521; do leaf $name digitalSignature,keyAgreement ca; done
for name in rsapss rsapss384 ed25519 dsa signonly; do leaf $name digitalSignature ca; done
leaf x25519 keyAgreement ca
leaf encryptonly keyEncipherment ca
leaf subrsa digitalSignature,keyEncipherment sub
leaf expired digitalSignature,keyEncipherment ca emailProtection -1
leaf forservers digitalSignature,keyEncipherment ca serverAuth
