"""ssmtp.logging: the conversation as records."""

import logging
import unittest

from support import Server, client

from ssmtp import SsmtpError
from ssmtp.logging import printable, trail


class LoggingTest(unittest.TestCase):
    def test_the_conversation_is_logged_and_handlers_go_on(self):
        seen = []
        with Server() as server, client(server) as smtp:
            smtp.on_pi_trail = handler = lambda event: seen.append(event.message)
            with self.assertLogs("ssmtp", logging.DEBUG) as logs:
                with trail(smtp):
                    smtp.send()
                smtp.send()
            self.assertIs(smtp._handler("pi_trail"), handler)
            self.assertIsNone(smtp._handler("error"))
        texts = [record.getMessage() for record in logs.records]
        self.assertIn("C: MAIL FROM:<sender@client.example> SIZE=", "\n".join(texts))
        self.assertTrue(any(text.startswith("S: 220 ") for text in texts))
        self.assertIn("-- Remote host connection complete: OK", texts)
        self.assertEqual(sum(text.startswith("S: 220 ") for text in texts), 1)
        self.assertEqual(sum(message.startswith("220 ") for message in seen), 2)
        self.assertEqual({record.levelno for record in logs.records}, {logging.DEBUG})
        self.assertEqual(logs.records[1].ssmtp_event.direction, 1)

    def test_a_logger_and_a_level_of_ones_own_and_no_password(self):
        logger = logging.getLogger("mine.mail")
        with Server(more=["--auth", "me:secret"]) as server, client(server) as smtp:
            smtp.user, smtp.password = "me", "secret"
            with self.assertLogs(logger, logging.INFO) as logs, trail(smtp, logger, logging.INFO):
                smtp.send()
        text = "\n".join(logs.output)
        self.assertIn("AUTH PLAIN ***", text)
        self.assertNotIn("secret", text)
        self.assertNotIn("AG1lAHNlY3JldA", text)

    def test_refusals_and_lost_connections_stand_out(self):
        with Server("RCPT:second=550 no", "DATA=close") as server, client(server) as smtp:
            smtp.send_to = "first@server.example, second@server.example"
            smtp.config("StopOnToErrors=False")
            with self.assertLogs("ssmtp", logging.WARNING) as logs, trail(smtp), self.assertRaises(SsmtpError):
                smtp.send()
        levels = [record.levelno for record in logs.records]
        self.assertIn(logging.ERROR, levels)
        self.assertIn(logging.WARNING, levels)

    def test_a_server_writes_no_lines_of_its_own(self):
        self.assertEqual(printable("a\r\nERROR:root:b\x1b[2Jü"), "a\\r\\nERROR:root:b\\x1b[2Jü")
        with Server("NOOP=250 red \x1b[31m alert") as server, client(server) as smtp:
            with self.assertLogs("ssmtp", logging.DEBUG) as logs, trail(smtp):
                smtp.connect()
                smtp.send_command("NOOP")
        self.assertIn("S: 250 red \\x1b[31m alert", [record.getMessage() for record in logs.records])

    def test_stop_twice_and_after_close(self):
        smtp = client()
        log = trail(smtp)
        log.stop()
        log.stop()
        log = trail(smtp)
        smtp.close()
        log.stop()


if __name__ == "__main__":
    unittest.main()
