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
WORDS = [None, b"", b"password", b"cryptography", b"foobar", b"baz", b"123456", b"a123456", b"123123", b"PolarSSLTest", b"Red Hat Enterprise Linux 7.4", b"hunter42", b"qwerty", b"polar", b"mypassword"]

# Refused by name: curves, kinds and parameters that are not read (ruling 45); or read, where `cryptography` is narrower.
OURS = {}


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
    if path in OURS:
        rest = OURS[path] if isinstance(OURS[path], tuple) else ("-", OURS[path])
    print(what, path, *rest, sep="\t")


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
        line("p7b", path, "-", "error")


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
            return "-", "public", begun(spki(public)), named(public)
        except Exception:
            pass
    return "-", "error"


folders = ["OpenSSH", "PKCS8", "PEM_Serialization", "Traditional_OpenSSL_Serialization", "DER_Serialization", "X448", "X25519", "Ed448", "Ed25519", "EC", "DSA/custom", "public/PKCS1"]
for folder in folders:
    for path, data in sorted(files("asymmetric/" + folder, (".pem", ".der", ".key", ".pub"))):
        # Certificates of SSH are another thing.
        if "cert" not in path:
            line("key", path, *key(path, data))
