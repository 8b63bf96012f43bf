"""ssmtp.smtplib beside the standard smtplib: the same calls do the same, and what it adds works."""

import contextlib
import io
import smtplib as standard
import socket
import ssl
import subprocess
import tempfile
import unittest
from email.message import EmailMessage
from pathlib import Path

from peers import Proxy, Scram
from support import Server

from ssmtp import Certificate, CertStoreType, FirewallType, Ssmtp, SsmtpError, smtplib

SENDER, FIRST, SECOND = "sender@client.example", "first@server.example", "second@server.example"
TEXT = "From: sender@client.example\nTo: first@server.example\nSubject: Hi\n\nOne\n.two\n..three\n"
CRLF_TEXT = TEXT.encode().replace(b"\n", b"\r\n")


def letter():
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = SENDER, FIRST, "Grüße"
    message["Cc"], message["Bcc"] = SECOND, "third@server.example"
    message.set_content("Ünïcödé\n.dot\n")
    return message


def self_signed(key, certificate, name, *alternatives):
    """Makes a certificate that has signed itself."""
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={name}"]
    command += [word for each in alternatives for word in ("-addext", f"subjectAltName={each}")]
    subprocess.run([*command, "-keyout", str(key), "-out", str(certificate)], check=True, capture_output=True)


class SameTest(unittest.TestCase):
    """Against the standard one, each at a server of its own."""

    def both(self, use, *faults, extensions="8BITMIME,SIZE 10240000,PIPELINING,DSN"):
        """What `use` gives or raises with each, and what arrived."""
        outcomes = []
        for module in (standard, smtplib):
            with Server(*faults, extensions=extensions) as server:
                with module.SMTP(server.host, server.port, local_hostname="client.example", timeout=20) as smtp:
                    try:
                        result = use(smtp)
                    except standard.SMTPException as error:
                        result = type(error), error.args
                arrived = [(server.eml(n), *self.without_sizes(server.envelope(n))) for n in range(1, server.count() + 1)]
                outcomes.append((result, arrived))
        return outcomes

    @staticmethod
    def without_sizes(envelope):
        """Their size is that of the text before dots are stuffed, and 8BITMIME is said by us alone."""
        return [" ".join(w for w in line.split() if not w.lower().startswith(("size=", "body="))) for line in envelope]

    def assert_same(self, use, *faults, **options):
        ours_and_theirs = self.both(use, *faults, **options)
        self.assertEqual(*ours_and_theirs)
        return ours_and_theirs[1]

    def test_a_message_arrives_the_same(self):
        result, arrived = self.assert_same(lambda s: s.sendmail(SENDER, [FIRST, SECOND], TEXT))
        self.assertEqual((result, len(arrived)), ({}, 1))
        self.assert_same(lambda s: s.sendmail(SENDER, FIRST, CRLF_TEXT))
        self.assert_same(lambda s: s.send_message(letter()))
        self.assert_same(lambda s: s.send_message(letter()), extensions="")
        self.assert_same(lambda s: s.send_message(letter(), "other@client.example", [SECOND]))
        self.assert_same(lambda s: s.sendmail("", FIRST, TEXT))
        self.assert_same(lambda s: s.sendmail(f"Me <{SENDER}>", f'"You, Sir" <{FIRST}>', TEXT))

    def test_what_is_no_message_arrives_the_same(self):
        for text in ("no header at all", "", "\n", ".", "a\rb\r\nc\nd"):
            with self.subTest(text=text):
                self.assert_same(lambda s: s.sendmail(SENDER, FIRST, text))
        self.assert_same(lambda s: s.sendmail(SENDER, FIRST, "Grüße".encode("latin-1")))
        self.assert_same(lambda s: s.sendmail(SENDER, FIRST, CRLF_TEXT + "ü\r\n".encode()), extensions="")

    def test_refused_recipients_are_told_the_same(self):
        fault = "RCPT:second=550-5.1.1 no such\r\n550 5.1.1 mailbox"
        result, arrived = self.assert_same(lambda s: s.sendmail(SENDER, [FIRST, SECOND], TEXT), fault)
        self.assertEqual(result, {SECOND: (550, b"5.1.1 no such\n5.1.1 mailbox")})
        self.assertEqual(len(arrived), 1)
        result, arrived = self.assert_same(lambda s: s.sendmail(SENDER, [FIRST, SECOND], TEXT), "RCPT=450 later")
        self.assertIs(result[0], standard.SMTPRecipientsRefused)
        self.assertEqual(arrived, [])

    def test_other_refusals_raise_the_same(self):
        for fault, kind in (
            ("MAIL=553 not you", standard.SMTPSenderRefused),
            ("MAIL=421 going", standard.SMTPSenderRefused),
            ("DATA=554 no", standard.SMTPDataError),
            ("DATA-END=552 too much", standard.SMTPDataError),
            ("RCPT=421 going", standard.SMTPRecipientsRefused),
        ):
            for extensions in ("8BITMIME", "PIPELINING", "CHUNKING,PIPELINING"):
                if fault.startswith("DATA=") and "CHUNKING" in extensions:
                    continue
                with self.subTest(fault=fault, extensions=extensions):
                    result, _ = self.assert_same(
                        lambda s: s.sendmail(SENDER, FIRST, TEXT), fault, extensions=extensions
                    )
                    self.assertIs(result[0], kind)

    def test_after_a_refusal_the_next_message_goes(self):
        def use(smtp):
            with contextlib.suppress(standard.SMTPDataError):
                smtp.sendmail(SENDER, FIRST, TEXT)
            return smtp.sendmail(SENDER, SECOND, TEXT)

        result, arrived = self.assert_same(use, "DATA-END@1=451 later")
        self.assertEqual((result, len(arrived)), ({}, 1))

    def test_options_are_said(self):
        def use(smtp):
            return smtp.sendmail(SENDER, FIRST, TEXT, ["RET=HDRS", "ENVID=QQ314"], ["NOTIFY=FAILURE,DELAY"])

        _, arrived = self.assert_same(use)
        self.assertIn("RET=HDRS", arrived[0][1])
        self.assertIn("NOTIFY=FAILURE,DELAY", arrived[0][2])
        # An option that nobody knows goes too.
        result, _ = self.assert_same(lambda s: s.sendmail(SENDER, FIRST, TEXT, ["XOPTION"]), "MAIL:XOPTION=555 5.5.4 no")
        self.assertEqual(result, (standard.SMTPSenderRefused, (555, b"5.5.4 no", SENDER)))

    def test_single_commands_answer_the_same(self):
        def use(smtp):
            replies = [smtp.ehlo(), smtp.ehlo("other.example"), smtp.noop(), smtp.mail(SENDER), smtp.rcpt(FIRST)]
            replies += [smtp.rset(), smtp.mail(SENDER, ["BODY=8BITMIME"]), smtp.rcpt(FIRST), smtp.data(TEXT)]
            replies += [smtp.vrfy(FIRST), smtp.verify(FIRST), smtp.expn("list"), smtp.help(), smtp.docmd("XYZZY", "a b")]
            replies += [smtp.helo(), smtp.esmtp_features, smtp.has_extn("Size"), smtp.does_esmtp]
            return replies + [smtp.quit(), smtp.sock, smtp.esmtp_features]

        result, arrived = self.assert_same(use)
        self.assertEqual(len(arrived), 1)
        self.assertEqual(result[-3][0], 221)

    def test_data_that_is_refused_is_an_error_and_a_refused_message_a_reply(self):
        def use(smtp):
            smtp.ehlo()
            smtp.mail(SENDER)
            smtp.rcpt(FIRST)
            return smtp.data(TEXT)

        result, _ = self.assert_same(use, "DATA=554 not now")
        self.assertIs(result[0], standard.SMTPDataError)
        result, _ = self.assert_same(use, "DATA-END=554 not that")
        self.assertEqual(result, (554, b"not that"))

    def test_helo_is_kept_to(self):
        _, arrived = self.assert_same(lambda s: (s.helo(), s.sendmail(SENDER, FIRST, TEXT)))
        self.assertEqual(arrived[0][1], f"MAIL FROM:<{SENDER}>")
        self.assert_same(lambda s: s.sendmail(SENDER, FIRST, TEXT), "EHLO=502 what")


class ErrorTest(unittest.TestCase):
    def test_no_connection_raises_what_a_socket_raises(self):
        with socket.create_server(("127.0.0.1", 0)) as closed:
            port = closed.getsockname()[1]
        for make in (smtplib.SMTP, smtplib.SMTP_SSL):
            with self.assertRaises(ConnectionRefusedError) as caught:
                make("127.0.0.1", port)
            self.assertIsInstance(caught.exception.__cause__, SsmtpError)
        with self.assertRaises(socket.gaierror):
            smtplib.SMTP("does-not-exist.invalid", 25)
        for host, port, here in (("127.0.0.1", 70000, None), ("a\nb", 25, None), ("127.0.0.1", 25, ("127.0.0.1", -7))):
            with self.assertRaises(OSError):
                smtplib.SMTP(host, port, source_address=here)

    def test_a_silent_server_is_a_timeout(self):
        with Server("GREETING=stall") as server, self.assertRaises(TimeoutError):
            smtplib.SMTP(server.host, server.port, timeout=0.5)
        with self.assertRaises(ValueError):
            smtplib.SMTP("127.0.0.1", 1, timeout=0)

    def test_a_refusing_greeting_and_hello(self):
        with Server("GREETING=554 no") as server:
            with self.assertRaises(standard.SMTPConnectError) as caught:
                smtplib.SMTP(server.host, server.port)
            self.assertEqual((caught.exception.smtp_code, caught.exception.smtp_error), (554, b"no"))
            smtp = smtplib.SMTP()
            self.assertEqual(smtp.connect(server.host, server.port), (554, b"no"))
            self.assertIsNone(smtp.sock)
        with Server("EHLO=502 no", "HELO=504 no") as server, self.assertRaises(standard.SMTPHeloError):
            smtplib.SMTP(server.host, server.port)

    def test_a_lost_connection_is_told_and_connect_begins_anew(self):
        with Server("NOOP@1=close") as server, smtplib.SMTP(server.host, server.port, timeout=10) as smtp:
            with self.assertRaises(standard.SMTPServerDisconnected):
                smtp.noop()
            with self.assertRaises(standard.SMTPServerDisconnected):
                smtp.noop()
            self.assertIsNone(smtp.sock)
            self.assertEqual(smtp.connect(server.host, server.port)[0], 220)
            self.assertEqual(smtp.sendmail(SENDER, FIRST, TEXT), {})

    def test_the_connection_that_dies_at_the_end_of_a_message(self):
        with Server("DATA-END=close") as server, smtplib.SMTP(server.host, server.port, timeout=10) as smtp:
            with self.assertRaises(standard.SMTPServerDisconnected):
                smtp.sendmail(SENDER, FIRST, TEXT)

    def test_too_large_is_refused_as_the_sender_is(self):
        with Server(extensions="SIZE 50") as server, smtplib.SMTP(server.host, server.port) as smtp:
            with self.assertRaises(standard.SMTPSenderRefused) as caught:
                smtp.sendmail(SENDER, FIRST, TEXT)
            self.assertEqual(caught.exception.smtp_code, 552)

    def test_the_component_is_the_same_afterwards(self):
        with Server() as server:
            component = Ssmtp()
            component.from_, component.message_text, component.send_to = SENDER, "own", SECOND
            component.on_pi_trail = handler = lambda event: None
            with smtplib.SMTP(server.host, server.port, ssmtp=component) as smtp:
                smtp.sendmail(SENDER, FIRST, TEXT, ["RET=FULL"])
            self.assertEqual((component.from_, component.message_text, component.send_to), (SENDER, "own", SECOND))
            self.assertEqual((component.config("DsnRet"), component.config("StopOnToErrors")), ("", "True"))
            self.assertIs(component._handler("pi_trail"), handler)

    def test_debuglevel_shows_the_conversation(self):
        shown = io.StringIO()
        with Server() as server, contextlib.redirect_stderr(shown):
            smtp = smtplib.SMTP()
            smtp.set_debuglevel(1)
            smtp.connect(server.host, server.port)
            smtp.ehlo()
            smtp.noop()
            smtp.quit()
        for expected in ("connect: to", "send: 'noop\\r\\n'", "reply: retcode (250)", "send: 'quit\\r\\n'"):
            self.assertIn(expected, shown.getvalue())


class TlsTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.folder.cleanup)
        cls.pem = str(Path(cls.folder.name) / "server.pem")
        key = str(Path(cls.folder.name) / "server.key")
        files = ["--cert", cls.pem, "--key", key]
        # An authority and a server in one: a context gives out nothing else.
        self_signed(key, cls.pem, "localhost", "DNS:localhost,IP:127.0.0.1")
        cls.server = Server(more=["--bind", "0.0.0.0", "--tls", "starttls", "--auth", "me:secret", *files])
        cls.addClassCleanup(cls.server.close)
        cls.implicit = Server(more=["--tls", "implicit", *files])
        cls.addClassCleanup(cls.implicit.close)

    def context(self, **options):
        context = ssl.create_default_context(cafile=self.pem)
        for name, value in options.items():
            setattr(context, name, value)
        return context

    def test_starttls_login_and_a_message(self):
        count = self.server.count()
        with smtplib.SMTP("localhost", self.server.port) as smtp:
            self.assertIsNone(smtp.sock.version())
            self.assertEqual(smtp.starttls(context=self.context())[0], 220)
            self.assertIsNone(smtp.ehlo_resp)
            self.assertTrue(smtp.sock.version().startswith("TLS"))
            self.assertEqual(smtp.login("me", "secret")[0], 235)
            self.assertEqual((smtp.ssmtp.user, smtp.ssmtp.password), ("", ""))
            smtp.send_message(letter())
            der = smtp.sock.getpeercert(binary_form=True)
            self.assertEqual(der, ssl.PEM_cert_to_DER_cert(Path(self.pem).read_text()))
        self.assertEqual(self.server.count(), count + 1)

    def test_a_wrong_password_leaves_the_connection(self):
        with smtplib.SMTP("localhost", self.server.port) as smtp:
            smtp.starttls(context=self.context())
            with self.assertRaises(standard.SMTPAuthenticationError) as caught:
                smtp.login("me", "wrong")
            self.assertEqual(caught.exception.smtp_code, 535)
            self.assertEqual(smtp.login("me", "secret")[0], 235)
            self.assertEqual(smtp.quit()[0], 221)

    def test_the_certificate_is_checked_unless_the_context_says_otherwise(self):
        with smtplib.SMTP("localhost", self.server.port) as smtp:
            with self.assertRaises(ssl.SSLCertVerificationError):
                smtp.starttls()
            self.assertIsNone(smtp.sock)
        with self.assertRaises(ssl.SSLCertVerificationError):
            smtplib.SMTP_SSL("localhost", self.implicit.port)
        # Trusted, by a name that isn't in it.
        unnamed = self.context(check_hostname=False)
        for context, fits in ((self.context(), False), (unnamed, True)):
            with smtplib.SMTP("127.0.0.2", self.server.port) as smtp:
                if fits:
                    smtp.starttls(context=context)
                else:
                    with self.assertRaises(ssl.SSLError):
                        smtp.starttls(context=context)
        with smtplib.SMTP("localhost", self.server.port) as smtp:
            smtp.starttls(context=ssl._create_unverified_context())
            self.assertEqual(smtp.noop()[0], 250)

    def test_a_context_trusts_its_own_authorities_only(self):
        with tempfile.TemporaryDirectory() as folder:
            other = Path(folder) / "other.pem"
            self_signed("/dev/null", other, "other")
            with self.assertRaises(ssl.SSLCertVerificationError):
                smtplib.SMTP_SSL("localhost", self.implicit.port, context=ssl.create_default_context(cafile=other))

    def test_versions_of_the_context_count(self):
        for version, name in ((ssl.TLSVersion.TLSv1_2, "TLSv1.2"), (ssl.TLSVersion.TLSv1_3, "TLSv1.3")):
            context = self.context(minimum_version=version, maximum_version=version)
            with smtplib.SMTP_SSL("localhost", self.implicit.port, context=context) as smtp:
                self.assertEqual(smtp.sock.version().replace(" ", "v").replace("vv", "v"), name)
                self.assertEqual(smtp.sendmail(SENDER, FIRST, TEXT), {})

    def test_without_an_offer_nothing_begins(self):
        with Server() as server, smtplib.SMTP(server.host, server.port) as smtp:
            with self.assertRaises(standard.SMTPNotSupportedError):
                smtp.starttls()
            with self.assertRaises(standard.SMTPNotSupportedError):
                smtp.login("me", "secret")
            self.assertEqual(smtp.noop()[0], 250)

    def test_a_refused_starttls_raises_its_reply(self):
        with Server("STARTTLS=454 later", extensions="STARTTLS") as server:
            with smtplib.SMTP(server.host, server.port) as smtp:
                with self.assertRaises(standard.SMTPResponseException) as caught:
                    smtp.starttls()
                self.assertEqual((caught.exception.smtp_code, caught.exception.smtp_error), (454, b"later"))


class GainTest(unittest.TestCase):
    """What a program gains by the other import."""

    def test_scram(self):
        with Scram("me", "secret") as server:
            with smtplib.SMTP(server.host, server.port) as smtp:
                self.assertEqual(smtp.login("me", "secret"), (235, b"2.7.0 welcome"))
            # A refused one is not followed by one that shows the password.
            with smtplib.SMTP(server.host, server.port) as smtp:
                with self.assertRaises(standard.SMTPAuthenticationError):
                    smtp.login("me", "wrong")
            self.assertEqual(server.seen, ["SCRAM-SHA-256"] * 2)

    def test_a_proxy(self):
        with Proxy() as proxy, Server() as server:
            smtp = smtplib.SMTP()
            firewall = smtp.ssmtp.firewall
            firewall.firewall_type, firewall.host, firewall.port = FirewallType.TUNNEL, proxy.host, proxy.port
            smtp.connect(server.host, server.port)
            self.assertEqual(smtp.sendmail(SENDER, FIRST, TEXT), {})
            smtp.quit()
            self.assertEqual((proxy.seen, server.count()), ([f"{server.host}:{server.port}"], 1))

    def test_signed_and_encrypted(self):
        with tempfile.TemporaryDirectory() as folder, Server() as server:
            key, certificate = Path(folder) / "me.key", Path(folder) / "me.crt"
            self_signed(key, certificate, "me", "email:" + FIRST)
            with smtplib.SMTP(server.host, server.port) as smtp:
                pem = key.read_bytes() + certificate.read_bytes()
                smtp.ssmtp.certificate = Certificate(CertStoreType.PEM_KEY_BLOB, pem, "", "*")
                smtp.sign = True
                smtp.sendmail(SENDER, FIRST, TEXT)
                smtp.sign = False
                smtp.sendmail(SENDER, FIRST, TEXT)
                smtp.ssmtp.add_recipient_cert(certificate.read_bytes())
                smtp.sign = smtp.encrypt = True
                smtp.sendmail(SENDER, FIRST, TEXT)
                smtp.sendmail(SENDER, FIRST, TEXT)
                # Without a certificate for everybody it is not sent.
                with self.assertRaises(standard.SMTPException):
                    smtp.sendmail(SENDER, [FIRST, SECOND], TEXT)
            self.assertEqual(server.count(), 4)
            self.verify(server.eml(1), certificate)
            self.assertEqual(server.eml(2).split(b"\r\n\r\n")[0].count(b"Content"), 0)
            for number in (3, 4):
                self.assertNotIn(b"..three", server.eml(number))
                done = subprocess.run(
                    ["openssl", "cms", "-decrypt", "-inkey", str(key), "-recip", str(certificate)],
                    input=server.eml(number),
                    capture_output=True,
                )
                self.assertEqual(done.returncode, 0, done.stderr)
                self.verify(done.stdout, certificate)

    def verify(self, message, certificate):
        done = subprocess.run(
            ["openssl", "cms", "-verify", "-CAfile", str(certificate)], input=message, capture_output=True
        )
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn(b"..three", done.stdout)


if __name__ == "__main__":
    unittest.main()
