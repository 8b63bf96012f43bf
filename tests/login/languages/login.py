"""Logs in, sends a message, and prints what it saw of the conversation. usage: login.py HOST PORT USER PASSWORD"""

import sys

from ssmtp import AuthMechanism, Ssmtp, SsmtpError

with Ssmtp() as smtp:
    smtp.on_pi_trail = lambda event: print(event.direction, event.message)
    smtp.mail_server, smtp.mail_port = sys.argv[1], int(sys.argv[2])
    smtp.user, smtp.password = sys.argv[3], sys.argv[4]
    smtp.auth_mechanism = AuthMechanism.CRAM_MD5
    smtp.from_, smtp.send_to = "alice@client.example", "bob@server.example"
    smtp.message_text = "Hello\r\n"
    try:
        smtp.send()
        print("sent")
    except SsmtpError as error:
        print(f"error {error.code}: {error}")
        sys.exit(1)
