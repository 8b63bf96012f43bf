"""Sends a message through a proxy. usage: proxy.py HOST PORT TYPE PROXY-HOST PROXY-PORT USER PASSWORD"""

import sys

from ssmtp import FirewallType, Ssmtp, SsmtpError

with Ssmtp() as smtp:
    smtp.on_connection_status = lambda event: print(event.connection_event, event.status_code)
    smtp.mail_server, smtp.mail_port = sys.argv[1], int(sys.argv[2])
    smtp.firewall.firewall_type = FirewallType(int(sys.argv[3]))
    smtp.firewall.host, smtp.firewall.port = sys.argv[4], int(sys.argv[5])
    smtp.firewall.user, smtp.firewall.password = sys.argv[6:8]
    smtp.from_, smtp.send_to = "alice@client.example", "bob@server.example"
    smtp.message_text = "Hello\r\n"
    try:
        smtp.send()
        print("sent")
        smtp.disconnect()
    except SsmtpError as error:
        print(f"error {error.code}: {error}")
        sys.exit(1)
