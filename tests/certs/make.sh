#!/usr/bin/env bash
# Makes the certificates, keys and stores of the tests with the tools that own the formats: openssl, keytool (with Bouncy
# Castle), ssh-keygen, puttygen, Python's cryptography.
# The results are checked in below tests/data/certs; the keys protect nothing. Usage: tests/certs/make.sh [FOLDER]
set -euo pipefail
out=${1:-$(dirname "$0")/../data/certs}
mkdir -p "$out"
cd "$out"
days=36500
quiet() { "$@" >/dev/null 2>&1 || { echo "failed: $*" >&2; exit 1; }; }

# Keys, one of each kind.
quiet openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out rsa.p8
for curve in 256 384 521; do quiet openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-$curve -out p$curve.p8; done
quiet openssl genpkey -algorithm ed25519 -out ed25519.p8
quiet openssl genpkey -algorithm ed448 -out ed448.p8
quiet openssl dsaparam -genkey -out dsa.key 2048

# A chain and certificates with every extension that is shown.
quiet openssl req -x509 -new -key p256.p8 -days $days -subj '/C=DE/O=Test, Inc./CN=Root "One"' -set_serial 0x8001 -out ca.crt \
    -addext keyUsage=keyCertSign,cRLSign -addext basicConstraints=critical,CA:TRUE
cat >leaf.cnf <<'C'
[leaf]
keyUsage = critical,digitalSignature,nonRepudiation,keyEncipherment,dataEncipherment
extendedKeyUsage = emailProtection,clientAuth,1.2.3.4
subjectAltName = @names
[names]
DNS.1 = mail.example.com
email.1 = ann@example.com
IP.1 = 192.0.2.1
IP.2 = 2001:db8::1
URI.1 = https://example.com/
RID.1 = 1.2.3.4
dirName.1 = other
otherName.1 = 1.3.6.1.5.5.7.8.9;FORMAT:UTF8,UTF8:jörg@example.com
[other]
CN = Other
C
quiet openssl req -new -key rsa.p8 -utf8 -out leaf.csr \
    -subj '/C=DE/ST=Bavaria/L=München/O=Example/OU=A+OU=B/CN=Leaf, Example/emailAddress=ann@example.com/DC=example'
quiet openssl x509 -req -in leaf.csr -CA ca.crt -CAkey p256.p8 -days $days -set_serial 0x00a1b2c3d4e5f6 -extfile leaf.cnf -extensions leaf -out rsa.crt
for k in p256 p384 p521 ed25519 ed448; do
    quiet openssl req -x509 -new -key $k.p8 -days $days -subj "/CN=$k.example.com" -out $k.crt
done
quiet openssl req -x509 -new -key dsa.key -days $days -subj /CN=dsa.example.com -sha256 -out dsa.crt
quiet openssl req -x509 -new -key rsa.p8 -days $days -subj /CN=pss.example.com -sha384 -sigopt rsa_padding_mode:pss -out pss.crt
openssl x509 -in rsa.crt -outform DER -out rsa.der
rm leaf.csr leaf.cnf

# Private keys in every PEM and DER coat.
openssl pkey -in rsa.p8 -traditional -out rsa.p1
openssl pkey -in p384.p8 -traditional -out p384.sec1
openssl pkey -in rsa.p8 -outform DER -out rsa.p8.der
quiet openssl rsa -in rsa.p8 -traditional -outform DER -out rsa.p1.der
openssl pkey -in rsa.p8 -pubout -out rsa.pub
for c in aes-128-cbc aes-192-cbc aes-256-cbc des-ede3-cbc des-cbc; do
    case $c in des-cbc) legacy="-provider legacy -provider default" ;; *) legacy= ;; esac
    quiet openssl rsa $legacy -in rsa.p1 -$c -traditional -passout pass:secret -out "legacy-$c.pem"
done
for c in aes-128-cbc aes-192-cbc aes-256-cbc des3; do quiet openssl pkcs8 -topk8 -in p256.p8 -v2 $c -passout pass:secret -out "pbes2-$c.pem"; done
quiet openssl pkcs8 -topk8 -in p256.p8 -v2 aes-256-cbc -v2prf hmacWithSHA512 -passout pass:secret -out pbes2-sha512.pem
quiet openssl pkcs8 -topk8 -in p256.p8 -v2 aes-256-cbc -v2prf hmacWithSHA1 -passout pass:secret -out pbes2-sha1.pem
quiet openssl pkcs8 -topk8 -in p256.p8 -scrypt -scrypt_N 1024 -passout pass:secret -out pbes2-scrypt.pem
for v in PBE-MD5-DES PBE-SHA1-DES PBE-MD5-RC2-64 PBE-SHA1-RC2-64 PBE-SHA1-RC4-128 PBE-SHA1-RC4-40 PBE-SHA1-3DES PBE-SHA1-2DES PBE-SHA1-RC2-128 PBE-SHA1-RC2-40; do
    quiet openssl pkcs8 -topk8 -in p256.p8 -v1 $v -provider legacy -provider default -passout pass:secret -out "pbes1-$v.pem"
done
quiet openssl pkcs8 -topk8 -in p256.p8 -v2 aes-128-cbc -outform DER -passout pass:secret -out pbes2.der
cat rsa.p1 rsa.crt ca.crt >bundle.pem

# PFX.
pfx() { local name=$1; shift; quiet openssl pkcs12 -export -inkey rsa.p8 -in rsa.crt -certfile ca.crt -name leaf -out "$name.pfx" "$@"; }
pfx modern -passout pass:secret
pfx legacy -legacy -passout pass:secret
pfx rc2-128 -keypbe PBE-SHA1-3DES -certpbe PBE-SHA1-RC2-128 -macalg sha1 -provider legacy -provider default -passout pass:secret
pfx plain -keypbe NONE -certpbe NONE -passout pass:secret
pfx nomac -nomac -passout pass:secret
pfx open -keypbe NONE -certpbe NONE -nomac -passout pass:
pfx empty -passout pass:
pfx sha512 -macalg sha512 -passout pass:secret
pfx utf8 -passout pass:pässwörd
quiet openssl pkcs12 -export -nokeys -in rsa.crt -passout pass:secret -out certs-only.pfx

# PBMAC1 (RFC 9579) over the contents of the file without a MAC: OpenSSL writes it from 3.4 on.
python3 - <<'P'
import hashlib, hmac
def tlv(tag, *parts):
    body = b"".join(parts)
    size = len(body)
    head = bytes([size]) if size < 128 else (lambda b: bytes([0x80 | len(b)]) + b)(size.to_bytes((size.bit_length() + 7) // 8, "big"))
    return bytes([tag]) + head + body
def content(b):
    size, at = b[1], 2
    if size & 0x80:
        at += size & 0x7f
        size = int.from_bytes(b[2:at], "big")
    return b[at:at + size], b[at + size:]
oid = lambda text: tlv(6, bytes.fromhex(text))
pfx, _ = content(open("nomac.pfx", "rb").read())
_, auth = content(pfx)
inner, _ = content(auth)
_, explicit = content(inner)
safe, _ = content(content(explicit)[0])
salt = bytes(range(16))
sha256 = tlv(0x30, oid("2a864886f70d0209"), b"\5\0")
kdf = tlv(0x30, oid("2a864886f70d01050c"), tlv(0x30, tlv(4, salt), tlv(2, b"\x08\0"), tlv(2, b"\x20"), sha256))
mac = hmac.new(hashlib.pbkdf2_hmac("sha256", b"secret", salt, 2048, 32), safe, "sha256").digest()
data = tlv(0x30, tlv(0x30, tlv(0x30, oid("2a864886f70d01050e"), tlv(0x30, kdf, sha256)), tlv(4, mac)), tlv(4, b"NOT USED"), tlv(2, b"\1"))
open("pbmac1.pfx", "wb").write(tlv(0x30, pfx, data))
P

# P7B: PEM, DER, and BER with indefinite lengths.
openssl crl2pkcs7 -nocrl -certfile rsa.crt -certfile ca.crt -out chain.p7b
openssl crl2pkcs7 -nocrl -certfile rsa.crt -certfile ca.crt -outform DER -out chain.p7b.der
printf 'text\n' | openssl cms -sign -stream -nodetach -binary -signer rsa.crt -inkey rsa.p8 -outform DER -out ber.p7b

# SSH keys.
for k in rsa p256 p384 p521; do
    cp $k.p8 k.tmp && chmod 600 k.tmp
    ssh-keygen -y -f k.tmp | sed 's/$/ user@example.com/' >$k.ssh
    ssh-keygen -i -m PKCS8 -f <(openssl pkey -in $k.p8 -pubout) | ssh-keygen -e -m RFC4716 -f /dev/stdin >$k.4716
done
rm -f k.tmp ssh-ed25519 ssh-ed25519.pub
quiet ssh-keygen -t ed25519 -N '' -C 'ed@example.com' -f ssh-ed25519
mv ssh-ed25519.pub ed25519.ssh

# Private keys in OpenSSH's form, the last with a passphrase; and kinds that PuTTY has beside.
for k in rsa p256 p384 p521; do
    cp $k.p8 $k.openssh && chmod 600 $k.openssh
    quiet ssh-keygen -q -p -P '' -N '' -f $k.openssh
    chmod 644 $k.openssh
done
cp rsa.openssh locked.openssh && chmod 600 locked.openssh
quiet ssh-keygen -q -p -P '' -N secret -f locked.openssh
chmod 644 locked.openssh

# PuTTY keys, versions 2 and 3, with and without a passphrase.
printf secret >pass.tmp
: >empty.tmp
puttykey() { # NAME INPUT
    quiet puttygen "$2" -O private --ppk-param version=2 -o "$1-v2.ppk" --old-passphrase empty.tmp --new-passphrase empty.tmp
    quiet puttygen "$2" -O private --ppk-param version=2 -o "$1-v2-pw.ppk" --old-passphrase empty.tmp --new-passphrase pass.tmp
    quiet puttygen "$2" -O private --ppk-param version=3 -o "$1-v3.ppk" --old-passphrase empty.tmp --new-passphrase empty.tmp
    quiet puttygen "$2" -O private --ppk-param version=3,memory=256,passes=2 -o "$1-v3-pw.ppk" --old-passphrase empty.tmp --new-passphrase pass.tmp
}
puttykey rsa rsa.p1
openssl pkey -in p256.p8 -traditional -out ec.tmp
puttykey p256 ec.tmp
openssl pkey -in p521.p8 -traditional -out ec.tmp
puttykey p521 ec.tmp
puttykey ed25519 ssh-ed25519
for kdf in argon2i argon2d; do
    quiet puttygen rsa.p1 -O private --ppk-param version=3,kdf=$kdf,memory=256,passes=2 -o rsa-$kdf.ppk --old-passphrase empty.tmp --new-passphrase pass.tmp
done
openssl pkey -in dsa.key -traditional -out ec.tmp
quiet puttygen ec.tmp -O private -o dsa.ppk --old-passphrase empty.tmp --new-passphrase empty.tmp
quiet puttygen -q -t ed448 -O private -o ed448.ppk --new-passphrase empty.tmp
rm -f pass.tmp empty.tmp ec.tmp

# Java.
for type in JKS JCEKS; do
    low=${type,,}
    rm -f store.$low
    quiet keytool -importkeystore -srckeystore modern.pfx -srcstoretype PKCS12 -srcstorepass secret -destkeystore store.$low -deststoretype $type -deststorepass secret \
        -destkeypass secret -srcalias leaf -destalias leaf
    quiet keytool -importcert -noprompt -alias root -file ca.crt -keystore store.$low -storetype $type -storepass secret
done
# Bouncy Castle's own (Debian: libbcprov-java).
bouncy() { quiet keytool "$@" -storetype BCFKS -providerpath /usr/share/java/bcprov.jar -providerclass org.bouncycastle.jce.provider.BouncyCastleProvider; }
rm -f store.bcfks
quiet keytool -importkeystore -srckeystore modern.pfx -srcstoretype PKCS12 -srcstorepass secret -destkeystore store.bcfks -deststoretype BCFKS -deststorepass secret \
    -destkeypass secret -srcalias leaf -destalias leaf -providerpath /usr/share/java/bcprov.jar -providerclass org.bouncycastle.jce.provider.BouncyCastleProvider
bouncy -importcert -noprompt -alias root -file ca.crt -keystore store.bcfks -storepass secret
bouncy -genkeypair -alias ec -keyalg EC -groupname secp384r1 -dname CN=bouncy.example.com -validity 36500 -keystore store.bcfks -storepass secret -keypass secret
# A key with another password than its store.
for type in JKS JCEKS BCFKS; do
    low=${type,,}
    rm -f other.$low
    provider=()
    [ $type != BCFKS ] || provider=(-providerpath /usr/share/java/bcprov.jar -providerclass org.bouncycastle.jce.provider.BouncyCastleProvider)
    quiet keytool -importkeystore -srckeystore modern.pfx -srcstoretype PKCS12 -srcstorepass secret -destkeystore other.$low -deststoretype $type \
        -deststorepass secret -destkeypass another -srcalias leaf -destalias leaf "${provider[@]}"
done
rm -f java.pfx
quiet keytool -genkeypair -alias one -keyalg RSA -keysize 2048 -dname CN=one.example.com -validity 36500 -storetype PKCS12 -keystore java.pfx -storepass secret
quiet keytool -genkeypair -alias two -keyalg EC -groupname secp256r1 -dname CN=two.example.com -validity 36500 -storetype PKCS12 -keystore java.pfx -storepass secret

# JWK and XML, from openssl's numbers.
python3 - <<'P'
import base64, json, re, subprocess
def text(key): return subprocess.run(["openssl", "pkey", "-in", key, "-noout", "-text"], capture_output=True, text=True, check=True).stdout
def numbers(t):
    found = {}
    for name, body in re.findall(r"^(\w+):\n((?:    [0-9a-f:]+\n)+)", t, re.M):
        found[name] = bytes.fromhex(re.sub(r"[\s:]", "", body)).lstrip(b"\0") if name not in ("priv", "pub") else bytes.fromhex(re.sub(r"[\s:]", "", body))
    return found
url = lambda b: base64.urlsafe_b64encode(b).rstrip(b"=").decode()
std = lambda b: base64.b64encode(b).decode()
der = base64.b64encode(open("rsa.der", "rb").read()).decode()
r = numbers(text("rsa.p8")); e = b"\1\0\1"
rsa = {"kty": "RSA", "kid": "one", "n": url(r["modulus"]), "e": url(e), "d": url(r["privateExponent"]), "p": url(r["prime1"]), "q": url(r["prime2"]),
       "dp": url(r["exponent1"]), "dq": url(r["exponent2"]), "qi": url(r["coefficient"])}
json.dump(rsa, open("rsa.jwk", "w"))
json.dump({k: rsa[k] for k in ("kty", "n", "e")}, open("rsa-public.jwk", "w"))
jwks = [dict(rsa, x5c=[der])]
for key, curve, size in (("p256", "P-256", 32), ("p384", "P-384", 48), ("p521", "P-521", 66)):
    n = numbers(text(key + ".p8")); d = n["priv"].lstrip(b"\0").rjust(size, b"\0"); x, y = n["pub"][1:1 + size], n["pub"][1 + size:]
    jwks.append({"kty": "EC", "crv": curve, "x": url(x), "y": url(y), "d": url(d)})
n = numbers(text("ed25519.p8"))
jwks.append({"kty": "OKP", "crv": "Ed25519", "x": url(n["pub"]), "d": url(n["priv"])})
json.dump({"keys": jwks}, open("set.jwk", "w"), indent=1)
names = (("Modulus", "modulus"), ("P", "prime1"), ("Q", "prime2"), ("DP", "exponent1"), ("DQ", "exponent2"), ("InverseQ", "coefficient"), ("D", "privateExponent"))
body = "".join(f"<{a}>{std(r[b])}</{a}>" for a, b in names) + f"<Exponent>{std(e)}</Exponent>"
open("rsa.xml", "w").write(f"<RSAKeyValue>{body}</RSAKeyValue>")
open("x509.xml", "w").write(f'<?xml version="1.0"?>\n<!-- a comment -->\n<ds:KeyInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:X509Data><ds:X509Certificate>\n{der}\n</ds:X509Certificate></ds:X509Data></ds:KeyInfo>')
P

# OpenSSH keys with a passphrase, under each cipher that they may have.
for pair in aes256-ctr:rsa aes128-ctr:p384 aes256-cbc:p256 3des-cbc:p521 aes128-gcm@openssh.com:rsa aes256-gcm@openssh.com:p256 chacha20-poly1305@openssh.com:rsa; do
    cipher=${pair%%:*} name=locked-${pair%%[@:]*}.openssh
    cp "${pair#*:}.p8" "$name" && chmod 600 "$name"
    quiet ssh-keygen -q -p -Z "$cipher" -P '' -N secret -f "$name"
    chmod 644 "$name"
done

# What Python's `cryptography` writes.
python3 - <<'P'
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization as s
from cryptography.hazmat.primitives.serialization import pkcs12
read = lambda name: open(name, "rb").read()
key = s.load_pem_private_key(read("rsa.p8"), None)
own, root = (x509.load_pem_x509_certificate(read(name)) for name in ("rsa.crt", "ca.crt"))
def write(name, encryption):
    open(name, "wb").write(pkcs12.serialize_key_and_certificates("K\u00e4te".encode(), key, own, [root], encryption))
for name, algorithm, mac in (("old", pkcs12.PBES.PBESv1SHA1And3KeyTripleDESCBC, hashes.SHA1()), ("new", pkcs12.PBES.PBESv2SHA256AndAES256CBC, hashes.SHA512())):
    builder = s.PrivateFormat.PKCS12.encryption_builder().kdf_rounds(5000).key_cert_algorithm(algorithm).hmac_hash(mac)
    write(f"python-{name}.pfx", builder.build(b"secret"))
write("python-open.pfx", s.NoEncryption())
open("python.pem", "wb").write(key.private_bytes(s.Encoding.PEM, s.PrivateFormat.PKCS8, s.BestAvailableEncryption(b"secret")))
P
