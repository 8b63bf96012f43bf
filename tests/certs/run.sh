#!/usr/bin/env bash
# Stores of others, and stores made just now by the tools that own their formats, read by all of the readers' tests: the vectors of
# Python's cryptography with NIST's PKITS; everything of make.sh anew (openssl, keytool, Bouncy Castle, ssh-keygen, puttygen, Python);
# the user's and the machine's folder. And keys on tokens and in stores that only their own tools make: SoftHSM tokens with keys that never leave them, filled by
# pkcs11-tool; tests/token.rs reads them and has openssl verify what the keys sign.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

# --- the vectors of others ------------------------------------------------------------------------------------------------
vectors=$(ls -d "$root"/target/vectors-*/cryptography_vectors 2>/dev/null | tail -n 1 || true)
[ -n "$vectors" ] || { echo "FAILED  the vectors are missing: scripts/setup.sh test fetches them" >&2; exit 1; }
test_of() { # ARGUMENTS of cargo test
    cargo test -q --manifest-path "$root/Cargo.toml" "$@"
}
CERT_VECTORS=$vectors test_of --test vectors -- --ignored
CERT_VECTORS=$vectors test_of --test revocation -- --ignored

# --- stores made just now -------------------------------------------------------------------------------------------------
bash "$root/tests/certs/make.sh" "$work/made"
export SSMTP_CERT_FIXTURES=$work/made
test_of --lib -- certs::tests:: certs::certificate::tests:: --skip hostile --skip signing --skip ten_thousand --skip never_panic
test_of --test secure -- stores::a_key_of_every
# The user's store and the machine's, in an /etc of their own.
mkdir -p "$work/home/.local/share/libssmtp/certs/MY" "$work/etc/libssmtp/certs/MY"
cp "$work/made/modern.pfx" "$work/home/.local/share/libssmtp/certs/MY/"
cat "$work/made/p256.crt" "$work/made/p256.p8" >"$work/etc/libssmtp/certs/MY/other.pem"
cp -a /etc/. "$work/etc/" 2>/dev/null || true # what only root may read is not needed
binary=$(cargo test --manifest-path "$root/Cargo.toml" --test secure --no-run --message-format json 2>/dev/null |
    python3 -c 'import json, sys; print([e for e in map(json.loads, sys.stdin) if e.get("executable") and e["target"]["name"] == "secure"][-1]["executable"])')
apart=(unshare -rm)
"${apart[@]}" true 2>/dev/null || apart=(sudo unshare -m)
(cd "$root" && HOME_STORE=$work/home ETC=$work/etc BINARY=$binary "${apart[@]}" bash -c \
    'mount --bind "$ETC" /etc && HOME=$HOME_STORE exec "$BINARY" -q --ignored folders')
unset SSMTP_CERT_FIXTURES

# --- tokens ---------------------------------------------------------------------------------------------------------------
quiet() { "$@" >log 2>&1 </dev/null || { echo "failed: $*" >&2; tail -n 20 log >&2; exit 1; }; }

module=$(dpkg -L libsofthsm2 softhsm2 2>/dev/null | grep -m1 'libsofthsm2\.so$' || true)
[ -n "$module" ] || module=$(find /usr/lib /usr/local/lib -name libsofthsm2.so 2>/dev/null | head -n 1)
[ -n "$module" ] || { echo "SoftHSM is missing: scripts/setup.sh test installs it" >&2; exit 1; }

mkdir tokens
printf 'directories.tokendir = %s/tokens\nobjectstore.backend = file\nlog.level = ERROR\nslots.removable = false\n' "$work" >softhsm2.conf
export SOFTHSM2_CONF=$work/softhsm2.conf
for token in mail spare; do
    quiet softhsm2-util --init-token --free --label $token --so-pin 87654321 --pin $token-1234
done
tool() { quiet pkcs11-tool --module "$module" --token-label "$1" --pin "$1-1234" "${@:2}"; }

# An authority, and a certificate for each public key on the token: the private keys were made there and are not to be had.
quiet openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ca.key -out ca.crt -days 3650 -subj "/CN=Token CA"
quiet openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:1024 -out dummy.key
# pkcs11-tool reads no public key of P-384: its list shows the point, which is made into a key here.
public() { # ID
    pkcs11-tool --module "$module" --token-label mail --pin mail-1234 --list-objects --type pubkey 2>/dev/null | python3 -c '
import re, sys
text = next(o for o in sys.stdin.read().split("Public Key Object") if re.search(r"ID:\s*" + sys.argv[1], o))
point = bytes.fromhex(re.search(r"EC_POINT:\s*([0-9a-f]+)", text)[1])
point = point[2:] if point[1] < 128 else point[3:]
algorithm = {32: "06032b6570", 65: "06072a8648ce3d020106082a8648ce3d030107", 97: "06072a8648ce3d020106052b81040022", 133: "06072a8648ce3d020106052b81040023"}[len(point)]
tlv = lambda tag, body: bytes([tag]) + (bytes([len(body)]) if len(body) < 128 else bytes([0x81, len(body)])) + body
sys.stdout.buffer.write(tlv(0x30, tlv(0x30, bytes.fromhex(algorithm)) + tlv(3, b"\0" + point)))' "$1"
}
printf 'keyUsage = critical,digitalSignature\nextendedKeyUsage = clientAuth,emailProtection\n' >leaf.cnf
certify() { # ID NAME TYPE
    case $3 in
        rsa:*) quiet pkcs11-tool --module "$module" --token-label mail --pin mail-1234 --read-object --type pubkey --id "$1" --output-file "$2.pub.der" ;;
        *) public "$1" >"$2.pub.der" ;;
    esac
    quiet openssl pkey -pubin -inform DER -in "$2.pub.der" -out "$2.pub"
    quiet openssl req -new -key dummy.key -subj "/CN=$2.example.com" -out "$2.csr"
    quiet openssl x509 -req -in "$2.csr" -CA ca.crt -CAkey ca.key -force_pubkey "$2.pub" -days 3650 -set_serial "0x$1" -extfile leaf.cnf -outform DER -out "$2.der"
    tool mail --write-object "$2.der" --type cert --id "$1" --label "$2"
}
make() { # ID NAME TYPE…
    tool mail --keypairgen --key-type "$3" --id "$1" --label "$2" --usage-sign "${@:4}"
    certify "$1" "$2" "$3"
}
make 01 rsa rsa:2048 --usage-decrypt
make 02 p256 EC:secp256r1 --usage-derive
make 03 p384 EC:secp384r1 --usage-derive
make 04 p521 EC:secp521r1 --usage-derive
make 05 ed25519 EC:edwards25519
make 06 careful rsa:2048 --always-auth
quiet openssl x509 -in ca.crt -outform DER -out ca.der
tool mail --write-object ca.der --type cert --id 99 --label ca
# Two tokens of one name, and one that is taken away while its key is in use.
for pin in 1111 2222; do
    quiet softhsm2-util --init-token --free --label twin --so-pin 87654321 --pin twin-$pin
done
quiet softhsm2-util --init-token --free --label leaving --so-pin 87654321 --pin leaving-1234
tool leaving --keypairgen --key-type rsa:2048 --id 01 --label alone --usage-sign
# A key without certificate on the other token.
tool spare --keypairgen --key-type rsa:2048 --id 01 --label alone --usage-sign

export SSMTP_TOKEN_MODULE=$module SSMTP_TOKEN_FOLDER=$work
cargo test -q --manifest-path "$root/Cargo.toml" --test token -- --ignored
cargo test -q --manifest-path "$root/Cargo.toml" --test secure -- --ignored never_leaves
