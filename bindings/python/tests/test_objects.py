"""The lists, the proxy, certificates, access by name, errors and finding the library."""

import copy
import ctypes
import gc
import importlib
import inspect
import os
import pickle
import subprocess
import sys
import tempfile
import unittest

from support import ROOT, SOURCES, client

import ssmtp
from ssmtp import (
    Certificate,
    CertStoreType,
    ErrorCode,
    Firewall,
    FirewallType,
    Header,
    Importance,
    MessageRecipient,
    Priority,
    RecipientType,
    Ssmtp,
    SsmtpError,
)


class Case(unittest.TestCase):
    def setUp(self):
        self.smtp = Ssmtp()
        self.addCleanup(self.smtp.close)

    def fails(self, code, function, *arguments):
        with self.assertRaises(SsmtpError) as caught:
            function(*arguments)
        self.assertEqual(caught.exception.code, code, str(caught.exception))
        return caught.exception


class RecipientsTest(Case):
    def fill(self, *addresses):
        for address in addresses:
            self.smtp.message_recipients.add(address)
        return self.smtp.message_recipients

    def addresses(self):
        return [recipient.address for recipient in self.smtp.message_recipients]

    def test_add_appends_and_returns_a_live_item(self):
        recipients = self.smtp.message_recipients
        self.assertEqual(len(recipients), 0)
        item = recipients.add("a@x.example", RecipientType.BCC, "Zoë", "NOTIFY=NEVER")
        self.assertEqual(len(recipients), 1)
        self.assertEqual(
            (item.address, item.recipient_type, item.name, item.options),
            ("a@x.example", RecipientType.BCC, "Zoë", "NOTIFY=NEVER"),
        )
        item.address = "b@x.example"
        self.assertEqual(self.smtp.get("MessageRecipientAddress[0]"), "b@x.example")
        self.assertEqual(self.smtp.bcc, "Zoë <b@x.example>")

    def test_it_is_one_list_with_send_to_cc_and_bcc(self):
        self.smtp.send_to = "a@x.example, Zwei <b@x.example>"
        self.smtp.cc = "c@x.example"
        self.assertEqual(self.addresses(), ["a@x.example", "b@x.example", "c@x.example"])
        self.assertEqual(self.smtp.message_recipients[1].name, "Zwei")
        self.smtp.message_recipients[0].recipient_type = RecipientType.CC
        self.assertEqual(self.smtp.send_to, "Zwei <b@x.example>")

    def test_index_slice_and_iteration_are_those_of_a_list(self):
        recipients = self.fill("a@x.example", "b@x.example", "c@x.example", "d@x.example")
        self.assertEqual(recipients[-1].address, "d@x.example")
        self.assertEqual([r.address for r in recipients[1:3]], ["b@x.example", "c@x.example"])
        self.assertEqual([r.address for r in recipients[::-2]], ["d@x.example", "b@x.example"])
        self.assertEqual([r.address for r in reversed(recipients)][0], "d@x.example")
        for index in (4, -5, 99):
            with self.assertRaises(IndexError):
                recipients[index]
        with self.assertRaises(TypeError):
            recipients["0"]
        self.assertIn(MessageRecipient("b@x.example"), recipients)
        self.assertEqual(recipients.index(MessageRecipient("c@x.example")), 2)

    def test_del_removes_items_and_slices(self):
        recipients = self.fill(*(f"{letter}@x.example" for letter in "abcdef"))
        recipients[4].name = "Fünf"
        del recipients[1]
        self.assertEqual(self.addresses(), [f"{letter}@x.example" for letter in "acdef"])
        self.assertEqual(recipients[3].name, "Fünf")
        del recipients[-1]
        del recipients[::2]
        self.assertEqual(self.addresses(), ["c@x.example", "e@x.example"])
        del recipients[5:]
        self.assertEqual(len(recipients), 2)
        with self.assertRaises(IndexError):
            del recipients[2]

    def test_append_takes_a_recipient_and_clear_removes_all(self):
        recipients = self.smtp.message_recipients
        recipients.append(MessageRecipient("a@x.example", RecipientType.CC))
        recipients.extend([MessageRecipient("b@x.example"), MessageRecipient("c@x.example", name="C")])
        self.assertEqual(self.smtp.cc, "a@x.example")
        self.assertEqual(len(recipients), 3)
        recipients[0] = MessageRecipient("z@x.example", RecipientType.TO)
        self.assertEqual(recipients[0].copy(), MessageRecipient("z@x.example"))
        with self.assertRaises(TypeError):
            recipients.append("d@x.example")
        recipients.clear()
        self.assertEqual((len(recipients), self.smtp.send_to, self.smtp.cc), (0, "", ""))

    def test_a_refused_value_leaves_the_list_as_it_was(self):
        recipients = self.fill("a@x.example")
        self.fails(603, recipients.add, "b@x.example", RecipientType.TO, "two\r\nlines")
        self.assertEqual(self.addresses(), ["a@x.example"])
        with self.assertRaises(TypeError):
            recipients.add(5)
        with self.assertRaises(TypeError):
            recipients.add("b@x.example", Importance.HIGH)
        self.assertEqual(self.addresses(), ["a@x.example"])

    def test_a_live_item_whose_place_is_gone_says_so(self):
        item = self.fill("a@x.example")[0]
        self.smtp.message_recipients.clear()
        self.fails(ErrorCode.INDEX, lambda: item.name)

    def test_a_recipient_shows_what_it_is(self):
        recipient = MessageRecipient("a@x.example", RecipientType.CC, "A")
        self.assertEqual(repr(recipient), "MessageRecipient('a@x.example', RecipientType.CC, name='A')")
        self.fill("a@x.example")
        self.assertEqual(
            repr(self.smtp.message_recipients), "[MessageRecipient('a@x.example', RecipientType.TO)]"
        )

    def test_the_list_lives_on_with_its_owner_only(self):
        recipients = self.fill("a@x.example")
        self.smtp.close()
        self.fails(ErrorCode.CLOSED_HANDLE, len, recipients)


class HeadersTest(Case):
    def test_headers_are_a_read_only_list(self):
        self.assertEqual(len(self.smtp.message_headers), 0)
        self.smtp.from_, self.smtp.send_to = "me@x.example", "you@x.example"
        self.smtp.subject = "Hello"
        headers = self.smtp.message_headers
        named = {header.field: header.value for header in headers}
        self.assertEqual((named["From"], named["To"], named["Subject"]), ("me@x.example", "you@x.example", "Hello"))
        self.assertIn(Header("Subject", "Hello"), headers)
        self.assertEqual(headers[-1], list(headers)[-1])
        self.assertEqual(headers[:2], list(headers)[:2])
        with self.assertRaises(IndexError):
            headers[len(headers)]
        with self.assertRaises(AttributeError):
            headers[0].value = "other"
        with self.assertRaises(AttributeError):
            self.smtp.message_headers = []
        with self.assertRaises(TypeError):
            del headers[0]


class FirewallTest(Case):
    def test_firewall_is_live(self):
        firewall = self.smtp.firewall
        self.assertEqual((firewall.host, firewall.port, firewall.firewall_type), ("", 0, FirewallType.NONE))
        firewall.host = ""
        firewall.host = "proxy.example"
        firewall.firewall_type = FirewallType.TUNNEL
        self.assertEqual((firewall.host, firewall.port), ("proxy.example", 80))
        self.assertIn("FirewallPort", self.fails(603, setattr, firewall, "port", 65536).message)
        with self.assertRaises(TypeError):
            firewall.host = 5
        self.assertEqual(self.smtp.firewall.host, "proxy.example")

    def test_a_firewall_of_its_own_holds_values(self):
        firewall = Firewall(FirewallType.SOCKS5, "proxy.example", 1080, "me", "secret", auto_detect=True)
        self.assertEqual((firewall.host, firewall.port, firewall.auto_detect), ("proxy.example", 1080, True))
        self.assertIs(firewall.firewall_type, FirewallType.SOCKS5)
        self.assertNotIn("secret", repr(firewall))
        firewall.port = 1081
        self.assertEqual(firewall.port, 1081)
        with self.assertRaises(TypeError):
            firewall.user = 5
        self.smtp.firewall = Firewall()
        self.smtp.firewall = firewall
        live = self.smtp.firewall
        self.assertEqual((live.host, live.port, live.auto_detect), ("proxy.example", 1081, True))
        self.assertEqual((live.firewall_type, live.user, live.password), (FirewallType.SOCKS5, "me", "secret"))
        with self.assertRaises(TypeError):
            self.smtp.firewall = "proxy.example"


class CertificateTest(Case):
    def test_an_empty_certificate_has_its_defaults(self):
        with Certificate() as certificate:
            self.assertEqual((certificate.subject, certificate.store), ("", "MY"))
            self.assertEqual(certificate.store_b, b"MY")
            self.assertIs(certificate.store_type, CertStoreType.USER)
            self.assertIs(certificate.private_key_available, False)
        self.fails(ErrorCode.CLOSED_HANDLE, lambda: certificate.subject)
        certificate.close()

    def test_every_field_reads_and_checks_its_type(self):
        from ssmtp._objects_gen import CertificateFields

        certificate = Certificate()
        fields = [name for name, value in vars(CertificateFields).items() if isinstance(value, property)]
        self.assertEqual(len(fields), 29)
        for name in fields:
            getattr(certificate, name)
            if vars(CertificateFields)[name].fset is not None:
                with self.assertRaises(TypeError):
                    setattr(certificate, name, object())

    def test_wrong_arguments_are_type_errors(self):
        for arguments in ((5.5,), (RecipientType.CC, "store"), (CertStoreType.USER, 5), (CertStoreType.USER, "MY", 5)):
            with self.assertRaises(TypeError):
                Certificate(*arguments)

    def test_a_certificate_property_takes_certificates_only(self):
        for name in ("certificate", "ssl_cert", "ssl_accept_server_cert"):
            self.assertIsInstance(getattr(self.smtp, name), Certificate)
            with self.assertRaises(TypeError):
                setattr(self.smtp, name, "some.pem")
        with self.assertRaises(AttributeError):
            self.smtp.ssl_server_cert = Certificate()


class ByNameTest(Case):
    def test_names_are_found_in_any_case_and_with_either_bracket(self):
        self.smtp.set("mailPORT", "2525")
        self.assertEqual(self.smtp.mail_port, 2525)
        self.smtp.set("MessageRecipientAddress[0]", "x@y.example")
        self.assertEqual(self.smtp.get("messagerecipientaddress(0)"), "x@y.example")
        self.fails(ErrorCode.UNKNOWN_NAME, self.smtp.get, "NoSuchName")
        self.fails(ErrorCode.INDEX, self.smtp.set, "MessageRecipientAddress[5]", "x@y.example")

    def test_set_takes_numbers_booleans_and_member_names(self):
        self.smtp.set("MailPort", 2525)
        self.smtp.set("AllowExtensions", False)
        self.smtp.set("Importance", "miHigh")
        self.smtp.set("Priority", Priority.URGENT)
        self.assertEqual((self.smtp.mail_port, self.smtp.allow_extensions), (2525, False))
        self.assertIs(self.smtp.importance, Importance.HIGH)
        self.assertIs(self.smtp.priority, Priority.URGENT)
        with self.assertRaises(TypeError):
            self.smtp.set("Subject", b"octets")
        with self.assertRaises(TypeError):
            self.smtp.get(5)

    def test_config_reads_and_sets(self):
        self.assertEqual(self.smtp.config("hello=me.example"), "")
        self.assertEqual(self.smtp.config("Hello"), "me.example")
        self.fails(ErrorCode.UNKNOWN_NAME, self.smtp.config, "NoSuchSetting")
        with self.assertRaises(TypeError):
            self.smtp.config(5)

    def test_message_is_octets(self):
        self.smtp.message = octets = b"\x00\xff octets\r\n"
        self.assertEqual(self.smtp.message, octets)
        self.assertEqual(self.smtp.message_b, octets)
        self.smtp.message = bytearray(b"more")
        self.assertEqual(self.smtp.message, b"more")

    def test_an_enum_refuses_another_enum_and_a_wild_number(self):
        with self.assertRaises(TypeError):
            self.smtp.importance = Priority.URGENT
        self.fails(603, setattr, self.smtp, "importance", 99)
        self.smtp.importance = 1
        self.assertIs(self.smtp.importance, Importance.HIGH)


class ErrorTest(Case):
    def test_an_error_has_code_name_and_message(self):
        error = self.fails(163, client(None).send)
        self.assertEqual(error.name, ErrorCode(163).name)
        self.assertEqual(str(error), f"{error.message} (error 163)")
        self.assertEqual(error.args, (163, error.message))
        copy = pickle.loads(pickle.dumps(error))
        self.assertEqual((copy.code, copy.message), (error.code, error.message))
        self.assertEqual(SsmtpError(12345, "no such number").name, "")


class LibraryTest(unittest.TestCase):
    def run_python(self, code, **environment):
        """A new interpreter in another folder."""
        kept = {k: v for k, v in os.environ.items() if k != "SSMTP_LIBRARY"}
        with tempfile.TemporaryDirectory() as folder:
            return subprocess.run(
                [sys.executable, "-c", code],
                env={**kept, "PYTHONPATH": str(SOURCES), **environment},
                cwd=folder, capture_output=True, text=True, timeout=60,
            )

    def test_a_checkout_finds_its_own_build(self):
        done = self.run_python("import ssmtp; print(ssmtp.version())")
        self.assertEqual(done.stdout.strip(), ssmtp.version(), done.stderr)

    def test_ssmtp_library_is_the_only_place_when_it_is_set(self):
        done = self.run_python("import ssmtp; ssmtp.Ssmtp()", SSMTP_LIBRARY="/no/such/libssmtp.so")
        self.assertIn("OSError: libssmtp cannot be loaded", done.stderr)
        self.assertIn("/no/such/libssmtp.so", done.stderr)
        self.assertEqual(done.stderr.count("Exception ignored"), 0)

    def test_a_library_that_lacks_functions_is_named(self):
        libc = ctypes.util.find_library("c") if hasattr(ctypes, "util") else None
        if libc is None:
            self.skipTest("no C library to try")
        done = self.run_python("import ssmtp; ssmtp.version()", SSMTP_LIBRARY=libc)
        self.assertIn("ssmtp_new", done.stderr)

    def test_the_package_and_the_library_are_of_one_version(self):
        self.assertEqual(ssmtp.version(), ssmtp.__version__)

    def test_nothing_is_left_on_the_interpreter_at_its_end(self):
        code = "import ssmtp; s = ssmtp.Ssmtp(); s.on_error = print; c = ssmtp.Certificate(); print('end')"
        done = self.run_python(code)
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "end\n", ""))

    def test_what_is_public_has_a_docstring(self):
        without = []
        for module in ("ssmtp", "ssmtp.logging", "ssmtp.smtplib"):
            module = importlib.import_module(module)
            for name in module.__all__:
                value = getattr(module, name)
                if not isinstance(value, type):
                    without += [] if isinstance(value, (int, str)) or value.__doc__ else [name]
                    continue
                for member in [name, *(m for m in vars(value) if m[0] != "_")]:
                    its = value if member == name else inspect.getattr_static(value, member)
                    if isinstance(its, (type, property, classmethod, staticmethod)) or inspect.isfunction(its):
                        without += [] if inspect.getdoc(its) or inspect.getdoc(getattr(value, member)) else [f"{name}.{member}"]
        self.assertEqual(without, [])

    def test_a_copy_or_pickle_is_refused_and_the_original_lives_on(self):
        smtp, certificate = Ssmtp(), Certificate()
        self.addCleanup(smtp.close)
        for original in (smtp, certificate):
            for make in (copy.copy, copy.deepcopy, pickle.dumps):
                with self.assertRaisesRegex(TypeError, "neither copied nor pickled"):
                    make(original)
        gc.collect()
        self.assertEqual((smtp.mail_port, certificate.subject), (25, ""))

    def test_every_documented_name_is_exported(self):
        for name in ssmtp.__all__:
            self.assertTrue(hasattr(ssmtp, name), name)
        self.assertTrue((ROOT / "bindings/python/src/ssmtp/py.typed").is_file())


if __name__ == "__main__":
    unittest.main()
