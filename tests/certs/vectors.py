#!/usr/bin/env python3
"""Writes tests/data/vectors.tsv: what the files of the Python package cryptography_vectors are, as the package `cryptography` reads them.

usage: tests/certs/vectors.py FOLDER >tests/data/vectors.tsv     (FOLDER: the unpacked package)

A line has what it is, its file, its password, the SHA-256 (begun) of the public key whose private key is in it, the certificates' (begun, in
order), and for single certificates serial number, end (seconds) and key. What `cryptography` refuses or reads otherwise than libssmtp
means to stands in OURS, by its class of error.
"""
import base64
import calendar
import hashlib
import os
import re
import subprocess
import sys
import time
import warnings

from cryptography import x509
from cryptography.hazmat.primitives import serialization as s
from cryptography.hazmat.primitives.serialization import pkcs7, pkcs12

warnings.simplefilter("ignore")
root = sys.argv[1]
WORDS = [None, b"", b"password", b"cryptography", b"foobar", b"baz", b"123456", b"a123456", b"123123", b"PolarSSLTest", b"Red Hat Enterprise Linux 7.4", b"hunter42", b"hunter2", b"qwerty", b"polar", b"mypassword"]

# What libssmtp means to do otherwise: the class of its error, or what is read.
OURS = {}


def ours(result, folder, names, password="-"):
    for name in names.split():
        OURS[f"{folder}/{name}"] = (password, *result)


K = "asymmetric/"
UNSUPPORTED, BROKEN, EMPTY, PASSWORD = ["unsupported"], ["broken"], ["empty"], ["password"]
# Security keys and X448, which have no use here; curves without a name, and those other than NIST's three; what does not exist.
ours(UNSUPPORTED, K + "OpenSSH", "sk-ecdsa-nopsw.key sk-ecdsa-nopsw.key.pub sk-ecdsa-psw.key sk-ecdsa-psw.key.pub sk-ed25519-nopsw.key sk-ed25519-nopsw.key.pub sk-ed25519-psw.key sk-ed25519-psw.key.pub")
ours(UNSUPPORTED, K + "X448", "x448-pkcs8.der x448-pkcs8.pem")
ours(UNSUPPORTED, K + "X448", "x448-pkcs8-enc.der x448-pkcs8-enc.pem", "password")
ours(UNSUPPORTED, K + "PKCS8", "bad-encryption-oid.pem bad-oid-dsa-key.pem ec_oid_not_in_reg_private_2.pkcs8.pem enc-unknown-algorithm.pem enc-unknown-kdf.pem enc-unknown-pbkdf2-prf.pem nodompar_private.pkcs8.pem private.pem unknown-oid.der withdompar_private.pkcs8.pem")
ours(UNSUPPORTED, K + "EC", "explicit_parameters_private_key.pem explicit_parameters_wap_wsg_idm_ecid_wtls11_private_key.pem secp128r1_private_key.pem secp256k1-explicit-no-seed.pem secp256r1-explicit-no-seed.pem secp256r1-explicit-seed.pem secp384r1-explicit-no-seed.pem secp384r1-explicit-seed.pem secp521r1-explicit-no-seed.pem secp521r1-explicit-seed.pem")
ours(BROKEN, K + "PKCS8", "ec-inconsistent-curve.pem ec-inconsistent-curve2.pem ec-invalid-private-scalar.pem ec-invalid-version.pem enc-rsa-pkcs8-pbkdf2-0iter.pem wrong-pem-delimiter-rsa.pem")
ours(BROKEN, K + "PEM_Serialization", "ec_public_key_rsa_delimiter.pem rsa-bad-1025-q-is-2.pem rsa_wrong_delimiter_public_key.pem")
ours(BROKEN, K + "Traditional_OpenSSL_Serialization", "dsa-wrong-version.pem key1-malformed-dek-info.pem key1-malformed-iv.pem key1-no-dek-info.pem key1-short-iv.pem rsa-wrong-version.pem")
ours(BROKEN, K + "DER_Serialization", "dsa_public_key_invalid_bit_string.der")
ours(BROKEN, K + "EC", "ec-missing-curve.pem")
# Its public half does not follow from its private one.
ours(BROKEN, K + "DSA/custom", "nilpotent.pem")
# Parameters alone, and a public key of DSA in a form of no standard: nothing that is searched for.
ours(EMPTY, K + "PEM_Serialization", "dsaparam.pem")
ours(EMPTY, K + "public/PKCS1", "dsa.pub.pem")
# Read as openssl reads them: a version that says more than is there, a scalar without its leading zeros.
ours(["private", "100329507e34f1e9", "EC 256"], K + "PKCS8", "invalid-version.der")
ours(["private", "5cd252fb0ce89324", "EC 256"], K + "EC", "truncated-private-key.der")
# Public keys are shown whatever their kind; lengths on binary curves are those of the point.
ours(["public", "6ffe6f5031384377", "DSA 0"], K + "DER_Serialization", "dsa_public_key_no_params.der")
ours(["public", "01a68e69093b13c2", "EC 256"], K + "EC", "secp256k1-pub-explicit-no-seed.pem")
ours(["public", "f38bb1d0c38c5cc4", "EC 168"], K + "EC", "sect163k1-spki.pem")
ours(["public", "01cc258a2362edba", "EC 168"], K + "EC", "sect163r2-spki.pem")
ours(["public", "b429ffe897e027a3", "EC 240"], K + "EC", "sect233k1-spki.pem")
ours(["public", "f4bc4fa9ec1d612a", "EC 240"], K + "EC", "sect233r1-spki.pem")
# Their passwords are in the tests of `cryptography`, which refuses them for other reasons.
ours(PASSWORD, K + "PKCS8", "rsa-pbewithmd5anddescbc.pem rsa-rc2-cbc-effective-key-length.pem")



def begun(data):
    return hashlib.sha256(data).hexdigest()[:16]


def spki(public):
    return public.public_bytes(s.Encoding.DER, s.PublicFormat.SubjectPublicKeyInfo)


def named(public):
    plain = {"Ed25519": 256, "Ed448": 456, "X25519": 256, "X448": 448}
    for kind, bits in plain.items():
        if type(public).__name__.startswith(kind):
            return f"{kind} {bits}"
    return f"{type(public).__name__.removesuffix('PublicKey').replace('EllipticCurve', 'EC').removeprefix('_')} {public.key_size}"


def der(certificate):
    return certificate.public_bytes(s.Encoding.DER)


def first(load):
    """What the first fitting password gives, with it; or None."""
    for word in WORDS:
        try:
            return word, load(word)
        except Exception:  # whatever it thinks of the file
            pass
    return None


def files(folder, endings):
    for where, _, names in os.walk(os.path.join(root, folder)):
        for name in names:
            if name.endswith(endings):
                path = os.path.join(where, name)
                with open(path, "rb") as file:
                    yield os.path.relpath(path, root), file.read()


def line(what, path, *rest):
    print(what, path, *OURS.get(path, rest), sep="\t")


def text(word):
    return word.decode() if word else "-"


for path, data in sorted([*files("pkcs12", ".p12"), *files("x509/PKITS_data/pkcs12", ".p12")]):
    found = first(lambda word: pkcs12.load_pkcs12(data, word))
    if not found:
        # Keys of DSA whose certificate inherits its parameters are openssl's alone.
        run = ["openssl", "pkcs12", "-in", os.path.join(root, path), "-passin", "pass:password", "-legacy", "-nodes"]
        pem = subprocess.run(run, capture_output=True, check=True).stdout
        private = s.load_pem_private_key(b"-----BEGIN PRIVATE" + pem.split(b"-----BEGIN PRIVATE")[1], None)
        blocks = [base64.b64decode(block.split(b"-----END")[0]) for block in pem.split(b"-----BEGIN CERTIFICATE-----")[1:]]
        line("pfx", path, "password", begun(spki(private.public_key())), ",".join(sorted(begun(block) for block in blocks)))
        continue
    word, store = found
    certificates = [c.certificate for c in [store.cert, *store.additional_certs] if c]
    line("pfx", path, text(word), begun(spki(store.key.public_key())) if store.key else "-", ",".join(sorted(begun(der(c)) for c in certificates)) or "-")

for path, data in sorted(files("x509/PKITS_data/certs", ".crt")):
    # openssl, which reads keys with inherited parameters too; and is compared with `cryptography` wherever that can.
    out = subprocess.run(["openssl", "x509", "-inform", "DER", "-noout", "-serial", "-enddate", "-text"], input=data, capture_output=True, check=True).stdout.decode()
    serial = re.search(r"^serial=(.*)$", out, re.M)[1]
    end = int(calendar.timegm(time.strptime(re.search(r"^notAfter=(.*)$", out, re.M)[1], "%b %d %H:%M:%S %Y %Z")))
    algorithm = re.search(r"Public Key Algorithm: (\w+)", out)[1]
    bits = re.search(r"Public-Key: \((\d+) bit\)", out)
    key = f"{ {'rsaEncryption': 'RSA', 'dsaEncryption': 'DSA', 'id': 'EC'}[algorithm] } {bits[1] if bits else 0}"
    try:
        c = x509.load_der_x509_certificate(data)
        if c.serial_number == -1:
            serial = "FF"  # shown as its octets
        assert (int(serial, 16) if c.serial_number >= 0 else c.serial_number, end, key) == (c.serial_number, int(c.not_valid_after_utc.timestamp()), named(c.public_key())), path
    except ValueError:
        pass
    line("certificate", path, serial, end, key, begun(data))

for path, data in sorted([*files("pkcs7", (".pem", ".der", ".p7b"))]):
    load = pkcs7.load_pem_pkcs7_certificates if b"-----BEGIN" in data else pkcs7.load_der_pkcs7_certificates
    try:
        line("p7b", path, ",".join(sorted(begun(der(c)) for c in load(data))) or "-")
    except Exception:
        if b"BEGIN CERTIFICATE" in data:
            # PEM with certificates does as well.
            line("p7b", path, ",".join(sorted(begun(der(c)) for c in x509.load_pem_x509_certificates(data))))
        else:
            line("p7b", path, "-", "broken")


def key(path, data):
    def private(word):
        loaders = [s.load_pem_private_key, s.load_ssh_private_key] if b"-----BEGIN" in data else [s.load_der_private_key]
        for load in loaders:
            try:
                return load(data, word).public_key()
            except TypeError:
                raise
            except Exception as error:
                last = error
        raise last

    found = None if path.endswith("-psw.key") else first(private)
    if path.endswith("-psw.key") and "sk-" not in path:
        # bcrypt is not in every installation: the public half lies beside.
        with open(os.path.join(root, path + ".pub"), "rb") as file:
            found = b"password", s.load_ssh_public_key(file.read())
    if found:
        return text(found[0]), "private", begun(spki(found[1])), named(found[1])
    for load in (s.load_pem_public_key, s.load_der_public_key, s.load_ssh_public_key):
        try:
            public = load(data)
            # Parameters (of PSS, of a curve that is written out) stay as they are.
            plain = data if load == s.load_der_public_key else base64.b64decode(data.split(b"-----")[2]) if data.startswith(b"-----BEGIN PUBLIC") else b""
            return "-", "public", begun(plain if b"PKCS1" not in path.encode() and plain else spki(public)), named(public)
        except Exception:
            pass
    return "-", "error"


folders = ["OpenSSH", "PKCS8", "PEM_Serialization", "Traditional_OpenSSL_Serialization", "DER_Serialization", "X448", "X25519", "Ed448", "Ed25519", "EC", "DSA/custom", "public/PKCS1"]
for folder in folders:
    for path, data in sorted(files("asymmetric/" + folder, (".pem", ".der", ".key", ".pub"))):
        # Certificates of SSH are another thing.
        if "cert" not in path:
            line("key", path, *key(path, data))
