"""send_all: several messages over one connection."""

import asyncio
import unittest

from support import Server, client

from ssmtp import ErrorCode, Ssmtp, SsmtpError


def messages(count):
    made = []
    for number in range(count):
        message = Ssmtp()
        message.from_, message.send_to = "a@client.example", f"r{number}@server.example"
        message.subject, message.message_text = f"Number {number}", "Hi\r\n"
        made.append(message)
    return made


class SendAllTest(unittest.TestCase):
    def test_every_message_arrives_over_one_connection(self):
        with Server() as server, client(server) as smtp:
            connected = []
            smtp.on_connection_status = lambda event: connected.append(event.connection_event)
            self.assertEqual(smtp.send_all(messages(3)), [0, 0, 0])
            self.assertEqual(connected, ["Remote host connection complete", "Remote host disconnected"])
            self.assertEqual(server.count(), 3)
            self.assertIn(b"Number 1", server.eml(2))
            self.assertEqual(asyncio.run(smtp.send_all_async(messages(2))), [0, 0])
            self.assertEqual(smtp.send_all([]), [])

    def test_one_that_fails_has_its_number_and_the_others_go_on(self):
        with Server("RCPT:r1@=550 5.1.1 no such user") as server, client(server) as smtp:
            errors = []
            smtp.on_error = lambda event: errors.append(event.error_code)
            made = messages(3)
            self.assertEqual(smtp.send_all(made), [0, ErrorCode.PROTOCOL, 0])
            self.assertEqual(errors, [ErrorCode.PROTOCOL])
            self.assertEqual(made[1].recipient_results[0].enhanced_code, "5.1.1")
            self.assertTrue(made[2].recipient_results[0].accepted)

    def test_a_refused_call_raises(self):
        with Ssmtp() as smtp:
            with self.assertRaises(SsmtpError) as caught:
                smtp.send_all(messages(1))
            self.assertEqual(caught.exception.code, ErrorCode.NO_MAIL_SERVER)
            with self.assertRaises(TypeError):
                smtp.send_all(["x"])

    def test_what_a_handler_raises_comes_out(self):
        with Server() as server, client(server) as smtp:

            def stop(event):
                if "RCPT TO:<r1@" in event.message:
                    raise KeyError("enough")

            smtp.on_pi_trail = stop
            with self.assertRaises(KeyError):
                smtp.send_all(messages(3))


if __name__ == "__main__":
    unittest.main()
