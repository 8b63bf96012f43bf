"""HTML, attachments and inline parts: what goes in comes out of an independent parser."""

import gc
import io
import mmap
import os
import pathlib
import random
import string
import tempfile
import unittest
import weakref

from mime import attachments, content, parse, shape, text
from support import Server, client

from ssmtp import Ssmtp, SsmtpError

BOUNDARIES = b"--=_\r\n--\r\n\r\n----=_m--\r\n--=_0_a--\n.\r\n..\r\nFrom here\r\n"
HARD = bytes(range(256)) * 3 + BOUNDARIES + b"\r\r\n\n\0" + b"x" * 5000
PLAIN = "Text with Ümläuts –\r\n.\r\n..dots\r\n\r\nFrom here\r\nlast\r\n"
HTML = '<p>HTML – <img src="cid:logo@client.example"></p>\r\n'


class Case(unittest.TestCase):
    extensions = "8BITMIME,SIZE 50000000,PIPELINING"

    def setUp(self):
        self.server = Server(extensions=self.extensions)
        self.addCleanup(self.server.close)
        self.smtp = client(self.server)
        self.addCleanup(self.smtp.close)
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def file(self, name, octets):
        path = self.folder / name
        path.write_bytes(octets)
        return path

    def sent(self):
        """Sends, and parses what arrived."""
        self.smtp.send()
        return parse(self, self.server.eml(self.server.count()))

    def fails(self, code, function, *arguments):
        with self.assertRaises(SsmtpError) as caught:
            function(*arguments)
        self.assertEqual(caught.exception.code, code, str(caught.exception))
        return caught.exception


class HtmlTest(Case):
    def test_html_and_text_are_alternatives(self):
        self.smtp.message_text, self.smtp.message_html = PLAIN, HTML
        message = self.sent()
        self.assertEqual(shape(message), "multipart/alternative(text/plain, text/html)")
        self.assertEqual(text(message.get_body(("plain",))), PLAIN)
        self.assertEqual(text(message.get_body(("html",))), HTML)
        self.assertEqual(self.smtp.message_html, HTML)

    def test_html_alone_needs_no_multipart(self):
        self.smtp.message_text, self.smtp.message_html = "", HTML
        message = self.sent()
        self.assertEqual((shape(message), text(message)), ("text/html", HTML))

    def test_all_levels_nest_in_their_order(self):
        self.smtp.message_text, self.smtp.message_html = PLAIN, HTML
        self.smtp.add_attachment(HARD, "first.bin")
        self.smtp.add_inline(HARD, "<logo@client.example>", "image/png")
        self.smtp.add_attachment(b"BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n", type="text/calendar; method=REQUEST")
        self.smtp.add_inline(b"body {}", "style@client.example", "text/css")
        self.smtp.add_attachment(HARD, "second.bin", "application/x-second")
        message = self.sent()
        self.assertEqual(
            shape(message),
            "multipart/mixed(multipart/alternative(text/plain, multipart/related(text/html, image/png, text/css), "
            "text/calendar), application/octet-stream, application/x-second)",
        )
        parts = {part["Content-ID"]: part for part in message.walk() if part["Content-ID"]}
        self.assertEqual(list(parts), ["<logo@client.example>", "<style@client.example>"])
        self.assertEqual(content(parts["<logo@client.example>"]), HARD)
        self.assertEqual({part.get_content_disposition() for part in parts.values()}, {"inline"})
        self.assertEqual([name for name, *_ in attachments(message)], ["first.bin", "second.bin"])
        related = next(p for p in message.walk() if p.get_content_type() == "multipart/related")
        self.assertEqual(related.get_param("type"), "text/html")
        boundaries = [p.get_boundary() for p in message.walk() if p.is_multipart()]
        self.assertEqual(len(set(boundaries)), 3)

    def test_inline_parts_without_html_lie_beside_the_text(self):
        self.smtp.add_inline(b"png", "logo@x", "image/png")
        self.assertEqual(shape(self.sent()), "multipart/mixed(text/plain, image/png)")


class SourceTest(Case):
    def test_a_file_has_its_own_name_and_type(self):
        path = self.file("Übersicht (1).pdf", HARD)
        self.smtp.add_attachment(path)
        self.smtp.add_attachment(str(path), "other.png")
        self.smtp.add_attachment(os.fspath(path), type="application/x-special; version=2")
        message = self.sent()
        self.assertEqual(attachments(message), [
            ("Übersicht (1).pdf", "application/pdf", HARD),
            ("other.png", "image/png", HARD),
            ("Übersicht (1).pdf", "application/x-special", HARD),
        ])
        self.assertEqual(list(message.iter_attachments())[2].get_param("version"), "2")

    def test_a_file_is_read_when_the_message_is_sent(self):
        path = self.file("late.txt", b"early")
        self.smtp.add_attachment(path)
        path.write_bytes(b"late")
        self.assertEqual(attachments(self.sent()), [("late.txt", "text/plain", b"late")])
        path.unlink()
        error = self.fails(302, self.smtp.send)
        self.assertIn("late.txt", error.message)
        self.smtp.clear_attachments()
        self.smtp.add_attachment(self.folder, "folder")
        self.fails(302, self.smtp.send)
        self.assertEqual(self.server.count(), 1)

    def test_everything_with_octets_in_it_is_data(self):
        path = self.file("mapped", b"mapped")
        with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
            # mmap can also be read, which would move its position.
            for n, source in enumerate([b"", bytearray(b"array"), memoryview(b"a-b-c")[::2], mapped]):
                self.smtp.add_attachment(source, f"{n}.bin")
        sent = [octets for *_, octets in attachments(self.sent())]
        self.assertEqual(sent, [b"", b"array", b"abc", b"mapped"])

    def test_octets_are_copied_when_they_are_added(self):
        octets = bytearray(b"before")
        self.smtp.add_attachment(octets, "copy.bin")
        octets[:] = b"after!"
        self.assertEqual(attachments(self.sent())[0][2], b"before")

    def test_a_stream_is_read_once_and_closed(self):
        class Slow:
            """Three octets at a time."""

            def __init__(self, octets):
                self.inner = io.BytesIO(octets)

            def read(self, size):
                return self.inner.read(min(3, size))

        memory, empty = io.BytesIO(b"skipped" + HARD), io.BytesIO()
        memory.seek(7)
        path = self.file("von Datei.txt", HARD)
        file = open(path, "rb")
        self.smtp.add_attachment(memory, "memory.bin")
        self.smtp.add_attachment(Slow(HARD), "slow.bin", "application/x-slow")
        self.smtp.add_attachment(file)
        self.smtp.add_attachment(empty, "empty")
        self.smtp.add_inline(io.BytesIO(b"png"), "logo", "image/png")
        message = self.sent()
        found = [(part.get_filename(), part.get_content_type(), content(part)) for part in message.iter_parts()][1:]
        self.assertEqual(sorted(found, key=str), sorted([
            ("memory.bin", "application/octet-stream", HARD),
            ("slow.bin", "application/x-slow", HARD),
            ("von Datei.txt", "text/plain", HARD),
            ("empty", "application/octet-stream", b""),
            (None, "image/png", b"png"),
        ], key=str))
        self.assertTrue(memory.closed and file.closed and empty.closed)
        self.fails(303, self.smtp.send)
        self.smtp.clear_attachments()
        self.assertEqual(shape(self.sent()), "text/plain")

    def test_streams_stay_open_when_the_setting_says_so(self):
        self.smtp.config("CloseStreamAfterTransfer=False")
        stream = io.BytesIO(b"octets")
        self.smtp.add_attachment(stream, "a.bin")
        self.sent()
        self.assertFalse(stream.closed)
        stream.seek(0)
        self.assertEqual(attachments(self.sent())[0][2], b"octets")

    def test_the_size_is_announced_where_it_is_known(self):
        class Unknown(io.RawIOBase):
            left = 5000

            def readable(self):
                return True

            def readinto(self, buffer):
                count = min(len(buffer), self.left)
                buffer[:count] = b"x" * count
                self.left -= count
                return count

        self.smtp.add_attachment(io.BytesIO(b"x" * 5000), "a.bin")
        self.smtp.add_attachment(open(self.file("b.bin", b"x" * 5000), "rb"))
        self.sent()
        self.assertIn(" SIZE=", self.server.envelope()[0])
        size = int(self.server.envelope()[0].split(" SIZE=")[1].split()[0])
        self.assertEqual(size, len(self.server.eml()))
        self.smtp.clear_attachments()
        self.smtp.add_attachment(Unknown(), "c.bin")
        self.assertEqual(attachments(self.sent())[0][2], b"x" * 5000)
        self.assertNotIn(" SIZE=", self.server.envelope(2)[0])

    def test_what_a_stream_raises_comes_out_of_send(self):
        class Broken:
            def read(self, size):
                raise ZeroDivisionError("no more")

        self.smtp.add_attachment(Broken(), "a.bin")
        with self.assertRaisesRegex(ZeroDivisionError, "no more"):
            self.smtp.send()
        self.smtp.clear_attachments()
        self.smtp.add_attachment(io.StringIO("text"), "a.txt")
        with self.assertRaisesRegex(TypeError, "not bytes"):
            self.smtp.send()
        self.assertEqual(self.server.count(), 0)

    def test_what_is_no_source_is_a_type_error(self):
        for source in (None, 5, object(), ["a.txt"], {}):
            with self.assertRaises(TypeError, msg=repr(source)):
                self.smtp.add_attachment(source)
            with self.assertRaises(TypeError, msg=repr(source)):
                self.smtp.add_inline(source, "cid")
        for name, kind in ((b"name", ""), ("name", None), (5, "")):
            for source in (b"octets", io.BytesIO(), "a.txt"):
                with self.assertRaises(TypeError):
                    self.smtp.add_attachment(source, name, kind)
        self.assertEqual(self.smtp._streams, {})
        self.assertEqual(shape(self.sent()), "text/plain")

    def test_refused_values_add_nothing(self):
        for source in (b"octets", io.BytesIO(b"octets"), self.file("a.txt", b"octets")):
            for name, kind in (("a\r\nb", ""), ("a\0b", ""), ("a", "png"), ("a", "a/b\r\nBcc: x"), ("a", "multipart/x")):
                self.fails(603, self.smtp.add_attachment, source, name, kind)
            for cid in ("", "two words", "a\r\nb", "ü", "a>b"):
                self.fails(603, self.smtp.add_inline, source, cid, "image/png")
        for path in ("", "a\0b", "\udcff"):
            self.fails(603, self.smtp.add_attachment, path)
        self.assertEqual(self.smtp._streams, {})
        self.assertEqual(shape(self.sent()), "text/plain")

    def test_names_lose_their_folders(self):
        for name in ("../../etc/passwd", "C:\\Windows\\passwd", "/passwd"):
            self.smtp.add_attachment(b"", name)
        self.assertEqual({name for name, *_ in attachments(self.sent())}, {"passwd"})

    def test_names_of_any_kind_come_back(self):
        names = ["a*b", "'", "it's", "100%", "%41", "a'b'c%20", '"quoted"', "back`tick", "a;b=c.txt", "(x) [y] {z}",
                 "sp  ace", "ü*'%", "x" * 300, "ü" * 200, "日本語.pdf", "😀.png", "e\u0301.txt", "~#!$&+^|"]
        for name in names:
            self.smtp.add_attachment(b"octets", name, "application/octet-stream")
        self.assertEqual([name for name, *_ in attachments(self.sent())], names)

    def test_attachments_stay_until_they_are_cleared_or_reset(self):
        self.smtp.add_attachment(b"one", "one.bin")
        self.sent()
        self.smtp.reset_headers()
        self.smtp.from_, self.smtp.send_to = "a@client.example", "b@server.example"
        self.assertEqual(shape(self.sent()), "multipart/mixed(text/plain, application/octet-stream)")
        self.smtp.reset()
        self.smtp.mail_server, self.smtp.mail_port = self.server.host, self.server.port
        self.smtp.from_, self.smtp.send_to = "a@client.example", "b@server.example"
        self.smtp.message_text = "alone\r\n"
        self.assertEqual(shape(self.sent()), "text/plain")

    def test_streams_are_let_go_of(self):
        class Source(io.BytesIO):
            pass

        def add():
            source = Source(b"octets")
            self.smtp.add_attachment(source, "a.bin")
            return weakref.ref(source)

        def added(source):
            self.smtp.set_message_stream(source)
            return weakref.ref(source)

        before = [add(), add()]
        gc.collect()
        self.assertTrue(all(ref() is not None for ref in before))
        self.smtp.clear_attachments()
        before.append(add())
        self.smtp.reset()
        before.append(added(Source()))
        self.smtp.attached_file = "some.txt"
        before.append(added(Source()))
        self.smtp.set("AttachedFile", "some.txt")
        before.append(added(Source()))
        self.smtp.set_message_stream(None)
        before.append(add())
        self.smtp.close()
        gc.collect()
        self.assertEqual([ref() for ref in before], [None] * 7)

    def test_a_new_body_stream_leaves_the_parts_alone(self):
        self.smtp.add_attachment(io.BytesIO(b"part"), "a.bin")
        self.smtp.set_message_stream(io.BytesIO(b"first"))
        self.smtp.set_message_stream(io.BytesIO(b"second\r\n"))
        gc.collect()
        message = self.sent()
        self.assertEqual(content(message.get_body()), b"One line\r\nsecond\r\n")
        self.assertEqual(attachments(message), [("a.bin", "application/octet-stream", b"part")])

    def test_a_handler_may_change_the_attachments_of_the_next_message(self):
        def change(event):
            self.smtp.on_start_transfer = None
            self.smtp.clear_attachments()
            self.smtp.add_attachment(io.BytesIO(b"next"), "next.bin")

        self.smtp.add_attachment(io.BytesIO(b"this"), "this.bin")
        self.smtp.on_start_transfer = change
        self.assertEqual([a[0] for a in attachments(self.sent())], ["this.bin"])
        self.assertEqual(attachments(self.sent()), [("next.bin", "application/octet-stream", b"next")])


class KindTest(Case):
    INVITATION = "BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nSUMMARY:Übung\r\nEND:VCALENDAR\r\n".encode()

    def test_an_invitation_is_an_alternative_and_may_be_attached_too(self):
        kind = "text/calendar; method=REQUEST; charset=utf-8"
        self.smtp.add_attachment(self.INVITATION, type=kind)
        self.smtp.add_attachment(self.INVITATION, "invite.ics")
        message = self.sent()
        self.assertEqual(
            shape(message), "multipart/mixed(multipart/alternative(text/plain, text/calendar), text/calendar)"
        )
        calendar = [part for part in message.walk() if part.get_content_type() == "text/calendar"]
        self.assertEqual(calendar[0].get_param("method"), "REQUEST")
        self.assertEqual(text(calendar[0]), self.INVITATION.decode())
        self.assertIsNone(calendar[0].get_content_disposition())
        self.assertEqual(calendar[1].get_content_disposition(), "attachment")
        self.assertEqual(content(calendar[1]), self.INVITATION)

    def test_another_message_goes_unencoded_and_stays_a_message(self):
        inner = b"From: a@x.example\r\nSubject: inner\r\nMIME-Version: 1.0\r\n\r\nBody\r\n.\r\n"
        self.smtp.add_attachment(inner, "inner.eml", "message/rfc822")
        self.smtp.add_attachment(self.file("file.eml", inner))
        message = self.sent()
        self.assertEqual(shape(message).count("message/rfc822"), 2)
        for part in list(message.iter_parts())[1:]:
            self.assertEqual(part["Content-Transfer-Encoding"], "7bit")
            self.assertEqual(part.get_content()["Subject"], "inner")
            self.assertEqual(part.get_content().get_content(), "Body\r\n.\r\n")

    def test_a_message_that_cannot_go_unencoded_goes_as_a_file(self):
        for octets in (b"Subject: long\r\n\r\n" + b"x" * 2000, b"Subject: NUL\r\n\r\n\0"):
            self.smtp.clear_attachments()
            self.smtp.add_attachment(octets, "inner.eml", "message/rfc822")
            self.assertEqual(attachments(self.sent()), [("inner.eml", "application/octet-stream", octets)])


class EightBitTest(Case):
    TEXT = "Grüße\r\n" + "–" * 40 + "\r\n"
    INNER = "Subject: inner\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nGrüße\r\n".encode()

    def fill(self):
        self.smtp.message_text, self.smtp.message_html = self.TEXT, f"<p>{self.TEXT}</p>\r\n"
        self.smtp.add_attachment(self.INNER, "inner.eml", "message/rfc822")

    def check(self, message, encoded):
        octets = self.server.eml(self.server.count())
        self.assertEqual(octets.isascii(), encoded)
        self.assertEqual(" BODY=8BITMIME" in self.server.envelope(self.server.count())[0], not encoded)
        self.assertEqual(text(message.get_body(("plain",))), self.TEXT)
        self.assertEqual(text(message.get_body(("html",))), f"<p>{self.TEXT}</p>\r\n")
        last = list(message.iter_parts())[-1]
        if encoded:
            self.assertEqual(content(last), self.INNER)
        else:
            self.assertEqual(last.get_content().get_content(), "Grüße\r\n")

    def test_eight_bit_text_goes_as_it_is_where_the_server_takes_it(self):
        self.fill()
        self.check(self.sent(), encoded=False)
        self.smtp.config("Use8BitMime=False")
        self.check(self.sent(), encoded=True)

    def test_without_8bitmime_it_is_encoded(self):
        with Server(extensions="") as plain:
            self.server = plain
            self.smtp.mail_port = plain.port
            self.fill()
            self.check(self.sent(), encoded=True)

    def test_lines_that_are_too_long_are_encoded(self):
        long = "ü" * 3000 + "\r\n" + "x" * 5000 + "\r\n"
        self.smtp.message_text = self.smtp.message_html = long
        message = self.sent()
        self.assertEqual([text(part) for part in message.iter_parts()], [long, long])


class RandomTest(Case):
    """A few hundred messages of random texts, names and octets come back equal."""

    ALPHABETS = (
        string.ascii_letters + string.digits + " ",
        "äöüßÄÖÜéèñç ",
        "日本語テスト漢字 ",
        "😀🎉🚀 ",
        "=?_()<>@,;:\\\"[]'%*+ ",
        string.printable[:95],
        "אבג ابت ",
        "\u0301\u200d\ufeff\u2028 ",
    )

    def word(self, dice, longest):
        letters = "".join(dice.choice(dice.choice(self.ALPHABETS)) for _ in range(dice.randrange(1, longest)))
        return letters

    def body(self, dice):
        lines = (self.word(dice, 200) if dice.random() < 0.8 else dice.choice(["", ".", "..", "From x", "--=_"])
                 for _ in range(dice.randrange(0, 12)))
        return "".join(f"{line}\r\n" for line in lines)

    def run_messages(self, seed, count):
        dice = random.Random(seed)
        self.smtp.connect()
        for n in range(1, count + 1):
            subject = " ".join(self.word(dice, 60).split())
            plain, html = self.body(dice), dice.choice(["", self.body(dice)])
            parts = []
            self.smtp.clear_attachments()
            for _ in range(dice.randrange(0, 4)):
                # Surrounding blanks and folders are taken off a name on purpose.
                name = self.word(dice, 80).replace("/", "").replace("\\", "").strip(" .\ufeff\u2028")
                octets = dice.choice([dice.randbytes(dice.randrange(0, 3000)), HARD, self.body(dice).encode()])
                source = dice.choice([octets, io.BytesIO(octets)])
                self.smtp.add_attachment(source, name, "application/octet-stream")
                parts.append((name or None, "application/octet-stream", octets))
            self.smtp.subject, self.smtp.message_text, self.smtp.message_html = subject, plain, html
            self.smtp.send()
            with self.subTest(seed=seed, n=n):
                message = parse(self, self.server.eml(n))
                self.assertEqual(str(message["Subject"] or ""), subject)
                self.assertEqual(attachments(message) if message.is_multipart() else [], parts)
                if html:
                    self.assertEqual(text(message.get_body(("html",))), html)
                if plain or not html:
                    self.assertEqual(text(message.get_body(("plain",))), plain)
        self.smtp.disconnect()

    @unittest.skipUnless(hasattr(random.Random, "randbytes"), "Python 3.9")
    def test_random_messages_come_back_equal(self):
        self.run_messages(3, 150)

    @unittest.skipUnless(hasattr(random.Random, "randbytes"), "Python 3.9")
    def test_random_messages_come_back_equal_without_8bitmime(self):
        self.smtp.config("Use8BitMime=False")
        self.run_messages(4, 150)


class ClosedTest(unittest.TestCase):
    def test_a_closed_object_takes_no_attachment(self):
        smtp = Ssmtp()
        smtp.close()
        for call in (
            lambda: smtp.add_attachment(b"x"),
            lambda: smtp.add_attachment("x.txt"),
            lambda: smtp.add_attachment(io.BytesIO()),
            lambda: smtp.add_inline(b"x", "cid"),
            lambda: smtp.add_inline(io.BytesIO(), "cid"),
            smtp.clear_attachments,
        ):
            with self.assertRaises(SsmtpError) as caught:
                call()
            self.assertEqual(caught.exception.code, 608)


if __name__ == "__main__":
    unittest.main()
