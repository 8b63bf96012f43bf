"""The queue: a folder, a text for a broker, what a crash leaves."""

import asyncio
import pathlib
import stat
import tempfile
import unittest

from scenario import scenario
from support import Server, client

from ssmtp import ErrorCode, Ssmtp, SsmtpError


class QueueTest(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = pathlib.Path(temporary.name)

    def extensions(self):
        return sorted(path.suffix for path in self.folder.iterdir())

    def test_the_scenario_arrives_through_a_folder_and_as_text(self):
        with Server(extensions="PIPELINING") as server, client(server) as smtp, Ssmtp() as writer:
            scenario(writer)
            name = writer.queue(str(self.folder))
            text = writer.queue("*")
            self.assertTrue(name.endswith(".queued"))
            self.assertEqual(stat.S_IMODE((self.folder / name).stat().st_mode), 0o600)
            self.assertTrue(text.isascii())
            smtp.process_queue(str(self.folder))
            smtp.send_queued(text)
            scenario(smtp)
            smtp.send()
            self.assertEqual(self.extensions(), [])
            for number in (1, 2):
                self.assertEqual(server.eml(number), server.eml(3))
                self.assertIn("RCPT TO:<carol@postfix.test>", server.envelope(number))
            self.assertNotIn(b"carol", server.eml(1))
            with self.assertRaises(SsmtpError) as caught:
                smtp.send_queued(text.replace("Rcpt: Bcc <carol", "Rcpt: Bcc <caroline"))
            self.assertEqual(caught.exception.code, ErrorCode.FILE)

    def test_a_refused_file_is_failed_and_the_others_go(self):
        with Server("RCPT:bob@=550 5.1.1 no such user") as server, client(server) as smtp:
            told = []
            smtp.on_error = lambda event: told.append(event.description)
            for to in ("alice", "bob", "carol"):
                smtp.send_to = f"{to}@server.example"
                smtp.queue(str(self.folder))
            smtp.process_queue(str(self.folder))
            self.assertEqual((server.count(), self.extensions()), (2, [".failed"]))
            self.assertEqual(len(told), 1)
            self.assertIn(".failed: ", told[0])

    def test_what_is_of_unknown_fate_waits_for_a_decision(self):
        with Server("DATA-END@1=close") as server, client(server) as smtp:
            smtp.queue(str(self.folder))
            smtp.process_queue(str(self.folder))
            self.assertEqual(self.extensions(), [".sending"])
            self.assertTrue(smtp.recover_queue(str(self.folder)).endswith(".sending"))
            smtp.config("QueueRecovery=Requeue")
            self.assertTrue(smtp.recover_queue(str(self.folder)).endswith(".queued"))
            asyncio.run(smtp.process_queue_async(str(self.folder)))
            self.assertEqual((server.count(), self.extensions()), (1, []))

    def test_an_encrypted_text_needs_its_password(self):
        with Server() as server, client(server) as smtp:
            smtp.config("QueuePassword=correct horse")
            text = asyncio.run(smtp.queue_async("*"))
            self.assertNotIn("server.example", text)
            smtp.config("QueuePassword=")
            with self.assertRaises(SsmtpError):
                smtp.send_queued(text)
            smtp.config("QueuePassword=correct horse")
            smtp.send_queued(text)
            self.assertEqual(server.count(), 1)


if __name__ == "__main__":
    unittest.main()
