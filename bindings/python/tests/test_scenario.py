"""The scenario message to the embedded server, and what handlers, refusals and streams do to it."""

import email
import email.policy
import io
import pathlib
import subprocess
import sys
import traceback
import unittest

import scenario as message
from support import ROOT, Server, client

from ssmtp import ErrorCode, PITrailEvent, RecipientType, Ssmtp, SsmtpError


class Boom(Exception):
    pass


class WithServer(unittest.TestCase):
    def serve(self, *faults, **options):
        server = Server(*faults, **options)
        self.addCleanup(server.close)
        return server

    def client(self, server):
        smtp = client(server)
        self.addCleanup(smtp.close)
        return smtp

    def fails(self, code, function, *arguments):
        with self.assertRaises(SsmtpError) as caught:
            function(*arguments)
        self.assertEqual(caught.exception.code, code, str(caught.exception))
        return caught.exception


class ScenarioTest(WithServer):
    def check(self, server, number=1):
        envelope = server.envelope(number)
        self.assertTrue(envelope[0].startswith("MAIL FROM:<sender@client.example>"), envelope)
        self.assertEqual(
            [line.split()[1] for line in envelope[1:]],
            ["TO:<alice@postfix.test>", "TO:<bob@postfix.test>", "TO:<carol@postfix.test>"],
        )
        sent = server.eml(number)
        expected = (ROOT / "tests" / "postfix" / "expected.eml").read_bytes()
        self.assertEqual(sent, expected.replace(b"\n", b"\r\n"))
        parsed = email.message_from_bytes(sent, policy=email.policy.default)
        self.assertEqual(parsed["Subject"], message.SUBJECT)
        self.assertEqual(parsed["From"].addresses[0].display_name, "Zoë Sender")
        self.assertEqual(parsed["Cc"].addresses[0].display_name, "Bob, Esq.")
        self.assertEqual(parsed["X-Scenario"], "1")
        self.assertIsNone(parsed["Bcc"])
        self.assertNotIn(b"carol", sent)
        self.assertEqual(parsed.get_content(), message.MESSAGE_TEXT)

    def test_the_scenario_message_arrives_byte_for_byte(self):
        server = self.serve()
        with Ssmtp() as smtp:
            smtp.mail_server, smtp.mail_port = server.host, server.port
            message.scenario(smtp)
            smtp.send()
            self.assertFalse(smtp.connected)
        self.check(server)

    def test_it_arrives_over_a_connection_that_sends_one_byte_at_a_time(self):
        server = self.serve(more=("--one-byte",))
        with Ssmtp() as smtp:
            smtp.mail_server, smtp.mail_port = server.host, server.port
            message.scenario(smtp)
            smtp.send()
        self.check(server)

    def test_an_open_connection_stays_open_for_the_next_message(self):
        server = self.serve()
        with Ssmtp() as smtp:
            smtp.mail_server, smtp.mail_port = server.host, server.port
            smtp.connect()
            for _ in range(2):
                message.scenario(smtp)
                smtp.send()
                self.assertTrue(smtp.connected)
            smtp.disconnect()
            self.assertFalse(smtp.connected)
        self.check(server, 1)
        self.check(server, 2)

    def test_the_command_line_program_sends_it(self):
        server = self.serve()
        program = pathlib.Path(message.__file__)
        subprocess.run([sys.executable, str(program), server.host, str(server.port)], check=True, timeout=60)
        self.check(server)


class EventTest(WithServer):
    def test_events_fire_in_order(self):
        server, seen = self.serve(), []
        smtp = self.client(server)
        smtp.on_connection_status = lambda e: seen.append(e.connection_event)
        smtp.on_start_transfer = lambda e: seen.append("start")
        smtp.on_transfer = lambda e: seen.append(("transfer", e.bytes_transferred, e.percent_done))
        smtp.on_end_transfer = lambda e: seen.append("end")
        smtp.on_pi_trail = lambda e: seen.append(e.message[:4].strip()) if e.direction == 0 else None
        smtp.send()
        self.assertEqual(
            seen,
            [
                "Remote host connection complete",
                "EHLO",
                "MAIL",
                "RCPT",
                "DATA",
                "start",
                ("transfer", 10, 100),
                "end",
                "QUIT",
                "Remote host disconnected",
            ],
        )

    def test_a_transfer_event_holds_exactly_its_portion(self):
        server, portions = self.serve(), []
        smtp = self.client(server)
        smtp.message_text = text = ".zwölf\r\n" * 30000
        smtp.on_transfer = lambda e: portions.append((e.text_b, e.bytes_transferred))
        smtp.send()
        self.assertGreater(len(portions), 1)
        self.assertEqual(b"".join(portion for portion, _ in portions), text.encode())
        sums = [sum(len(p) for p, _ in portions[: i + 1]) for i in range(len(portions))]
        self.assertEqual([total for _, total in portions], sums)

    def test_the_trail_shows_both_directions(self):
        server, lines = self.serve(), []
        smtp = self.client(server)
        smtp.on_pi_trail = lines.append
        smtp.send()
        self.assertIsInstance(lines[0], PITrailEvent)
        self.assertEqual({line.direction for line in lines} - {2}, {0, 1})
        self.assertTrue(any(e.direction == 1 and e.message.startswith("220") for e in lines), lines)
        self.assertIn("message=", repr(lines[0]))

    def test_none_removes_a_handler(self):
        server, seen = self.serve(), []
        smtp = self.client(server)
        self.assertIsNone(smtp.on_pi_trail)
        smtp.on_pi_trail = handler = seen.append
        self.assertIs(smtp.on_pi_trail, handler)
        smtp.on_pi_trail = None
        self.assertIsNone(smtp.on_pi_trail)
        smtp.send()
        self.assertEqual(seen, [])

    def test_only_a_function_or_none_is_a_handler(self):
        smtp = self.client(None)
        with self.assertRaises(TypeError):
            smtp.on_pi_trail = "no function"
        self.assertIsNone(smtp.on_pi_trail)

    def test_reset_keeps_the_handlers(self):
        server, seen = self.serve(), []
        smtp = self.client(server)
        smtp.on_pi_trail = seen.append
        smtp.reset()
        self.assertEqual((smtp.mail_server, smtp.from_), ("", ""))
        smtp.mail_server, smtp.mail_port = server.host, server.port
        smtp.connect()
        self.assertTrue(seen)


class RaisingHandlerTest(WithServer):
    def test_the_very_exception_of_a_handler_comes_out_of_send(self):
        server, boom = self.serve(), Boom("in the handler")
        smtp = self.client(server)

        def explode(event):
            raise boom

        smtp.on_start_transfer = explode
        # Not assertRaises: it takes the traceback away.
        try:
            smtp.send()
            self.fail("send raised nothing")
        except Boom as raised:
            self.assertIs(raised, boom)
        self.assertIsNone(boom.__context__)
        names = [frame.name for frame in traceback.extract_tb(boom.__traceback__)]
        self.assertEqual(names[0], "test_the_very_exception_of_a_handler_comes_out_of_send")
        self.assertEqual(names[-1], "explode")
        self.assertEqual(server.count(), 0)

    def test_each_event_of_a_plain_send_can_stop_it(self):
        for event in ("connection_status", "pi_trail", "start_transfer", "transfer", "end_transfer"):
            with self.subTest(event=event):
                smtp = self.client(self.serve())

                def explode(_):
                    raise Boom(event)

                setattr(smtp, f"on_{event}", explode)
                with self.assertRaises(Boom):
                    smtp.send()
                self.assertTrue(smtp.idle)
                setattr(smtp, f"on_{event}", None)
                smtp.send()

    def test_keyboard_interrupt_and_exit_pass_too(self):
        for kind in (KeyboardInterrupt, SystemExit, GeneratorExit):
            smtp = self.client(self.serve())

            def leave(_):
                raise kind()

            smtp.on_pi_trail = leave
            with self.assertRaises(kind):
                smtp.send()

    def test_calls_in_later_handlers_do_not_raise_the_earlier_exception(self):
        server, seen, boom = self.serve(), [], Boom()
        smtp = self.client(server)

        def explode(_):
            raise boom

        def look(event):
            seen.append((event.connection_event, smtp.mail_port, smtp.config("Hello") != ""))

        smtp.on_start_transfer, smtp.on_connection_status = explode, look
        with self.assertRaises(Boom) as caught:
            smtp.send()
        self.assertIs(caught.exception, boom)
        self.assertTrue(all(port == server.port and hello for _, port, hello in seen))

    def test_a_failing_call_in_a_handler_comes_out_as_it_is(self):
        smtp = self.client(self.serve())
        smtp.on_pi_trail = lambda e: smtp.get("NoSuchProperty")
        self.fails(ErrorCode.UNKNOWN_NAME, smtp.send)

    def test_a_handler_of_one_object_may_send_with_another(self):
        first, second = self.serve(), self.serve()
        outer, inner = self.client(first), self.client(second)
        outer.on_start_transfer = lambda e: inner.send()
        outer.send()
        self.assertEqual((first.count(), second.count()), (1, 1))

    def test_closing_in_a_handler_is_safe(self):
        for event in ("pi_trail", "connection_status", "transfer"):
            smtp = self.client(self.serve())
            setattr(smtp, f"on_{event}", lambda e: smtp.close())
            with self.assertRaises(SsmtpError):
                smtp.send()
            self.fails(ErrorCode.CLOSED_HANDLE, smtp.send)

    def test_setters_in_a_handler_are_for_the_next_message(self):
        server = self.serve()
        smtp = self.client(server)

        def change(_):
            smtp.subject = "Next"

        smtp.on_start_transfer = change
        smtp.send()
        smtp.send()
        self.assertIn(b"Subject: Small\r\n", server.eml(1))
        self.assertIn(b"Subject: Next\r\n", server.eml(2))


class RefusalTest(WithServer):
    REFUSE = "RCPT:bad@server.example=550 5.1.1 no such user"

    def test_a_refused_to_recipient_stops_the_message(self):
        server = self.serve(self.REFUSE)
        smtp = self.client(server)
        smtp.send_to = "bad@server.example, good@server.example"
        error = self.fails(ErrorCode.PROTOCOL, smtp.send)
        self.assertIn("no such user", error.message)
        self.assertEqual(error.name, "PROTOCOL")
        self.assertIn("(error 161)", str(error))
        self.assertEqual(server.count(), 0)

    def test_a_refused_blind_recipient_fires_error_only(self):
        server, errors = self.serve(self.REFUSE), []
        smtp = self.client(server)
        smtp.bcc = "bad@server.example"
        smtp.on_error = errors.append
        smtp.send()
        self.assertEqual([e.error_code for e in errors], [161])
        self.assertIn("no such user", errors[0].description)
        self.assertEqual([line.split()[1] for line in server.envelope()[1:]], ["TO:<first@server.example>"])

    def test_after_a_refusal_the_same_object_sends(self):
        smtp = self.client(self.serve(self.REFUSE))
        smtp.connect()
        smtp.send_to = "bad@server.example"
        self.fails(161, smtp.send)
        self.assertTrue(smtp.connected)
        smtp.send_to = "good@server.example"
        smtp.send()

    def test_a_server_that_is_not_there_has_the_number_of_the_spec(self):
        server = self.serve()
        smtp = self.client(server)
        server.close()
        self.fails(ErrorCode.CONNECTION_REFUSED, smtp.send)


class StreamTest(WithServer):
    def test_a_stream_follows_the_text(self):
        server = self.serve()
        smtp = self.client(server)
        stream = io.BytesIO(b"from the stream\r\n.dot\r\n" * 5000)
        smtp.set_message_stream(stream, len(stream.getvalue()))
        expected = b"One line\r\n" + stream.getvalue()
        done = []
        smtp.on_transfer = lambda e: done.append(e.percent_done)
        smtp.send()
        self.assertTrue(server.eml().endswith(b"\r\n\r\n" + expected))
        self.assertEqual(done[-1], 100)
        self.assertTrue(stream.closed)

    def test_any_object_with_read_will_do(self):
        class Three:
            parts = [b"one\r\n", bytearray(b"two\r\n"), memoryview(b"three\r\n"), b""]

            def read(self, size):
                return self.parts.pop(0) if self.parts else b""

        server = self.serve()
        smtp = self.client(server)
        smtp.set_message_stream(Three())
        smtp.send()
        self.assertTrue(server.eml().endswith(b"One line\r\none\r\ntwo\r\nthree\r\n"))

    def test_a_stream_stays_open_when_the_setting_says_so(self):
        smtp = self.client(self.serve())
        smtp.config("CloseStreamAfterTransfer=False")
        stream = io.BytesIO(b"body\r\n")
        smtp.set_message_stream(stream)
        smtp.send()
        smtp.close()
        self.assertFalse(stream.closed)

    def test_a_replaced_stream_is_let_go_of_unclosed(self):
        server = self.serve()
        smtp = self.client(server)
        first, second = io.BytesIO(b"first\r\n"), io.BytesIO(b"second\r\n")
        smtp.set_message_stream(first)
        smtp.set_message_stream(second)
        smtp.set_message_stream(None)
        smtp.send()
        self.assertFalse(first.closed or second.closed)
        self.assertTrue(server.eml().endswith(b"\r\n\r\nOne line\r\n"))

    def test_a_stream_that_is_replaced_while_it_is_sent_is_for_the_next_message(self):
        server = self.serve()
        smtp = self.client(server)
        first, second = b"first\r\n" * 50000, b"second\r\n"

        def replace(_):
            smtp.on_start_transfer = None
            smtp.set_message_stream(io.BytesIO(second))

        smtp.set_message_stream(io.BytesIO(first))
        smtp.on_start_transfer = replace
        smtp.send()
        smtp.send()
        self.assertTrue(server.eml(1).endswith(b"One line\r\n" + first))
        self.assertTrue(server.eml(2).endswith(b"One line\r\n" + second))
        self.assertEqual(smtp._streams, {})

    def test_what_read_raises_comes_out_of_send(self):
        boom = Boom("in read")

        class Broken:
            def read(self, size):
                raise boom

        server = self.serve()
        smtp = self.client(server)
        smtp.set_message_stream(Broken())
        with self.assertRaises(Boom) as caught:
            smtp.send()
        self.assertIs(caught.exception, boom)
        self.assertEqual(server.count(), 0)

    def test_a_stream_that_is_not_bytes_is_refused(self):
        class Long:
            def read(self, size):
                return b"x" * (size + 1)

        for readable, kind in ((io.StringIO("text"), TypeError), (Long(), ValueError)):
            smtp = self.client(self.serve())
            smtp.set_message_stream(readable)
            with self.assertRaises(kind):
                smtp.send()
        with self.assertRaises(TypeError):
            smtp.set_message_stream(object())
        with self.assertRaises(TypeError):
            smtp.set_message_stream(io.BytesIO(), "long")
        self.fails(603, smtp.set_message_stream, io.BytesIO(), 2**64)


class RecipientKindTest(WithServer):
    def test_recipients_of_the_list_are_sent_to(self):
        server = self.serve()
        smtp = self.client(server)
        smtp.message_recipients.add("second@server.example", RecipientType.CC, "Zwei, Herr")
        smtp.message_recipients.add("third@server.example", RecipientType.BCC)
        smtp.send()
        recipients = [line.split()[1] for line in server.envelope()[1:]]
        self.assertEqual(recipients, [f"TO:<{name}@server.example>" for name in ("first", "second", "third")])
        self.assertIn(b'Cc: "Zwei, Herr" <second@server.example>\r\n', server.eml())
        self.assertNotIn(b"third", server.eml())


if __name__ == "__main__":
    unittest.main()
