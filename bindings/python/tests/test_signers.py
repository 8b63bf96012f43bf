"""Keys that stay with the caller: messages signed through a callback, verified by openssl."""

import gc
import subprocess
import tempfile
import threading
import unittest
from pathlib import Path

import support  # noqa: F401  (finds the package)

from ssmtp import Certificate, SignScheme, Ssmtp, SsmtpError, _signers

try:
    from cryptography.hazmat.primitives.serialization import load_pem_private_key
except ImportError:
    load_pem_private_key = None

FOLDER = Path(__file__).resolve().parents[3] / "tests" / "data" / "certs"
HASHES = {16: "md5", 20: "sha1", 28: "sha224", 32: "sha256", 48: "sha384", 64: "sha512"}


def openssl(*arguments):
    return subprocess.run(("openssl", *arguments), capture_output=True, check=True).stdout


def by_openssl(key):
    """A signer as somebody writes it who has the key elsewhere."""

    def sign(scheme, digest):
        with tempfile.TemporaryDirectory() as folder:
            data = Path(folder) / "digest"
            data.write_bytes(digest)
            options = ["-pkeyopt", f"digest:{HASHES[len(digest)]}"]
            if scheme is SignScheme.RSA_PSS:
                options += ["-pkeyopt", "rsa_padding_mode:pss", "-pkeyopt", "rsa_pss_saltlen:digest"]
            return openssl("pkeyutl", "-sign", "-inkey", FOLDER / key, "-in", data, *options)

    return sign


def signed(certificate, **settings):
    smtp = Ssmtp()
    for name, value in settings.items():
        smtp.config(f"{name}={value}")
    smtp.message_text = "Hello,\r\nthis is signed elsewhere.\r\n"
    smtp.certificate = certificate
    smtp.sign()
    return smtp.other_headers + "\r\n" + smtp.message_text


def verified(entity, certificate):
    with tempfile.TemporaryDirectory() as folder:
        message = Path(folder) / "message.eml"
        message.write_bytes(entity.encode())
        return openssl(
            "cms", "-verify", "-in", message, "-certfile", FOLDER / certificate, "-noverify",
            "-purpose", "any",
        )


class SignerTest(unittest.TestCase):
    def signer(self, name, signer):
        certificate = Certificate(FOLDER / f"{name}.crt")
        certificate.set_signer(signer)
        self.assertTrue(certificate.private_key_available)
        self.assertEqual(certificate.private_key, "")
        return certificate

    def test_a_function_signs_and_openssl_verifies(self):
        for name in ("rsa", "p256", "p384", "p521"):
            schemes = []

            def sign(scheme, digest, real=by_openssl(f"{name}.p8")):
                schemes.append((scheme, len(digest)))
                return real(scheme, digest)

            with self.signer(name, sign) as certificate:
                plain = verified(signed(certificate), f"{name}.crt")
            self.assertIn(b"this is signed elsewhere.", plain)
            scheme = SignScheme.RSA_PKCS1 if name == "rsa" else SignScheme.ECDSA
            self.assertEqual({s for s, _ in schemes}, {scheme})

    @unittest.skipUnless(load_pem_private_key, "the package cryptography is not there")
    def test_a_key_of_the_package_cryptography_signs(self):
        for name in ("rsa", "p256", "p384", "p521"):
            key = load_pem_private_key((FOLDER / f"{name}.p8").read_bytes(), None)
            with self.signer(name, key) as certificate:
                self.assertIn(b"elsewhere", verified(signed(certificate), f"{name}.crt"))

    @unittest.skipUnless(load_pem_private_key, "the package cryptography is not there")
    def test_every_scheme_of_cryptography_is_what_the_library_asks_for(self):
        def data(name):
            return load_pem_private_key((FOLDER / name).read_bytes(), None)

        for name, scheme in (
            ("rsa.p8", SignScheme.RSA_PKCS1),
            ("rsa.p8", SignScheme.RSA_PSS),
            ("p256.p8", SignScheme.ECDSA),
            ("dsa.key", SignScheme.DSA),
            ("ed25519.p8", SignScheme.ED25519),
            ("ed448.p8", SignScheme.ED448),
        ):
            self.assertTrue(_signers.function_of(data(name))(scheme, bytes(32)), scheme)

    def test_what_a_signer_raises_is_the_cause_of_the_error(self):
        def sign(scheme, digest):
            raise LookupError("the card is not in the reader")

        with self.signer("rsa", sign) as certificate:
            with self.assertRaises(SsmtpError) as caught:
                signed(certificate)
        self.assertEqual(caught.exception.code, 283)
        self.assertIsInstance(caught.exception.__cause__, LookupError)

    def test_a_signature_of_another_key_is_refused(self):
        with self.signer("rsa", lambda scheme, digest: b"x" * 256) as certificate:
            with self.assertRaisesRegex(SsmtpError, "no signature of the certificate's key"):
                signed(certificate)
        with self.signer("p384", by_openssl("p256.p8")) as certificate:
            with self.assertRaisesRegex(SsmtpError, "no signature of the certificate's key"):
                signed(certificate)

    def test_a_signer_lives_as_long_as_somebody_may_use_it(self):
        gc.collect()
        before = len(_signers._signers)
        certificate = self.signer("rsa", by_openssl("rsa.p8"))
        smtp = Ssmtp()
        smtp.certificate = certificate
        certificate.close()
        smtp.message_text = "still signed\r\n"
        smtp.sign()
        self.assertEqual(len(_signers._signers), before + 1)
        smtp.certificate = None
        smtp.close()
        self.assertEqual(len(_signers._signers), before)

    def test_replaced_and_removed(self):
        before = len(_signers._signers)
        certificate = self.signer("rsa", by_openssl("p256.p8"))
        certificate.set_signer(by_openssl("rsa.p8"))
        self.assertEqual(len(_signers._signers), before + 1)
        self.assertIn(b"elsewhere", verified(signed(certificate), "rsa.crt"))
        certificate.set_signer(None)
        self.assertFalse(certificate.private_key_available)
        self.assertEqual(len(_signers._signers), before)

    def test_an_empty_certificate_has_nothing_to_sign_for(self):
        before = len(_signers._signers)
        with self.assertRaises(SsmtpError) as caught:
            Certificate().set_signer(by_openssl("rsa.p8"))
        self.assertEqual(caught.exception.code, 272)
        with self.assertRaises(TypeError):
            Certificate(FOLDER / "rsa.crt").set_signer(7)
        self.assertEqual(len(_signers._signers), before)

    def test_several_threads_use_one_signer(self):
        certificate = self.signer("p256", by_openssl("p256.p8"))
        failed = []

        def work():
            try:
                verified(signed(certificate), "p256.crt")
            except BaseException as exception:
                failed.append(exception)

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(failed, [])


if __name__ == "__main__":
    unittest.main()
