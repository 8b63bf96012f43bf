"""The Django backend, with Django itself (scripts/setup.sh puts it into target/python-venv)."""

import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from peers import Proxy
from support import ROOT, Server
from test_smtplib import self_signed

try:
    import django
except ImportError:
    django = None

VENV = ROOT / "target" / "python-venv" / "bin" / "python"

if django is None:

    class ElsewhereTest(unittest.TestCase):
        """This interpreter has no Django: the same file, by the one that has it."""

        @unittest.skipUnless(VENV.exists(), "there is no Django here (scripts/setup.sh test installs one)")
        def test_with_django(self):
            here = Path(__file__).parent
            environment = {**os.environ, "PYTHONPATH": f"{here.parent / 'src'}{os.pathsep}{here}"}
            done = subprocess.run(
                [str(VENV), "-m", "unittest", "test_django"],
                cwd=here,
                env=environment,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
            self.assertEqual(done.returncode, 0, done.stdout)
            self.assertNotIn("skipped", done.stdout)

else:
    from django.conf import settings
    from django.core import mail
    from django.core.exceptions import ImproperlyConfigured
    from django.test import override_settings

    from ssmtp import smtplib

    settings.configure(EMAIL_BACKEND="ssmtp.django.EmailBackend", EMAIL_TIMEOUT=20)
    django.setup()

    FROM, TO = "me@client.example", "you@server.example"

    class DjangoTest(unittest.TestCase):
        def serve(self, *faults, **options):
            server = Server(*faults, **options)
            self.addCleanup(server.close)
            change = override_settings(EMAIL_HOST=server.host, EMAIL_PORT=server.port)
            change.enable()
            self.addCleanup(change.disable)
            return server

        def having(self, **changes):
            change = override_settings(**changes)
            change.enable()
            self.addCleanup(change.disable)

        def certificate(self, address):
            folder = tempfile.TemporaryDirectory()
            self.addCleanup(folder.cleanup)
            key, crt, pfx = (Path(folder.name) / name for name in ("me.key", "me.crt", "me.pfx"))
            self_signed(key, crt, "me", "email:" + address)
            command = ["openssl", "pkcs12", "-export", "-inkey", key, "-in", crt, "-out", pfx, "-passout", "pass:secret"]
            subprocess.run(command, check=True, capture_output=True)
            return key, crt, pfx

        def test_send_mail(self):
            server = self.serve()
            self.assertEqual(mail.send_mail("Grüße", "Hällo\n.dot\n", FROM, [TO, "them@server.example"]), 1)
            self.assertIn(b"Subject: =?utf-8?", server.eml())
            self.assertIn(b"\r\n.dot\r\n", server.eml())
            self.assertEqual([line.split()[1] for line in server.envelope()[1:]], [f"TO:<{TO}>", "TO:<them@server.example>"])

        def test_attachments_html_and_blind_copies(self):
            server = self.serve()
            message = mail.EmailMultiAlternatives("Hi", "text", FROM, [TO], bcc=["blind@server.example"])
            message.attach_alternative("<p>html</p>", "text/html")
            message.attach("table.csv", "1;2\n", "text/csv")
            self.assertEqual(message.send(), 1)
            self.assertNotIn(b"blind", server.eml())
            self.assertEqual(len(server.envelope()), 3)
            self.assertIn(b'filename="table.csv"', server.eml())

        def test_one_connection_for_many_and_one_of_the_callers(self):
            server = self.serve(more=["--count", "6"])
            messages = [mail.EmailMessage(f"Number {n}", "text", FROM, [TO]) for n in range(3)]
            connection, trail = mail.get_connection(), []
            connection.component().on_pi_trail = lambda event: trail.append(event.message)
            with connection:
                self.assertEqual(connection.send_messages(messages), 3)
                self.assertEqual(connection.send_messages(messages), 3)
                self.assertIs(connection.open(), False)
            self.assertEqual(sum(line.startswith("EHLO") for line in trail), 1)
            self.assertEqual(server.count(), 6)
            self.assertIsNone(connection.connection)

        def test_nothing_to_send(self):
            self.serve("MAIL=close")
            self.assertEqual(mail.get_connection().send_messages([]), 0)
            self.assertEqual(mail.EmailMessage("Hi", "text", FROM, []).send(), 0)

        def test_errors_are_raised_or_silent(self):
            server = self.serve("MAIL:bad=550 no")
            with self.assertRaises(smtplib.SMTPSenderRefused):
                mail.send_mail("Hi", "text", "bad@client.example", [TO])
            self.assertEqual(mail.send_mail("Hi", "text", "bad@client.example", [TO], fail_silently=True), 0)
            messages = [mail.EmailMessage("Hi", "text", sender, [TO]) for sender in ("bad@client.example", FROM)]
            self.assertEqual(mail.get_connection(fail_silently=True).send_messages(messages), 1)
            server.close()
            with self.assertRaises(ConnectionRefusedError):
                mail.send_mail("Hi", "text", FROM, [TO])
            self.assertEqual(mail.send_mail("Hi", "text", FROM, [TO], fail_silently=True), 0)

        def test_tls_and_login(self):
            with tempfile.TemporaryDirectory() as folder:
                pem, key = f"{folder}/server.pem", f"{folder}/server.key"
                for mode, switch in (("starttls", "EMAIL_USE_TLS"), ("implicit", "EMAIL_USE_SSL")):
                    more = ["--tls", mode, "--auth", "me:secret", "--cert", pem, "--key", key]
                    server = self.serve(more=more)
                    named = {"EMAIL_HOST": "localhost", switch: True, "EMAIL_HOST_USER": "me"}
                    with override_settings(**named, EMAIL_HOST_PASSWORD="secret"):
                        with self.assertRaises(OSError):  # the certificate
                            mail.send_mail("Hi", "text", FROM, [TO])
                        trusted = "SSLServerCACerts=" + Path(pem).read_text()
                        with override_settings(SSMTP_CONFIG=[trusted]):
                            self.assertEqual(mail.send_mail("Hi", "text", FROM, [TO]), 1)
                            with self.assertRaises(smtplib.SMTPAuthenticationError):
                                mail.send_mail("Hi", "text", FROM, [TO], auth_user="me", auth_password="wrong")
                    self.assertEqual(server.count(), 1)

        def test_signed(self):
            server = self.serve()
            key, crt, pfx = self.certificate(FROM)
            self.having(SSMTP_SIGN_CERT=str(pfx), SSMTP_SIGN_CERT_PASSWORD="secret")
            self.assertEqual(mail.send_mail("Hi", "signed text", FROM, [TO]), 1)
            done = subprocess.run(
                ["openssl", "cms", "-verify", "-CAfile", str(crt)], input=server.eml(), capture_output=True
            )
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertIn(b"signed text", done.stdout)
            message = mail.EmailMessage("Hi", "plain text", FROM, [TO])
            message.ssmtp_sign = False
            message.send()
            self.assertNotIn(b"multipart/signed", server.eml(2))
            # The arguments of a connection go before the settings.
            connection = mail.get_connection(sign_cert="")
            self.assertEqual(mail.EmailMessage("Hi", "plain", FROM, [TO], connection=connection).send(), 1)
            self.assertNotIn(b"multipart/signed", server.eml(3))

        def test_encrypted(self):
            server = self.serve()
            key, crt, _ = self.certificate(TO)
            self.having(SSMTP_ENCRYPT_CERTS=[str(crt)])
            messages = [mail.EmailMessage("Hi", f"secret {n}", FROM, [TO]) for n in (1, 2)]
            self.assertEqual(mail.get_connection().send_messages(messages), 2)
            for number in (1, 2):
                self.assertNotIn(b"secret", server.eml(number))
                command = ["openssl", "cms", "-decrypt", "-inkey", str(key), "-recip", str(crt)]
                done = subprocess.run(command, input=server.eml(number), capture_output=True)
                self.assertIn(f"secret {number}".encode(), done.stdout)
            with self.assertRaises(smtplib.SMTPException):
                mail.send_mail("Hi", "text", FROM, ["stranger@server.example"])
            self.assertEqual(server.count(), 2)

        def test_a_mistake_in_the_settings_is_told(self):
            self.serve()
            for changes in (
                {"SSMTP_SIGN_CERT": "/does/not/exist.pfx"},
                {"SSMTP_ENCRYPT_CERTS": ["/does/not/exist.pem"]},
                {"SSMTP_CONFIG": ["NoSuchSetting=1"]},
            ):
                with override_settings(**changes), self.assertRaises(ImproperlyConfigured):
                    mail.send_mail("Hi", "text", FROM, [TO], fail_silently=True)

        def test_a_proxy_by_settings(self):
            server = self.serve()
            with Proxy() as proxy:
                lines = ["FirewallType=1", f"FirewallHost={proxy.host}", f"FirewallPort={proxy.port}"]
                self.having(SSMTP_CONFIG=lines)
                self.assertEqual(mail.send_mail("Hi", "text", FROM, [TO]), 1)
                self.assertEqual(proxy.seen, [f"{server.host}:{server.port}"])

        def test_a_subclass_has_its_own_context(self):
            import ssl

            from ssmtp.django import EmailBackend

            class Trusting(EmailBackend):
                ssl_context = property(lambda self: ssl._create_unverified_context())

            with tempfile.TemporaryDirectory() as folder:
                files = ["--cert", f"{folder}/server.pem", "--key", f"{folder}/server.key"]
                server = self.serve(more=["--tls", "starttls", *files])
                connection = Trusting(use_tls=True)
                self.assertEqual(mail.EmailMessage("Hi", "text", FROM, [TO], connection=connection).send(), 1)
                self.assertEqual(server.count(), 1)


if __name__ == "__main__":
    unittest.main()
