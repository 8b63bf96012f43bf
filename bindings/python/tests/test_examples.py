"""The examples run as a newcomer runs them."""

import os
import signal
import subprocess
import sys
import tempfile
import threading
import unittest

from mime import attachments, content, parse, shape, text
from support import ROOT, Server

FOLDER = ROOT / "examples" / "python"


def run(name, *arguments):
    with tempfile.TemporaryDirectory() as folder:
        return subprocess.run(
            [sys.executable, str(FOLDER / name), *arguments],
            cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60,
        )


class ExamplesTest(unittest.TestCase):
    def setUp(self):
        self.server = Server("RCPT:bad@server.example=550 5.1.1 no such user")
        self.addCleanup(self.server.close)
        self.port = str(self.server.port)

    def test_quickstart_sends_and_shows_the_conversation(self):
        done = run("quickstart.py", f"{self.server.host}:{self.port}")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn(b"> EHLO", done.stdout)
        self.assertTrue(done.stdout.endswith(b"sent\n"))
        self.assertIn(b"Subject: Hello from Python\r\n", self.server.eml())

    def test_send_takes_everything_from_the_command_line(self):
        with tempfile.NamedTemporaryFile("wb", suffix=".txt", delete=False) as file:
            file.write("Grüße\naus der Datei\n".encode())
        self.addCleanup(os.unlink, file.name)
        done = run(
            "send.py", "--server", self.server.host, "--port", self.port, "--from", "me@client.example",
            "--to", "a@server.example", "--to", "b@server.example", "--cc", "c@server.example",
            "--bcc", "d@server.example", "--subject", "Prüfung", "--file", file.name, "--verbose",
        )
        self.assertEqual((done.returncode, done.stdout), (0, b""), done.stderr)
        self.assertIn(b"C: MAIL FROM:<me@client.example>", done.stderr)
        self.assertIn(b"S: 250", done.stderr)
        self.assertEqual(len(self.server.envelope()), 5)
        self.assertIn("\r\n\r\nGrüße\r\naus der Datei\r\n".encode(), self.server.eml())

    def test_attachments_come_back_as_they_were(self):
        done = run("attachments.py", f"{self.server.host}:{self.port}")
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, b"", b""))
        message = parse(self, self.server.eml())
        self.assertEqual(
            {name: message[name] for name in ("From", "To", "Subject", "Date", "Message-ID")},
            {
                "From": "sender@client.example", "To": "alice@postfix.test", "Subject": "Attachments – Anhänge",
                "Date": "Sun, 22 Nov 2026 12:00:00 +0000", "Message-ID": "<attachments@client.example>",
            },
        )
        self.assertEqual(
            shape(message), "multipart/mixed(multipart/alternative(text/plain, multipart/related(text/html, image/png)), "
            "text/csv, text/plain, application/octet-stream)",
        )
        self.assertEqual(text(message.get_body(("plain",))), "Plain text\r\n")
        self.assertEqual(
            text(message.get_body(("html",))), '<p>HTML <img src="cid:logo@client.example"></p>\r\n'
        )
        logo = next(part for part in message.walk() if part["Content-ID"] == "<logo@client.example>")
        self.assertEqual((len(content(logo)), content(logo)[:4]), (67, b"\x89PNG"))
        self.assertEqual(attachments(message), [
            ("report.csv", "text/csv", b"a;b\r\n1;2\r\n"),
            ("Übersicht.txt", "text/plain", "Inhalt äöü\n".encode()),
            ("numbers.bin", "application/octet-stream", bytes(range(256))),
        ])
        self.assertEqual(run("attachments.py").returncode, 2)
        done = run("attachments.py", "127.0.0.1:1")
        self.assertEqual((done.returncode, done.stderr[:15]), (1, b"attachments.py:"))

    def test_progress_shows_how_far_it_is_and_can_be_stopped(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "big.bin")
            with open(path, "wb") as file:
                file.write(os.urandom(1_000_000))
            place = f"{self.server.host}:{self.port}"
            done = run("progress.py", place, "me@client.example", "a@server.example", path)
            self.assertEqual((done.returncode, done.stdout), (0, b""), done.stderr)
            shown = [int(line.rsplit(None, 2)[1]) for line in done.stderr.splitlines() if line.endswith(b"%")]
            self.assertEqual((shown, shown[-1]), (sorted(set(shown)), 100))
            self.assertGreater(len(shown), 10)
            self.assertIn(b"250 ", done.stderr)
            with Server("DATA=stall") as silent:
                command = [sys.executable, str(FOLDER / "progress.py"), f"{silent.host}:{silent.port}", "a@b.c", "d@e.f"]
                with subprocess.Popen([*command, path], stderr=subprocess.PIPE) as process:
                    timer = threading.Timer(1.5, lambda: process.send_signal(signal.SIGINT))
                    timer.start()
                    _, said = process.communicate(timeout=60)
                    timer.join()
            self.assertEqual((process.returncode, said), (130, b"\nstopped\n"))
        self.assertEqual(run("progress.py").returncode, 2)

    def test_send_tells_what_failed(self):
        common = ("--server", self.server.host, "--port", self.port, "--from", "me@client.example", "--text", "x")
        done = run("send.py", *common, "--to", "bad@server.example")
        self.assertEqual(done.returncode, 1)
        self.assertIn(b"no such user", done.stderr)
        self.assertIn(b"(error 161)", done.stderr)
        self.assertNotIn(b"Traceback", done.stderr)
        done = run("send.py", *common, "--bcc", "a@server.example")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(run("send.py").returncode, 2)


if __name__ == "__main__":
    unittest.main()
