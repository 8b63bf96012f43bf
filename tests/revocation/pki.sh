#!/bin/sh
# Makes in the folder $1 the certificates and lists of the revocation tests: a root, an intermediate, servers, responders. They name
# hosts of .example, which the tests answer for.
set -eu
mkdir -p "$1"
cd "$1"
mkdir -p issued

for ca in ca int other; do
    : >$ca.index
    cat >$ca.cnf <<CNF
[ca]
default_ca = own
[own]
new_certs_dir = issued
database = $ca.index
rand_serial = yes
unique_subject = no
policy = any
default_md = sha256
default_crl_days = 30
crl_extensions = list
[any]
commonName = supplied
[list]
authorityKeyIdentifier = keyid:always
[part]
issuingDistributionPoint = critical,@point
[point]
fullname = URI:http://lists.example/part.crl
[elsewhere]
issuingDistributionPoint = critical,@elsewhere_point
[elsewhere_point]
fullname = URI:http://lists.example/not-this.crl
[authorities]
issuingDistributionPoint = critical,@authorities_point
[authorities_point]
onlyCA = TRUE
[indirect]
issuingDistributionPoint = critical,@indirect_point
[indirect_point]
indirectCRL = TRUE
[delta]
2.5.29.27 = critical,DER:02:01:01
[req]
distinguished_name = dn
[dn]
CNF
done

NOW="-startdate 20250101000000Z -enddate 20890101000000Z"
PAST="-startdate 20200101000000Z -enddate 20210101000000Z"

# name subject issuer extensions [dates]
issue() {
    openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1.key" 2>/dev/null
    openssl req -new -config ca.cnf -key "$1.key" -subj "/CN=$2" -out "$1.csr"
    printf '%b' "$4" >"$1.ext"
    if [ "$3" = self ]; then
        by="-selfsign -keyfile $1.key -config $1.cnf"
    else
        by="-cert $3.pem -keyfile $3.key -config $3.cnf"
    fi
    # shellcheck disable=SC2086
    openssl ca -batch -notext $by -in "$1.csr" -extfile "$1.ext" ${5:-$NOW} -out "$1.pem" 2>/dev/null
    rm -f "$1.csr" "$1.ext"
}

CA='basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\nsubjectKeyIdentifier=hash\n'
SERVER='basicConstraints=CA:FALSE\nextendedKeyUsage=serverAuth\nsubjectAltName=DNS:mail.example,DNS:localhost\n'
LIST='crlDistributionPoints=URI:http://lists.example/'
RESPONDER='authorityInfoAccess=OCSP;URI:http://responder.example/'

issue ca 'Test Root' self "$CA"
issue other 'Other Root' self "$CA"
issue int 'Test Intermediate' ca "$CA${LIST}ca.crl\n${RESPONDER}ca\n"
issue plain server int "$SERVER"
issue listed server int "$SERVER${LIST}int.crl\n"
issue listed-revoked server int "$SERVER${LIST}int.crl\n"
issue asked server int "$SERVER${RESPONDER}int\n"
issue both server int "$SERVER${LIST}int.crl\n${RESPONDER}int\n"
issue two server int "$SERVER${LIST}nothing.crl,URI:http://lists.example/int.crl\n"
issue ldap server int "${SERVER}crlDistributionPoints=URI:ldap://lists.example/cn=x,URI:file:///etc/passwd\nauthorityInfoAccess=OCSP;URI:https://responder.example/\n"
issue in-part server int "$SERVER${LIST}part.crl\n"
issue under-root server ca "$SERVER${LIST}ca.crl\n"
issue delegate responder int 'basicConstraints=CA:FALSE\nextendedKeyUsage=OCSPSigning\n'
issue delegate-no-usage responder int 'basicConstraints=CA:FALSE\n'
issue delegate-expired responder int 'basicConstraints=CA:FALSE\nextendedKeyUsage=OCSPSigning\n' "$PAST"
issue delegate-foreign responder other 'basicConstraints=CA:FALSE\nextendedKeyUsage=OCSPSigning\n'

# out ca options
list() {
    out=$1 ca=$2
    shift 2
    openssl ca -gencrl -config "$ca.cnf" -cert "$ca.pem" -keyfile "$ca.key" "$@" -out "$out.pem-crl" 2>/dev/null
    openssl crl -in "$out.pem-crl" -outform DER -out "$out.crl"
}

list empty-ca ca
openssl ca -revoke listed-revoked.pem -config int.cnf -cert int.pem -keyfile int.key 2>/dev/null
list int int
list expired int -crl_lastupdate 20200101000000Z -crl_nextupdate 20210101000000Z
list future int -crl_lastupdate 20880101000000Z -crl_nextupdate 20890101000000Z
list part int -crlexts part
list elsewhere int -crlexts elsewhere
list authorities int -crlexts authorities
list indirect int -crlexts indirect
list delta int -crlexts delta
list foreign other
openssl ca -revoke int.pem -config ca.cnf -cert ca.pem -keyfile ca.key 2>/dev/null
list revoked-int ca
