"""Logs in with a token that has expired, and gives another one when it is asked. usage: renew.py HOST PORT USER STALE GOOD"""

import sys

from ssmtp import AuthMechanism, Ssmtp, SsmtpError


def give(event):
    print("asked for", event.user)
    smtp.config(f"AuthorizationIdentity=Bearer {sys.argv[5]}")


with Ssmtp() as smtp:
    smtp.on_token_wanted = give
    smtp.mail_server, smtp.mail_port = sys.argv[1], int(sys.argv[2])
    smtp.user = sys.argv[3]
    smtp.auth_mechanism = AuthMechanism.XOAUTH2
    smtp.config(f"AuthorizationIdentity={sys.argv[4]}")
    try:
        smtp.connect()
        print("logged in")
        smtp.disconnect()
    except SsmtpError as error:
        print(f"error {error.code}: {error}")
        sys.exit(1)
