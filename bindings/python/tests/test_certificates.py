"""Certificates: fields against what openssl prints, stores by file and by content, rows by name."""

import base64
import calendar
import hashlib
import ipaddress
import os
import re
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

import support  # noqa: F401  (finds the package)

import ssmtp
from ssmtp import Certificate, CertStoreType, Ssmtp, SsmtpError
from ssmtp._objects_gen import CertificateFields

FOLDER = Path(__file__).resolve().parents[3] / "tests" / "data" / "certs"
KINDS = ("rsa", "pss", "p256", "p384", "p521", "ed25519", "ed448", "dsa", "ca")
FIELDS = {
    name: value for name, value in vars(CertificateFields).items() if isinstance(value, property)
}
#: The fields' names as the rows by name end in.
SPEC = {
    "".join(word.capitalize() for word in name.split("_"))
    .replace("Sha", "SHA")
    .replace("Md5", "MD5"): name
    for name in FIELDS
}
FAMILIES = {
    "SSLCert": "ssl_cert",
    "SSLAcceptServerCert": "ssl_accept_server_cert",
    "Certificate": "certificate",
}
WORDS = {
    "Digital Signature": ("Digital Signatures", 0x80),
    "Non Repudiation": ("Key Authentication", 0x40),
    "Key Encipherment": ("Key Encryption", 0x20),
    "Data Encipherment": ("Data Encryption", 0x10),
    "Key Agreement": ("Key Agreement", 0x08),
    "Certificate Sign": ("Certificate Signing", 0x04),
    "CRL Sign": ("Key Signing", 0x02),
}


def read(name):
    return (FOLDER / name).read_bytes()


def openssl(*arguments, **options):
    done = subprocess.run(
        ("openssl", *arguments), capture_output=True, check=True, cwd=FOLDER, **options
    )
    return done.stdout


def x509(name, *arguments):
    return openssl("x509", "-in", name, "-noout", *arguments).decode()


def extension(name, which):
    """The line that openssl prints for an extension; empty without it."""
    text = x509(name, "-text", "-nameopt", "utf8")
    found = re.search(rf"X509v3 {which}:[^\n]*\n\s*([^\n]*)", text)
    return found[1] if found else ""


def date(name, which):
    """`Nov 22 03:51:11 2026 GMT` in the order of the specification."""
    text = x509(name, which).strip().split("=", 1)[1]
    month, day, clock, year, _ = text.split()
    return f"{int(day):02}-{month}-{year} {clock}"


def zone(name):
    """The zone of this process."""
    if name is None:
        os.environ.pop("TZ", None)
    else:
        os.environ["TZ"] = name
    time.tzset()


class FieldsTest(unittest.TestCase):
    def certificates(self):
        return [(f"{kind}.crt", Certificate(FOLDER / f"{kind}.crt")) for kind in KINDS]

    def test_the_name_table_is_whole(self):
        self.assertEqual(len(SPEC), 29)
        smtp = Ssmtp()
        for spec in SPEC:
            smtp.get("SSLServerCert" + spec)

    def test_encoded_is_the_certificate(self):
        for name, certificate in self.certificates():
            der = openssl("x509", "-in", name, "-outform", "DER")
            self.assertEqual(certificate.encoded_b, der)
            self.assertEqual(certificate.encoded, openssl("x509", "-in", name).decode())

    def test_digests(self):
        for name, certificate in self.certificates():
            der = certificate.encoded_b
            for hash_name, suffix in (("md5", ""), ("sha1", "_sha1"), ("sha256", "_sha256")):
                digits = hashlib.new(hash_name, der).hexdigest()
                printed = x509(name, "-fingerprint", f"-{hash_name}").strip().split("=")[1]
                fingerprint = getattr(certificate, "fingerprint" + suffix)
                self.assertEqual(fingerprint, printed.lower())
                thumbprint = getattr(certificate, "thumbprint" + (suffix or "_md5"))
                self.assertEqual(thumbprint, digits.upper())

    def test_dates(self):
        before = os.environ.get("TZ")
        self.addCleanup(zone, before)
        zone("UTC")
        for name, certificate in self.certificates():
            self.assertEqual(certificate.effective_date, date(name, "-startdate"))
            self.assertEqual(certificate.expiration_date, date(name, "-enddate"))

    def test_dates_are_in_local_time(self):
        code = "import sys, ssmtp; print(ssmtp.Certificate(sys.argv[1]).effective_date, end='')"
        package = str(Path(ssmtp.__file__).parents[1])
        environment = dict(os.environ, TZ="XYZ+5", PYTHONPATH=package)
        shown = subprocess.run(
            [sys.executable, "-c", code, str(FOLDER / "rsa.crt")],
            capture_output=True,
            check=True,
            env=environment,
            text=True,
        ).stdout
        utc = calendar.timegm(time.strptime(date("rsa.crt", "-startdate"), "%d-%b-%Y %H:%M:%S"))
        local = time.gmtime(utc - 5 * 3600)
        self.assertEqual(shown, time.strftime("%d-%b-%Y %H:%M:%S", local))

    def test_serial_number_and_version(self):
        for name, certificate in self.certificates():
            serial = x509(name, "-serial").strip().split("=")[1]
            self.assertEqual(certificate.serial_number, serial)
            version = re.search(r"Version: (\d)", x509(name, "-text"))[1]
            self.assertEqual(certificate.version, f"V{version}")

    def test_names(self):
        for name, certificate in self.certificates():
            for which in ("subject", "issuer"):
                option = "RFC2253,utf8,-esc_msb,sep_comma_plus_space,-esc_2253"
                printed = x509(name, f"-{which}", "-nameopt", option).strip()
                want = printed.split("=", 1)[1]
                want = want.replace("ST=", "S=").replace("emailAddress=", "E=")
                want = want.replace("DC=", "0.9.2342.19200300.100.1.25=")
                shown = getattr(certificate, which)
                # Where a value has a comma or a quote it is quoted here, which openssl does another
                # way; and it turns the values of one element around.
                bare = re.sub(r'"((?:[^"\\]|\\.)*)"', r"\1", shown).replace('\\"', '"')
                bare = bare.replace("OU=A + OU=B", "OU=B + OU=A")
                self.assertEqual(bare, want, (name, which))
        leaf = Certificate(FOLDER / "rsa.crt").subject
        want = 'CN="Leaf, Example", OU=A + OU=B, O=Example, L=München, S=Bavaria, C=DE'
        self.assertIn(want, leaf)

    def test_usage(self):
        for name, certificate in self.certificates():
            words = [w.strip() for w in extension(name, "Key Usage").split(",") if w.strip()]
            self.assertEqual(certificate.usage, ",".join(WORDS[w][0] for w in words))
            self.assertEqual(certificate.usage_flags, sum(WORDS[w][1] for w in words))
            oids = {
                "E-mail Protection": "1.3.6.1.5.5.7.3.4",
                "TLS Web Client Authentication": "1.3.6.1.5.5.7.3.2",
            }
            printed = extension(name, "Extended Key Usage").split(",")
            words = [w.strip() for w in printed if w.strip()]
            self.assertEqual(
                certificate.extended_key_usage, ",".join(oids.get(w, w) for w in words)
            )

    def test_alternative_names(self):
        for name, certificate in self.certificates():
            want = []
            for part in extension(name, "Subject Alternative Name").split(", "):
                label, _, value = part.partition(":")
                if label == "IP Address":
                    value = str(ipaddress.ip_address(value.lower()))
                # `/CN=Other` for a name, `SmtpUTF8Mailbox:` before another one.
                value = value.replace("/CN=", "CN=").split("UTF8Mailbox:")[-1].lstrip(":")
                want += [value] if value else []
            self.assertEqual(certificate.subject_alt_names, ",".join(want), name)

    def test_keys_and_algorithms(self):
        names = {"pss": "RSA", "rsa": "RSA", "dsa": "DSA", "ed25519": "Ed25519", "ed448": "Ed448"}
        bits = {"ed25519": 256, "ed448": 456}
        for name, certificate in self.certificates():
            kind = name.split(".")[0]
            self.assertEqual(certificate.public_key, x509(name, "-pubkey"))
            self.assertEqual(certificate.public_key_algorithm, names.get(kind, "EC"))
            printed = re.search(r"Public-Key: \((\d+) bit\)", x509(name, "-text"))
            want = int(printed[1]) if printed else bits[kind]
            self.assertEqual(certificate.public_key_length, bits.get(kind, want))
            signature = re.search(r"Signature Algorithm: (\S+)", x509(name, "-text"))[1]
            same = {"ED25519": "Ed25519", "ED448": "Ed448", "dsa_with_SHA256": "dsa-with-SHA256"}
            shown = certificate.signature_algorithm
            self.assertEqual(shown.lower(), same.get(signature, signature).lower())
            self.assertEqual(certificate.private_key_container, "")

    def test_the_private_key_is_pem_that_openssl_reads(self):
        for kind in ("rsa", "p256", "p384", "p521", "ed25519", "ed448", "dsa"):
            with self.subTest(kind=kind):
                key = "dsa.key" if kind == "dsa" else f"{kind}.p8"
                both = read(key) + read(f"{kind}.crt")
                certificate = Certificate(CertStoreType.PEM_KEY_BLOB, both, "", "*")
                self.assertTrue(certificate.private_key_available)
                public = openssl("pkey", "-pubout", input=certificate.private_key.encode())
                self.assertEqual(public.decode(), certificate.public_key)
                self.assertTrue(certificate.private_key.startswith("-----BEGIN PRIVATE KEY-----\n"))


class StoreTest(unittest.TestCase):
    """Each kind by file and by content (octets and Base64), by its number and by Auto."""

    T = CertStoreType
    SECRET = "secret"
    STORES = (
        # file, type by file, type by content, password, has a key, has a certificate
        ("modern.pfx", T.PFX_FILE, T.PFX_BLOB, SECRET, True, True),
        ("legacy.pfx", T.PFX_FILE, T.PFX_BLOB, SECRET, True, True),
        ("pbmac1.pfx", T.PFX_FILE, T.PFX_BLOB, SECRET, True, True),
        ("empty.pfx", T.PFX_FILE, T.PFX_BLOB, "", True, True),
        ("open.pfx", T.PFX_FILE, T.PFX_BLOB, "", True, True),
        ("certs-only.pfx", T.PFX_FILE, T.PFX_BLOB, SECRET, False, True),
        ("store.jks", T.JKS_FILE, T.JKS_BLOB, SECRET, True, True),
        ("store.jceks", T.JKS_FILE, T.JKS_BLOB, SECRET, True, True),
        ("store.bcfks", T.BCFKS_FILE, T.BCFKS_BLOB, SECRET, True, True),
        ("bundle.pem", T.PEM_KEY_FILE, T.PEM_KEY_BLOB, "", True, True),
        ("rsa.p8", T.PEM_KEY_FILE, T.PEM_KEY_BLOB, "", True, False),
        ("rsa.p8.der", T.PEM_KEY_FILE, T.PEM_KEY_BLOB, "", True, False),
        ("legacy-aes-128-cbc.pem", T.PEM_KEY_FILE, T.PEM_KEY_BLOB, SECRET, True, False),
        ("pbes2-scrypt.pem", T.PEM_KEY_FILE, T.PEM_KEY_BLOB, SECRET, True, False),
        ("rsa.crt", T.PUBLIC_KEY_FILE, T.PUBLIC_KEY_BLOB, "", False, True),
        ("rsa.der", T.PUBLIC_KEY_FILE, T.PUBLIC_KEY_BLOB, "", False, True),
        ("rsa.pub", T.PUBLIC_KEY_FILE, T.PUBLIC_KEY_BLOB, "", False, False),
        ("rsa.ssh", T.SSH_PUBLIC_KEY_FILE, T.SSH_PUBLIC_KEY_BLOB, "", False, False),
        ("p256.4716", T.SSH_PUBLIC_KEY_FILE, T.SSH_PUBLIC_KEY_BLOB, "", False, False),
        ("chain.p7b", T.P7B_FILE, T.P7B_BLOB, "", False, True),
        ("chain.p7b.der", T.P7B_FILE, T.P7B_BLOB, "", False, True),
        ("rsa-v2.ppk", T.PPK_FILE, T.PPK_BLOB, "", True, False),
        ("rsa-v2-pw.ppk", T.PPK_FILE, T.PPK_BLOB, SECRET, True, False),
        ("ed25519-v3-pw.ppk", T.PPK_FILE, T.PPK_BLOB, SECRET, True, False),
        ("rsa.xml", T.XML_FILE, T.XML_BLOB, "", True, False),
        ("x509.xml", T.XML_FILE, T.XML_BLOB, "", False, True),
        ("rsa.jwk", T.JWK_FILE, T.JWK_BLOB, "", True, False),
        ("rsa-public.jwk", T.JWK_FILE, T.JWK_BLOB, "", False, False),
    )

    def fails(self, code, *arguments):
        with self.assertRaises(SsmtpError) as caught:
            Certificate(*arguments)
        self.assertEqual(caught.exception.code, code, caught.exception.message)
        self.assertNotIn("secret", caught.exception.message)
        return caught.exception.message

    def test_every_store_reads_the_same_however_it_is_given(self):
        for name, by_file, by_content, password, key, certificate in self.STORES:
            path, octets = FOLDER / name, read(name)
            text = base64.b64encode(octets)
            shown = set()
            for kind, store in (
                (by_file, path),
                (by_file, str(path)),
                (by_content, octets),
                (by_content, text),
                (by_content, text.decode()),
                (self.T.AUTO, path),
                (self.T.AUTO, octets),
                (self.T.AUTO, text),
            ):
                with self.subTest(name=name, kind=kind), Certificate(
                    kind, store, password, "*"
                ) as found:
                    self.assertEqual(found.private_key_available, key)
                    self.assertEqual(bool(found.encoded_b), certificate)
                    self.assertNotEqual(found.fingerprint_sha256, "")
                    self.assertEqual(found.store_type, kind)
                    self.assertEqual(found.store_password, password)
                    is_text = isinstance(store, (str, os.PathLike))
                    want = os.fspath(store).encode() if is_text else store
                    self.assertEqual(found.store_b, want)
                    shown.add(
                        (found.encoded, found.public_key, found.private_key, found.fingerprint)
                    )
            with self.subTest(name=name):
                self.assertEqual(len(shown), 1)

    def test_a_wrong_password_is_told_apart_from_a_broken_store(self):
        for name, by_file, by_content, password, _, _ in self.STORES:
            octets = read(name)
            if not password:
                continue
            for kind, store in (
                (by_file, FOLDER / name),
                (by_content, octets),
                (self.T.AUTO, FOLDER / name),
                (self.T.AUTO, octets),
            ):
                with self.subTest(name=name, kind=kind):
                    message = self.fails(271, kind, store, "not-it", "*")
                    self.assertIn("password", message)
                    broken = octets[: len(octets) // 2]
                    if store is octets and kind == by_content and name.endswith(".pfx"):
                        message = self.fails(271, kind, broken, password, "*")
                        self.assertNotIn("password", message)

    def test_an_ssh_key_has_the_fingerprint_that_ssh_keygen_prints(self):
        for name in ("rsa", "p256", "p384", "p521", "ed25519"):
            blob = base64.b64decode(read(f"{name}.ssh").split()[1])
            found = Certificate(CertStoreType.SSH_PUBLIC_KEY_FILE, FOLDER / f"{name}.ssh", "", "*")
            want = hashlib.sha256(blob).hexdigest()
            self.assertEqual(found.fingerprint_sha256.replace(":", ""), want)
            self.assertEqual(found.fingerprint.replace(":", ""), hashlib.md5(blob).hexdigest())
            self.assertEqual((found.thumbprint_sha1, found.subject), ("", ""))

    def test_what_is_not_found_is_272_and_what_cannot_be_read_271(self):
        pfx = FOLDER / "modern.pfx"
        self.fails(272, CertStoreType.PFX_FILE, pfx, "secret", "nobody")
        self.fails(272, CertStoreType.PFX_FILE, pfx, "secret", "*", "Thumbprint=" + "0" * 32)
        self.fails(272, CertStoreType.PFX_FILE, pfx, "secret", b"no certificate")
        self.fails(271, CertStoreType.PFX_FILE, FOLDER / "absent.pfx", "secret", "*")
        self.fails(271, CertStoreType.PFX_BLOB, b"garbage", "secret", "*")
        self.fails(271, CertStoreType.PFX_FILE, FOLDER / "store.jks", "secret", "*")
        self.fails(273, CertStoreType.PEM_KEY_BLOB, read("rsa.crt") + read("p256.p8"), "", "*")
        self.fails(602, CertStoreType.PFX_FILE, pfx, "secret", "*", "Colour=blue")
        self.fails(603, CertStoreType.PFX_FILE, pfx, "secret", "*", "Thumbprint=12")
        self.fails(271, FOLDER / "absent.crt")
        self.fails(272, FOLDER / "modern.pfx")
        self.fails(272, b"")

    def test_encoded_finds_its_key(self):
        for store in (FOLDER / "modern.pfx", read("modern.pfx")):
            kind = CertStoreType.PFX_BLOB if isinstance(store, bytes) else CertStoreType.PFX_FILE
            found = Certificate(kind, store, "secret", read("rsa.der"))
            self.assertTrue(found.private_key_available)
            self.assertIn("Leaf", found.subject)
            other = Certificate(kind, store, "secret", read("p384.crt"))
            self.assertFalse(other.private_key_available)
            self.assertEqual((other.subject, other.issuer), ("", "CN=p384.example.com"))

    def test_fields_select(self):
        certificate = Certificate()
        certificate.store, certificate.store_password = str(FOLDER / "java.pfx"), "secret"
        certificate.store_type = CertStoreType.PFX_FILE
        certificate.subject = "two"
        self.assertEqual(certificate.subject, "CN=two.example.com")
        certificate.subject = "nobody"
        self.assertEqual((certificate.subject, certificate.encoded), ("", ""))
        store = (CertStoreType.PFX_FILE, FOLDER / "java.pfx", "secret")
        one = Certificate(*store, "cn=ONE.example.com")
        for line in (
            "Thumbprint=" + one.thumbprint_sha1.lower(),
            "PersistPFXKey=False\nUseInternalSecurityAPI=True\nThumbprint=" + one.fingerprint,
        ):
            found = Certificate(*store, "two", line)
            self.assertEqual(found.subject, one.subject)


class UserStoreTest(unittest.TestCase):
    """The user's store is a folder below the home; another process has another home."""

    CODE = """
import sys
from ssmtp import Certificate, CertStoreType, Ssmtp, SsmtpError
smtp = Ssmtp()
for name in sys.argv[1:]:
    smtp.set("SSLCertStore", name)
    for subject in ("CN=two.example.com", "*", "nobody"):
        try:
            smtp.set("SSLCertSubject", subject)
            print(smtp.get("SSLCertSubject"), smtp.get("SSLCertPrivateKeyAvailable"))
        except SsmtpError as error:
            print(error.code)
try:
    print(Certificate(CertStoreType.USER, "MY", "secret", "*").subject)
except SsmtpError as error:
    print(error.code)
"""

    def run_at(self, home, *names):
        environment = dict(os.environ, PYTHONPATH=str(Path(ssmtp.__file__).parents[1]))
        environment.pop("HOME", None)
        if home:
            environment["HOME"] = home
        done = subprocess.run(
            [sys.executable, "-c", self.CODE, *names],
            capture_output=True,
            check=True,
            env=environment,
            text=True,
        )
        return done.stdout.splitlines()

    def test_keys_and_certificates_of_the_folder_are_found(self):
        with tempfile.TemporaryDirectory() as home:
            folder = Path(home, ".local/share/libssmtp/certs/MY")
            folder.mkdir(parents=True)
            # A certificate and its key in files of their own, and what is neither.
            (folder / "one.crt").write_bytes(read("p256.crt"))
            (folder / "one.key").write_bytes(read("p256.p8"))
            (folder / "notes.txt").write_bytes(b"nothing")
            nobody, found = " False", "CN=p256.example.com True"
            self.assertEqual(
                self.run_at(home, "MY"), [nobody, found, nobody, "CN=p256.example.com"]
            )
            # Another name is an empty store, a path is none at all.
            self.assertEqual(self.run_at(home, "OTHER", "../MY")[:6], [nobody] * 3 + ["271"] * 3)

    def test_without_a_home_or_a_folder_the_store_is_empty(self):
        with tempfile.TemporaryDirectory() as home:
            for place in (None, home):
                self.assertEqual(self.run_at(place, "MY"), [" False"] * 3 + ["272"])


class RowsTest(unittest.TestCase):
    """The flattened rows: by name they are the fields of the object."""

    def setUp(self):
        self.smtp = Ssmtp()
        self.addCleanup(self.smtp.close)

    def as_text(self, value):
        if isinstance(value, bytes):
            return base64.b64encode(value).decode()
        return str(value.value if isinstance(value, CertStoreType) else value)

    def test_every_row_is_the_field_of_the_object(self):
        for kind in ("rsa", "p256", "p384", "p521", "ed25519"):
            both = read(f"{kind}.p8") + read(f"{kind}.crt")
            certificate = Certificate(CertStoreType.PEM_KEY_BLOB, both, "", "*")
            for prefix, attribute in FAMILIES.items():
                setattr(self.smtp, attribute, certificate)
                copy = getattr(self.smtp, attribute)
                for spec, name in SPEC.items():
                    with self.subTest(kind=kind, row=prefix + spec):
                        value = getattr(certificate, name)
                        self.assertEqual(self.smtp.get(prefix + spec), self.as_text(value))
                        self.assertEqual(getattr(copy, name), value)
                setattr(self.smtp, attribute, None)
                self.assertEqual(self.smtp.get(prefix + "Encoded"), "")

    def test_rows_select_as_the_object_does(self):
        for prefix, attribute in FAMILIES.items():
            with self.subTest(prefix=prefix):
                self.smtp.set(prefix + "Store", str(FOLDER / "java.pfx"))
                self.smtp.set(prefix + "StoreType", "cstPFXFile")
                self.smtp.set(prefix + "StorePassword", "secret")
                self.assertEqual(self.smtp.get(prefix + "Subject"), "")
                self.smtp.set(prefix + "Subject", "*")
                first = self.smtp.get(prefix + "Subject")
                self.assertIn("example.com", first)
                self.assertEqual(getattr(self.smtp, attribute).subject, first)
                self.assertEqual(self.smtp.get(prefix + "PrivateKeyAvailable"), "True")
                self.smtp.set(prefix + "Subject", "nobody")
                self.assertEqual(self.smtp.get(prefix + "Subject"), "")
                self.smtp.set(prefix + "StoreB", base64.b64encode(read("modern.pfx")).decode())
                self.smtp.set(prefix + "StoreType", "3")
                self.smtp.set(prefix + "EncodedB", base64.b64encode(read("rsa.der")).decode())
                self.assertIn("Leaf", self.smtp.get(prefix + "Subject"))
                self.smtp.set(prefix + "Encoded", read("p256.crt").decode())
                self.assertEqual(self.smtp.get(prefix + "Subject"), "")
                self.assertEqual(self.smtp.get(prefix + "PublicKeyLength"), "256")
                self.smtp.set(prefix + "StorePassword", "wrong")
                with self.assertRaises(SsmtpError) as caught:
                    self.smtp.set(prefix + "Subject", "*")
                self.assertEqual(caught.exception.code, 271)
                # What was selected is there still.
                self.assertEqual(self.smtp.get(prefix + "PublicKeyLength"), "256")

    def test_the_servers_certificate_is_read_only(self):
        for spec in SPEC:
            with self.assertRaises(SsmtpError) as caught:
                self.smtp.set("SSLServerCert" + spec, "x")
            self.assertEqual(caught.exception.code, 604)
        self.assertEqual(self.smtp.ssl_server_cert.subject, "")

    def test_whole_certificates_are_copies(self):
        certificate = Certificate(FOLDER / "rsa.crt")
        self.smtp.ssl_cert = certificate
        certificate.subject = ""
        self.assertIn("Leaf", self.smtp.ssl_cert.subject)
        self.smtp.ssl_cert.subject = ""
        self.assertIn("Leaf", self.smtp.get("SSLCertSubject"))
        self.smtp.reset()
        self.assertEqual(self.smtp.get("SSLCertSubject"), "")

    def test_a_row_of_an_object_names_its_fields(self):
        for name in (*FAMILIES, "SSLServerCert"):
            with self.assertRaises(SsmtpError) as caught:
                self.smtp.get(name)
            self.assertEqual(caught.exception.code, 604)


class RecipientTest(unittest.TestCase):
    """AddRecipientCert: what it takes, and how long what it took lasts."""

    def setUp(self):
        self.smtp = Ssmtp()
        self.addCleanup(self.smtp.close)
        self.smtp.encrypting_algorithm = "AESCBC256"

    def encrypt(self):
        self.smtp.send_to = "ann@example.com"
        self.smtp.message_text = "Hello\r\n"
        self.smtp.encrypt()
        return self.smtp.message_text

    def fails(self, code, function, *arguments):
        with self.assertRaises(SsmtpError) as caught:
            function(*arguments)
        self.assertEqual(caught.exception.code, code, caught.exception.message)

    def test_every_form_of_a_certificate_is_taken(self):
        der = read("rsa.der")
        pem = (read("rsa.crt"), read("chain.p7b"), read("bundle.pem"))
        for form in (der, base64.b64encode(der), *pem):
            self.smtp.reset()
            self.smtp.encrypting_algorithm = "AESCBC256"
            self.smtp.add_recipient_cert(form)
            body = self.encrypt()
            message = self.smtp.other_headers.strip() + "\r\n\r\n" + body
            arguments = ("-decrypt", "-inkey", "rsa.p8", "-recip", "rsa.crt")
            plain = openssl("cms", *arguments, input=message.encode())
            self.assertIn(b"Hello", plain)

    def test_what_is_no_certificate_is_272(self):
        for wrong in (b"", b"x", read("rsa.p8"), read("modern.pfx"), read("rsa.der")[:-1]):
            self.fails(272, self.smtp.add_recipient_cert, wrong)
        self.fails(272, self.encrypt)

    def test_they_last_until_reset_and_its_like(self):
        def clear():
            self.smtp.message_recipients.clear()

        def count():
            self.smtp.set("MessageRecipientCount", "0")

        for end in (self.smtp.reset, self.smtp.reset_headers, clear, count):
            self.smtp.add_recipient_cert(read("rsa.crt"))
            self.assertNotIn("Hello", self.encrypt())
            end()
            self.fails(272, self.encrypt)


if __name__ == "__main__":
    unittest.main()
