"""recipient_results: what became of each recipient."""

import unittest

from support import Server, client

import ssmtp
from ssmtp import RecipientResult, SsmtpError

FAULTS = (
    "RCPT:bad@server.example=550 5.1.1 no such user",
    "RCPT:later@server.example=450-4.2.1 mailbox\r\n450 4.2.1 is busy",
    "RCPT:plain@server.example=550 go away",
)


class ResultsTest(unittest.TestCase):
    def setUp(self):
        self.server = Server(*FAULTS)
        self.addCleanup(self.server.close)
        self.smtp = client(self.server)
        self.addCleanup(self.smtp.close)

    def test_nothing_before_the_first_send(self):
        self.assertEqual(self.smtp.recipient_results, ())
        self.assertEqual(len(self.smtp.recipient_results), 0)
        with self.assertRaises(IndexError):
            self.smtp.recipient_results[0]
        with self.assertRaises(AttributeError):
            self.smtp.recipient_results = ()

    def test_every_recipient_has_its_result(self):
        self.smtp.send_to = "good@server.example, bad@server.example, later@server.example"
        self.smtp.cc, self.smtp.bcc = "plain@server.example", "hidden@server.example, good@server.example"
        for setting in ("StopOnToErrors", "StopOnCcErrors", "StopOnBccErrors"):
            self.smtp.config(f"{setting}=False")
        self.smtp.send()
        results = self.smtp.recipient_results
        self.assertEqual(len(results), 5)
        by_address = {result.address.split("@")[0]: result for result in results}
        self.assertEqual(list(by_address), ["good", "bad", "later", "plain", "hidden"])
        self.assertEqual(
            by_address["bad"],
            RecipientResult("bad@server.example", "RCPT", 550, "5.1.1", by_address["bad"].text, False, False),
        )
        self.assertIn("no such user", by_address["bad"].text)
        later = by_address["later"]
        self.assertEqual((later.code, later.enhanced_code, later.accepted, later.temporary), (450, "4.2.1", False, True))
        self.assertIn("is busy", later.text)
        self.assertNotIn("\n", later.text)
        self.assertEqual((by_address["plain"].enhanced_code, by_address["plain"].temporary), ("", False))
        for name in ("good", "hidden"):
            result = by_address[name]
            self.assertEqual((result.phase, result.code, result.accepted, result.temporary), ("CONTENT", 250, True, False))
        self.assertIs(results[0].accepted, True)
        self.assertIsInstance(results[0].code, int)
        self.assertEqual(results[-1].address, "hidden@server.example")
        self.assertEqual([r.address for r in results[1:3]], ["bad@server.example", "later@server.example"])
        self.assertIn("bad@server.example", repr(results))

    def test_by_name_they_read_the_same(self):
        self.smtp.config("StopOnToErrors=False")
        self.smtp.send_to = "good@server.example, later@server.example"
        self.smtp.send()
        self.assertEqual(self.smtp.get("RecipientResultCount"), "2")
        for n, result in enumerate(self.smtp.recipient_results):
            for name, value in result._asdict().items():
                spec = "RecipientResult" + "".join(word.capitalize() for word in name.split("_"))
                self.assertEqual(self.smtp.get(f"{spec}[{n}]"), str(value))
        for name in ("Address", "Text", "Code", "Accepted"):
            with self.assertRaises(SsmtpError) as caught:
                self.smtp.get(f"RecipientResult{name}[2]")
            self.assertEqual(caught.exception.code, 605)
            with self.assertRaises(SsmtpError) as caught:
                self.smtp.set(f"RecipientResult{name}[0]", "1")
            self.assertEqual(caught.exception.code, 604)

    def test_a_failed_send_tells_too_and_the_next_one_replaces_it(self):
        self.smtp.send_to = "bad@server.example"
        with self.assertRaises(SsmtpError):
            self.smtp.send()
        failed = self.smtp.recipient_results
        self.assertEqual([(r.code, r.accepted) for r in failed], [(550, False)])
        self.smtp.send_to = "good@server.example"
        self.smtp.send()
        self.assertEqual([(r.address, r.accepted) for r in self.smtp.recipient_results], [("good@server.example", True)])
        # A copy stays what it was.
        self.assertEqual(failed[0].address, "bad@server.example")

    def test_a_refused_sender_and_a_refused_message_show_their_phase(self):
        for point, phase in (("MAIL", "MAIL"), ("DATA-END", "CONTENT")):
            with Server(f"{point}=552 5.3.4 too much") as refusing:
                self.smtp.mail_port = refusing.port
                with self.assertRaises(SsmtpError):
                    self.smtp.send()
                (result,) = self.smtp.recipient_results
                self.assertEqual((result.phase, result.code, result.accepted), (phase, 552, False))
                self.smtp.disconnect()

    def test_no_answer_is_code_zero_and_temporary(self):
        with Server("DATA-END=close") as rude:
            self.smtp.mail_port = rude.port
            with self.assertRaises(SsmtpError):
                self.smtp.send()
            (result,) = self.smtp.recipient_results
            self.assertEqual((result.phase, result.code, result.accepted, result.temporary), ("CONTENT", 0, False, True))

    def test_they_are_empty_while_a_send_runs_and_closed_with_the_object(self):
        seen = []
        self.smtp.send()
        self.smtp.on_pi_trail = lambda e: seen.append(self.smtp.recipient_results)
        self.smtp.send()
        self.assertEqual(set(seen[:3]), {()})
        self.smtp.close()
        with self.assertRaises(SsmtpError) as caught:
            self.smtp.recipient_results
        self.assertEqual(caught.exception.code, 608)

    def test_the_class_is_exported(self):
        self.assertIs(ssmtp.RecipientResult, RecipientResult)


if __name__ == "__main__":
    unittest.main()
