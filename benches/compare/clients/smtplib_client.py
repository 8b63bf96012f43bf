"""CPython's smtplib: one connection for all messages (one), or one each (each).

usage: smtplib_client.py PORT COUNT SIZE one|each plain|tls ROOT
"""
import json
import resource
import smtplib
import ssl
import sys
import time

port, count, size = (int(a) for a in sys.argv[1:4])
each, tls = sys.argv[4] == "each", sys.argv[5] == "tls"
headers = b"From: <a@client.example>\r\nTo: <b@server.example>\r\nSubject: bench\r\n\r\n"
line = b"The quick brown fox jumps over the lazy dog; the five boxing wizards jump q\r\n"
body = headers + line * max(0, -(-(size - len(headers)) // len(line)))
context = ssl.create_default_context(cafile=sys.argv[6]) if tls else None


def connect():
    if tls:
        return smtplib.SMTP_SSL("127.0.0.1", port, local_hostname="client.example", context=context)
    return smtplib.SMTP("127.0.0.1", port, local_hostname="client.example")


def cpu():
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


slowest, start, before = 0.0, time.monotonic(), cpu()
client = None
for _ in range(count):
    begun = time.monotonic()
    if client is None:
        client = connect()
    client.sendmail("a@client.example", ["b@server.example"], body)
    if each:
        client.quit()
        client = None
    slowest = max(slowest, time.monotonic() - begun)
if client is not None:
    client.quit()
wall, used = time.monotonic() - start, cpu() - before
rss = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(json.dumps({"wall": wall, "cpu": used, "slowest": slowest, "rss_kib": rss}))
