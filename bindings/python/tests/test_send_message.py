"""Messages of the `email` package: the same on the wire as by smtplib, and nothing of the object changes."""

import asyncio
import email
import email.policy
import io
import os
import re
import signal
import smtplib
import threading
import time
import unittest
from email.message import EmailMessage
from email.mime.application import MIMEApplication
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText

from mime import attachments, content, parse, shape, text
from support import Server, client

from ssmtp import MessageRecipient, RecipientType, Ssmtp, SsmtpError

MODERN = "8BITMIME,SIZE 50000000,PIPELINING,SMTPUTF8"
KEPT = ("from_", "return_path", "subject", "send_to", "cc", "bcc", "message_text", "message_html", "message",
        "attached_file", "other_headers", "message_date", "message_id", "reply_to")


def letter(**fields):
    message = EmailMessage()
    message["From"] = "Zoë Sender <sender@client.example>"
    message["To"] = '"Müller, Änne" <first@server.example>, second@server.example'
    message["Subject"] = "Grüße – von weit her"
    message["Date"] = "Sun, 22 Nov 2026 12:00:00 +0000"
    message["Message-ID"] = "<letter@client.example>"
    for name, value in fields.items():
        name = name.replace("_", "-")
        del message[name]
        if value is not None:
            message[name] = value
    message.set_content("Plain – text\n.\n..\nlast\n")
    return message


def state(smtp):
    """Everything that a message of ours is made of."""
    return (
        {name: getattr(smtp, name) for name in KEPT},
        [recipient.copy() for recipient in smtp.message_recipients],
        smtp.config("MessageIncludesHeaders"),
        smtp.config("AllowEmptyTo"),
    )


class Case(unittest.TestCase):
    extensions = MODERN
    faults = ()

    def setUp(self):
        self.server = Server(*self.faults, extensions=self.extensions)
        self.addCleanup(self.server.close)
        self.smtp = client(self.server)
        self.addCleanup(self.smtp.close)

    def send(self, message, *arguments):
        """Sends, sees that the object is as before, and gives back the envelope's addresses and the octets."""
        before = state(self.smtp)
        self.smtp.send_message(message, *arguments)
        self.assertEqual(state(self.smtp), before)
        return self.arrived(self.server)

    def arrived(self, server):
        number = server.count()
        # smtplib of Python 3.13 says "MAIL from:".
        lines = [re.sub("from|to", lambda m: m[0].upper(), line.split(">")[0] + ">", count=1, flags=re.IGNORECASE)
                 for line in server.envelope(number)]
        return lines[0], sorted(lines[1:]), server.eml(number)

    def by_smtplib(self, message, *arguments):
        with Server(extensions=self.extensions) as server, smtplib.SMTP(server.host, server.port) as smtp:
            smtp.send_message(message, *arguments)
            return self.arrived(server)

    def same_as_smtplib(self, message, *arguments):
        got = self.send(message, *arguments)
        self.assertEqual(got, self.by_smtplib(message, *arguments))
        return got

    def fails(self, code, function, *arguments):
        with self.assertRaises(SsmtpError) as caught:
            function(*arguments)
        self.assertEqual(caught.exception.code, code, str(caught.exception))
        return caught.exception


class EnvelopeTest(Case):
    def test_sender_and_recipients_come_from_the_headers(self):
        sender, recipients, octets = self.same_as_smtplib(
            letter(Cc="Team: third@server.example, fourth@server.example;", Bcc="hidden@server.example")
        )
        self.assertEqual(sender, "MAIL FROM:<sender@client.example>")
        self.assertEqual(recipients, [
            f"RCPT TO:<{name}@server.example>" for name in ("first", "fourth", "hidden", "second", "third")
        ])
        self.assertNotIn(b"hidden", octets)
        self.assertNotIn(b"Bcc", octets)

    def test_sender_goes_before_from(self):
        message = letter(From="a@client.example, b@client.example", Sender="Office <office@client.example>")
        self.assertEqual(self.same_as_smtplib(message)[0], "MAIL FROM:<office@client.example>")

    def test_of_several_authors_the_first_sends(self):
        message = letter(From="a@client.example, b@client.example")
        self.assertEqual(self.same_as_smtplib(message)[0], "MAIL FROM:<a@client.example>")

    def test_a_resent_message_goes_by_its_resent_fields(self):
        message = letter(
            Bcc="old@server.example", Resent_Date="Mon, 23 Nov 2026 12:00:00 +0000", Resent_From="again@client.example",
            Resent_To="new@server.example", Resent_Cc="copy@server.example", Resent_Bcc="blind@server.example",
        )
        sender, recipients, octets = self.same_as_smtplib(message)
        self.assertEqual(sender, "MAIL FROM:<again@client.example>")
        self.assertEqual(recipients, [f"RCPT TO:<{name}@server.example>" for name in ("blind", "copy", "new")])
        self.assertIn(b"Resent-To: new@server.example\r\n", octets)
        self.assertNotIn(b"blind", octets)
        self.assertNotIn(b"old@", octets)
        message["Resent-Sender"] = "desk@client.example"
        self.assertEqual(self.same_as_smtplib(message)[0], "MAIL FROM:<desk@client.example>")

    def test_two_resent_blocks_are_refused_as_smtplib_does(self):
        message = email.message_from_string("Resent-Date: a\nResent-Date: b\nFrom: a@x.example\nTo: b@x.example\n\n")
        with self.assertRaises(ValueError):
            self.smtp.send_message(message)
        with self.assertRaises(ValueError):
            self.by_smtplib(message)

    def test_arguments_go_before_the_headers(self):
        message = letter(Bcc="hidden@server.example")
        got = self.same_as_smtplib(message, "bounce@client.example", ["x@server.example", "Y <y@server.example>"])
        self.assertEqual(got[:2], (
            "MAIL FROM:<bounce@client.example>", ["RCPT TO:<x@server.example>", "RCPT TO:<y@server.example>"]
        ))
        self.assertNotIn(b"hidden", got[2])
        got = self.same_as_smtplib(message, None, "only@server.example")
        self.assertEqual(got[1], ["RCPT TO:<only@server.example>"])
        got = self.send(message, None, (address for address in ("a@server.example",)))
        self.assertEqual(got[1], ["RCPT TO:<a@server.example>"])

    def test_an_empty_sender_is_the_null_sender(self):
        self.assertEqual(self.same_as_smtplib(letter(), "")[0], "MAIL FROM:<>")

    def test_a_message_to_hidden_recipients_alone_goes_out(self):
        got = self.same_as_smtplib(letter(To="undisclosed-recipients:;", Bcc="a@server.example"))
        self.assertEqual(got[1], ["RCPT TO:<a@server.example>"])

    def test_an_encoded_comma_divides_nothing(self):
        # smtplib decodes first, and sends to the two halves.
        message = MIMEText("Text", "plain", "utf-8")
        message["From"] = "a@client.example"
        message["To"] = email.header.make_header([(b"M\xc3\xbcller, b@evil.example, ", "utf-8"), (b"<c@server.example>", None)])
        self.assertEqual(self.send(message)[1], ["RCPT TO:<c@server.example>"])

    def test_missing_and_malformed_addresses_are_errors_by_number(self):
        for code, message, arguments in (
            (164, letter(From=None), ()),
            (165, letter(To=None), ()),
            (165, letter(To="undisclosed-recipients:;"), ()),
            (165, letter(), (None, [])),
            (165, letter(), (None, ["no address"])),
            (165, letter(To="somebody"), ()),
            (164, letter(), ("no address",)),
            (603, letter(), ("a@b.example>\r\nRCPT TO:<c@d.example",)),
            (603, letter(), (None, ["a@b.example\r\nDATA"])),
        ):
            before = state(self.smtp)
            self.fails(code, self.smtp.send_message, message, *arguments)
            self.assertEqual(state(self.smtp), before)
        self.assertEqual(self.server.count(), 0)

    def test_other_types_are_refused(self):
        for message in ("From: a@b.example\n\n", b"From: a@b.example\n\n", None, 5):
            with self.assertRaises(TypeError):
                self.smtp.send_message(message)
        with self.assertRaises(TypeError):
            self.smtp.send_message(letter(), 5)
        with self.assertRaises(TypeError):
            self.smtp.send_message(letter(), None, [b"a@b.example"])
        with self.assertRaises(TypeError):
            self.smtp.send_message(letter(), None, 5)


class OctetsTest(Case):
    def test_a_whole_message_arrives_as_smtplib_sends_it(self):
        message = letter()
        message.add_alternative("<p>HTML – <img src='cid:logo'></p>", subtype="html")
        message.get_payload()[1].add_related(b"\x89PNG\r\n\x00", "image", "png", cid="<logo>")
        message.add_attachment(bytes(range(256)), "application", "octet-stream", filename="Übersicht.bin")
        message.add_attachment("Ünïcödé\n", filename="text.txt")
        message.add_attachment(letter())
        message.set_boundary("=outer=")
        message["X-Long"] = "word " * 200
        octets = self.same_as_smtplib(message)[2]
        got = parse(self, octets)
        self.assertEqual(
            shape(got), "multipart/mixed(multipart/alternative(text/plain, multipart/related(text/html, image/png)), "
            "application/octet-stream, text/plain, message/rfc822(text/plain))",
        )
        self.assertEqual(attachments(got)[0], ("Übersicht.bin", "application/octet-stream", bytes(range(256))))

    def test_messages_of_the_old_api_arrive_too(self):
        message = MIMEMultipart()
        message["From"], message["To"] = "a@client.example", "b@server.example"
        message["Subject"] = "Grüße"
        message.attach(MIMEText("Text – hier\n", "plain", "utf-8"))
        message.attach(MIMEApplication(bytes(range(256)), Name="a.bin"))
        message.set_boundary("=outer=")
        self.same_as_smtplib(message)

    def test_a_line_that_begins_with_from_is_not_changed(self):
        # smtplib makes it ">From here".
        message = letter()
        message.set_content("First\nFrom here\n")
        self.assertEqual(text(parse(self, self.send(message)[2])), "First\r\nFrom here\r\n")

    def test_date_and_message_id_are_the_messages_own_business(self):
        octets = self.send(letter(Date=None, Message_ID=None))[2]
        self.assertNotIn(b"\r\nDate:", octets)
        self.assertNotIn(b"Message-ID", octets)

    def test_the_message_object_is_not_changed(self):
        message = letter(Bcc="hidden@server.example")
        before = message.as_bytes()
        self.smtp.send_message(message)
        self.smtp.send_message(message)
        self.assertEqual(message.as_bytes(), before)
        self.assertEqual(message["Bcc"], "hidden@server.example")
        self.assertEqual(self.server.eml(1), self.server.eml(2))

    def test_an_empty_message_is_refused(self):
        self.fails(603, self.smtp.send_message, EmailMessage(), "a@b.example", "c@d.example")


class EightBitTest(Case):
    def eight(self):
        message = letter()
        message.set_content("Grüße –\n", cte="8bit")
        message.add_attachment("Zweiter Teil: ü = " + "x" * 70 + " \n.\n", cte="8bit", filename="zwei.txt")
        message.set_boundary("=outer=")
        inner = EmailMessage()
        inner["Subject"] = "inner"
        inner.set_content("Inneres ü\n", cte="8bit")
        message.add_attachment(inner, cte="8bit")
        # Octets that call themselves 8-bit, of no charset.
        part = email.message_from_bytes(
            b"Content-Type: image/x-odd\r\nContent-Transfer-Encoding: 8bit\r\n\r\n\xff\xfe\xe4", policy=message.policy
        )
        message.attach(part)
        return message

    def test_eight_bit_text_stays_where_the_server_takes_it(self):
        message = self.eight()
        octets = self.same_as_smtplib(message)[2]
        self.assertIn("Grüße –\r\n".encode(), octets)
        self.assertIn("BODY=8BITMIME", self.server.envelope()[0])

    def check_encoded(self, server):
        octets = server.eml(server.count())
        self.assertTrue(octets.isascii())
        got = parse(self, octets)
        parts = list(got.iter_parts())
        self.assertEqual(text(parts[0]), "Grüße –\r\n")
        self.assertEqual(text(parts[1]), "Zweiter Teil: ü = " + "x" * 70 + " \r\n.\r\n")
        self.assertEqual(parts[1].get_filename(), "zwei.txt")
        self.assertEqual(text(parts[2].get_content()), "Inneres ü\r\n")
        self.assertEqual((parts[3].get_content_type(), content(parts[3])), ("image/x-odd", b"\xff\xfe\xe4"))
        self.assertNotIn("BODY=", server.envelope(server.count())[0])

    def test_it_is_encoded_for_a_server_without_8bitmime(self):
        with Server(extensions="") as plain:
            self.smtp.mail_port = plain.port
            self.smtp.send_message(self.eight())
            self.check_encoded(plain)
            self.assertFalse(self.smtp.connected)
            self.smtp.connect()
            self.smtp.send_message(self.eight())
            self.check_encoded(plain)
            self.assertTrue(self.smtp.connected)
            self.smtp.disconnect()

    def test_it_is_encoded_when_8bitmime_is_switched_off(self):
        self.smtp.config("Use8BitMime=False")
        self.smtp.send_message(self.eight())
        self.check_encoded(self.server)

    def test_raw_headers_of_a_parsed_message_are_encoded_without_smtputf8(self):
        raw = "From: a@client.example\r\nTo: b@server.example\r\nSubject: Grüße\r\n\r\nText\r\n".encode()
        message = email.message_from_bytes(raw, policy=email.policy.default)
        with Server(extensions="8BITMIME") as plain:
            self.smtp.mail_port = plain.port
            self.smtp.send_message(message)
            octets = plain.eml()
            self.assertTrue(octets.isascii())
            self.assertIn(b"Subject: =?", octets)

    def test_addresses_beyond_ascii_need_smtputf8(self):
        message = letter(From="jörg@client.example", To="Änne <änne@server.example>")
        sender, recipients, octets = self.same_as_smtplib(message)
        self.assertEqual((sender, recipients), ("MAIL FROM:<jörg@client.example>", ["RCPT TO:<änne@server.example>"]))
        self.assertIn("To: Änne <änne@server.example>\r\n".encode(), octets)
        self.assertIn("SMTPUTF8", self.server.envelope()[0])
        with Server(extensions="8BITMIME") as plain:
            self.smtp.mail_port = plain.port
            with self.assertRaises(SsmtpError):
                self.smtp.send_message(message)
            self.assertEqual(plain.count(), 0)

    def test_addresses_beyond_ascii_in_messages_of_the_old_api(self):
        message = MIMEText("Text –\n", "plain", "utf-8")
        message["From"], message["To"], message["Subject"] = "a@client.example", "b@server.example", "Grüße"
        sender, recipients, octets = self.send(message, "jörg@client.example")
        self.assertEqual(sender, "MAIL FROM:<jörg@client.example>")
        self.assertIn("Subject: Grüße\r\n".encode(), octets)
        self.assertEqual(text(parse(self, octets)), "Text –\n")
        message.replace_header("From", "jörg@client.example")
        sender, recipients, octets = self.send(message)
        self.assertEqual(sender, "MAIL FROM:<jörg@client.example>")
        self.assertIn("From: jörg@client.example\r\n".encode(), octets)


class StateTest(Case):
    faults = ("RCPT:bad@server.example=550 5.1.1 no such user",)

    def fill(self):
        smtp = self.smtp
        smtp.return_path, smtp.reply_to = "bounce@client.example", "reply@client.example"
        smtp.cc, smtp.bcc = '"C, c" <c@server.example>', "d@server.example"
        smtp.message_recipients.add("e@server.example", RecipientType.TO, "Änne, E.", "NOTIFY=NEVER")
        smtp.message_text, smtp.message_html = "ours ü\r\n", "<p>ours</p>"
        smtp.other_headers, smtp.message_date = "X-Ours: 1", "Sun, 22 Nov 2026 12:00:00 +0000"
        smtp.message_id = "<ours@client.example>"
        smtp.add_attachment(b"ours", "ours.bin")

    def test_the_object_sends_its_own_message_as_before(self):
        self.fill()
        self.smtp.send()
        self.send(letter())
        self.smtp.send()
        strip = lambda octets: [line for line in octets.split(b"\r\n") if b"=_" not in line]  # noqa: E731
        self.assertEqual(strip(self.server.eml(1)), strip(self.server.eml(3)))
        self.assertEqual(self.server.envelope(1), self.server.envelope(3))
        self.assertNotIn(b"ours", self.server.eml(2))
        self.assertNotIn("bounce", "".join(self.server.envelope(2)))

    def test_a_failed_encryption_of_the_objects_own_message_is_not_forgotten(self):
        self.fill()
        self.fails(272, self.smtp.encrypt)
        self.send(letter())
        self.fails(283, self.smtp.send)

    def test_nothing_changes_when_the_message_fails(self):
        self.fill()
        before = state(self.smtp)
        error = self.fails(161, self.smtp.send_message, letter(To="bad@server.example"))
        self.assertIn("no such user", error.message)
        self.assertEqual(state(self.smtp), before)
        self.assertEqual([r.address for r in self.smtp.recipient_results], ["bad@server.example"])
        with Server("MAIL=close") as rude:
            self.smtp.mail_port = rude.port
            with self.assertRaises(SsmtpError):
                self.smtp.send_message(letter())
        self.assertEqual(state(self.smtp), before)

    def test_an_object_without_a_message_stays_without(self):
        smtp = Ssmtp()
        self.addCleanup(smtp.close)
        smtp.mail_server, smtp.mail_port = self.server.host, self.server.port
        before = state(smtp)
        smtp.send_message(letter())
        self.assertEqual(state(smtp), before)
        self.assertEqual((len(smtp.message_recipients), smtp.message_headers_string), (0, ""))

    def test_message_and_settings_of_the_object_stay(self):
        self.smtp.message = b"ours \x00\xff\r\n"
        self.send(letter())
        for value in ("True", "False"):
            self.smtp.config(f"MessageIncludesHeaders={value}")
            self.smtp.config(f"AllowEmptyTo={value}")
            self.send(letter())

    def test_a_stream_and_a_file_stay_for_the_next_message(self):
        stream = io.BytesIO(b"from the stream\r\n")
        self.smtp.set_message_stream(stream)
        self.assertNotIn(b"stream", self.send(letter())[2])
        self.assertFalse(stream.closed)
        self.smtp.send()
        self.assertTrue(self.server.eml(2).endswith(b"One line\r\nfrom the stream\r\n"))
        self.assertTrue(stream.closed)
        # One that was sent and closed doesn't become a body without it.
        self.send(letter())
        self.fails(303, self.smtp.send)
        self.smtp.attached_file = "/no/such/file"
        self.send(letter())
        self.fails(302, self.smtp.send)
        self.smtp.attached_file = ""
        self.send(letter())
        self.smtp.send()
        self.assertTrue(self.server.eml(self.server.count()).endswith(b"\r\n\r\nOne line\r\n"))

    def test_a_long_list_comes_back_in_its_order(self):
        recipients = self.smtp.message_recipients
        for n in range(300):
            recipients.append(MessageRecipient(f"r{n}@server.example", RecipientType(n % 3), f"Nr. {n}"))
        self.send(letter())
        self.send(letter(To=", ".join(f"x{n}@server.example" for n in range(500))))
        self.assertEqual(len(self.server.envelope(2)), 501)

    def test_many_messages_go_over_one_connection(self):
        self.smtp.connect()
        for n in range(20):
            self.send(letter(Subject=f"Nr. {n} ü"))
        self.assertTrue(self.smtp.connected)
        self.smtp.disconnect()
        self.assertEqual(self.server.count(), 20)

    def test_what_a_handler_raises_comes_out_and_nothing_changes(self):
        def stop(event):
            if event.message.startswith("RCPT"):
                raise ZeroDivisionError

        self.fill()
        before = state(self.smtp)
        self.smtp.on_pi_trail = stop
        with self.assertRaises(ZeroDivisionError):
            self.smtp.send_message(letter())
        self.assertEqual(state(self.smtp), before)
        self.assertEqual(self.server.count(), 0)

    def test_a_handler_may_close_the_object_and_nobody_else_may_send_meanwhile(self):
        codes = []

        def handler(event):
            if event.message.startswith("MAIL"):
                for call in (self.smtp.send, lambda: self.smtp.send_message(letter())):
                    with self.assertRaises(SsmtpError) as caught:
                        call()
                    codes.append(caught.exception.code)
                self.smtp.close()

        self.smtp.on_pi_trail = handler
        with self.assertRaises(SsmtpError) as caught:
            self.smtp.send_message(letter())
        self.assertIn(caught.exception.code, (301, 608))
        self.assertEqual(codes, [166, 166])


class ThreadTest(unittest.TestCase):
    def setUp(self):
        self.server = Server("MAIL=stall")
        self.addCleanup(self.server.close)
        self.smtp = client(self.server)
        self.addCleanup(self.smtp.close)
        self.stalled = threading.Event()
        self.smtp.on_pi_trail = lambda e: self.stalled.set() if e.message.startswith("MAIL") else None

    def test_another_threads_method_is_busy_and_never_sends_this_message(self):
        errors = []

        def work():
            try:
                self.smtp.send_message(letter())
            except SsmtpError as error:
                errors.append(error.code)

        before = state(self.smtp)
        thread = threading.Thread(target=work)
        thread.start()
        self.assertTrue(self.stalled.wait(20))
        for call in (self.smtp.send, self.smtp.connect, lambda: self.smtp.send_message(letter())):
            with self.assertRaises(SsmtpError) as caught:
                call()
            self.assertEqual(caught.exception.code, 166)
        self.smtp.interrupt()
        thread.join(20)
        self.assertEqual(errors, [301])
        self.assertEqual(state(self.smtp), before)
        # The handle is free again.
        with Server() as good:
            self.smtp.mail_port = good.port
            self.smtp.send_message(letter())
            self.assertEqual(good.count(), 1)

    def test_send_message_while_send_runs_is_busy(self):
        before = state(self.smtp)
        thread = threading.Thread(target=self.assertRaises, args=(SsmtpError, self.smtp.send))
        thread.start()
        self.assertTrue(self.stalled.wait(20))
        with self.assertRaises(SsmtpError) as caught:
            self.smtp.send_message(letter())
        self.assertEqual(caught.exception.code, 166)
        self.assertEqual(state(self.smtp), before)
        self.smtp.interrupt()
        thread.join(20)

    def test_ctrl_c_comes_out_and_nothing_changes(self):
        before = state(self.smtp)
        stop = threading.Thread(target=lambda: self.stalled.wait(20) and os.kill(os.getpid(), signal.SIGINT))
        stop.start()
        with self.assertRaises(KeyboardInterrupt):
            self.smtp.send_message(letter())
        stop.join()
        self.assertEqual(state(self.smtp), before)
        self.assertIs(signal.getsignal(signal.SIGINT), signal.default_int_handler)

    def test_cancelling_the_async_twin_ends_it_and_leaves_no_thread(self):
        before, threads = state(self.smtp), threading.active_count()

        async def main():
            task = asyncio.ensure_future(self.smtp.send_message_async(letter()))
            while not self.stalled.is_set():
                await asyncio.sleep(0.005)
            begun = time.monotonic()
            task.cancel()
            with self.assertRaises(asyncio.CancelledError):
                await task
            return time.monotonic() - begun

        self.assertLess(asyncio.run(main()), 1)
        self.assertEqual(threading.active_count(), threads)
        self.assertEqual(state(self.smtp), before)

    def test_the_async_twin_sends(self):
        with Server() as good:
            self.smtp.mail_port = good.port
            asyncio.run(self.smtp.send_message_async(letter(), "x@client.example", ["y@server.example"]))
            self.assertEqual(
                [line.split(">")[0] for line in good.envelope()],
                ["MAIL FROM:<x@client.example", "RCPT TO:<y@server.example"],
            )


if __name__ == "__main__":
    unittest.main()
