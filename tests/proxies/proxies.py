#!/usr/bin/env python3
"""Sends through every proxy of proxies.sh, each way that there is, and sees what a wrong login brings."""

import base64
import os
import pathlib
import sys
import urllib.parse

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "bindings/python/src"))

from ssmtp import Ssmtp, SsmtpError  # noqa: E402

env = os.environ
FOLDER = pathlib.Path(env["CERTIFICATES"])
USER, PASSWORD = env["PROXY_USER"], env["PROXY_PASSWORD"]
THERE = env["ONLY_THERE"]
PLAIN_PASSWORD = "tanstaaf-Zx7"  # tinyproxy's
WRONG = PASSWORD + "?"


class Way:
    """A proxy and how it is gone through."""

    def __init__(self, title, kind, port, *settings, password=PASSWORD, user=USER, by_proxy=True, six=True, refused=""):
        self.title = title
        self.kind = kind
        self.port = env[port]
        self.settings = settings
        self.user = user
        self.password = password
        # Whether the proxy resolves a name (with a star where it must be asked to), and reaches IPv6.
        self.by_proxy = by_proxy
        self.six = six
        # What it says to a wrong password; nothing where it takes any.
        self.refused = refused

    def name(self):
        return "*" + THERE if self.kind == "fwSOCKS5" else THERE


WAYS = [
    Way("Squid, Basic", "fwTunnel", "SQUID", "FirewallAuthentication=Basic", refused="407"),
    Way("Squid, Digest", "fwTunnel", "SQUID", "FirewallAuthentication=Digest", refused="407"),
    Way("Squid, NTLM 1", "fwTunnel", "SQUID", "FirewallAuthentication=NTLM", refused="407"),
    Way("Squid, NTLM 2", "fwTunnel", "SQUID", "FirewallAuthentication=NTLM", "UseNTLMv2=True", refused="407"),
    Way("Squid, what it wants", "fwTunnel", "SQUID", "FirewallAuthentication=Any", refused="407"),
    Way("Squid, the usual way", "fwTunnel", "SQUID", refused="407"),
    Way("Squid over TLS, Basic", "fwTunnel", "SQUID_TLS", "FirewallTls=True", refused="407"),
    Way("Squid over TLS, NTLM 2", "fwTunnel", "SQUID_TLS", "FirewallTls=True", "FirewallAuthentication=NTLM", "UseNTLMv2=True",
        refused="407"),
    # tinyproxy means 407 and says 401.
    Way("tinyproxy, Basic", "fwTunnel", "TINYPROXY", password=PLAIN_PASSWORD, refused="refuses the login: HTTP/1.0 401"),
    Way("tinyproxy, Basic when asked", "fwTunnel", "TINYPROXY", "FirewallAuthentication=Any", password=PLAIN_PASSWORD,
        refused="refuses the login: HTTP/1.0 401"),
    Way("Dante, SOCKS 4", "fwSOCKS4", "DANTE", password="", by_proxy=False, six=False),
    Way("Dante, SOCKS 5", "fwSOCKS5", "DANTE", user="", password="", six=False),
    Way("microsocks, SOCKS 5", "fwSOCKS5", "MICROSOCKS", refused="refuses the login"),
]


class Client:
    """A handle for a server behind a proxy, with all that it shows."""

    def __init__(self, way, server, port, mode="sslNone", password=None):
        self.smtp = smtp = Ssmtp()
        self.seen = []
        smtp.on_pi_trail = lambda e: self.seen.append(f"PITrail {e.direction} {e.message}")
        smtp.on_ssl_status = lambda e: self.seen.append(f"SSLStatus {e.message}")
        smtp.on_error = lambda e: self.seen.append(f"Error {e.error_code} {e.description}")
        smtp.on_connection_status = lambda e: self.seen.append(f"{e.connection_event} {e.status_code} {e.description}")
        smtp.timeout = 20
        for name, value in [
            ("MailServer", server), ("MailPort", str(port)), ("SSLStartMode", mode),
            ("FirewallType", way.kind), ("FirewallHost", "localhost"), ("FirewallUser", way.user),
            ("FirewallPassword", way.password if password is None else password),
            ("From", "a@client.example"), ("SendTo", "b@server.example"), ("Subject", way.title), ("MessageText", "hello"),
        ]:
            smtp.set(name, value)
        certificates = (FOLDER / "server.pem").read_text() + (FOLDER / "proxy.pem").read_text()
        for setting in (*way.settings, f"FirewallPort={way.port}", "SSLServerCACerts=" + certificates):
            smtp.config(setting)

    def text(self):
        return "\n".join([*self.seen, self.smtp.last_reply])


def require(holds, what, shown=""):
    if not holds:
        raise AssertionError(f"{what}\n{shown}")


def is_silent(text, *secrets):
    for secret in secrets:
        if secret:
            for form in (secret, base64.b64encode(secret.encode()).decode(), base64.b64encode(f"{USER}:{secret}".encode()).decode()):
                require(form not in text, f"{form} was seen", text)


def sends(way, server, place, mode="sslNone"):
    folder = pathlib.Path(env[place + "_MAIL"])
    before = len(list(folder.glob("*.eml")))
    client = Client(way, server, env[place], mode)
    client.smtp.connect()
    require("Firewall connection complete 0 OK" in client.seen, "it did not go through the proxy", client.text())
    require(client.smtp.firewall.host in ("127.0.0.1", "::1"), "FirewallHost is no address", client.smtp.firewall.host)
    secured = any(line == "SSL handshake complete 0 OK" for line in client.seen)
    require(secured == (mode != "sslNone"), "TLS or not", client.text())
    client.smtp.send()
    client.smtp.disconnect()
    require("Firewall host disconnected 0 OK" in client.seen, "no end of the proxy", client.text())
    require(client.smtp.firewall.host == "localhost", "FirewallHost stays an address")
    after = list(folder.glob("*.eml"))
    require(len(after) == before + 1, "no message came")
    is_silent(client.text(), way.password)


def fails(way, server, port, *texts, password=None, code=118, settings=(), mode="sslNone"):
    client = Client(way, server, port, mode, password)
    for setting in settings:
        client.smtp.config(setting)
    try:
        client.smtp.connect()
    except SsmtpError as error:
        seen = f"{client.text()}\n{error}"
        require(error.code == code, f"no error {code}", seen)
        require(all(text in str(error) for text in texts), f"not in the error: {texts}", seen)
        is_silent(seen, way.password, password)
        return client
    raise AssertionError("it connects")


def plain(way):
    sends(way, "127.0.0.1", "PLAIN")


def starttls(way):
    sends(way, "localhost", "STARTTLS", "sslExplicit")


def implicit_tls(way):
    sends(way, "localhost", "IMPLICIT", "sslImplicit")


def name_of_the_proxy(way):
    if way.by_proxy:
        sends(way, way.name(), "STARTTLS", "sslExplicit")


def ipv6(way):
    if way.six:
        sends(way, "::1", "SIX")


def wrong_password(way):
    if way.refused:
        fails(way, "127.0.0.1", env["PLAIN"], way.refused, password=WRONG)


def no_server(way):
    """What the proxy says of a port where nobody listens. (tinyproxy and Squid give a page with it.)"""
    fails(way, "127.0.0.1", 9, "proxy localhost:")


TESTS = [plain, starttls, implicit_tls, name_of_the_proxy, ipv6, wrong_password, no_server]


def environment_leads_to_a_proxy():
    squid, socks = WAYS[0], WAYS[-1]
    login = f"{USER}:{urllib.parse.quote(PASSWORD, safe='')}@localhost"
    names = [n for name in ("http_proxy", "all_proxy", "no_proxy") for n in (name, name.upper())]
    for variable in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        for url in (f"http://{login}:{squid.port}/", f"socks5h://{login}:{socks.port}", f"https://{login}:{env['SQUID_TLS']}"):
            for name in names:
                env.pop(name, None)
            env[variable] = url
            client = Client(squid, THERE, env["PLAIN"])
            client.smtp.set("FirewallType", "fwNone")
            client.smtp.set("FirewallHost", "")
            client.smtp.firewall.auto_detect = True
            client.smtp.send()
            client.smtp.disconnect()
            require("Firewall connection complete 0 OK" in client.seen, f"{variable} is not heeded", client.text())
            is_silent(client.text(), PASSWORD)
    for variable, value in (("no_proxy", "x,127.0.0.0/8"), ("NO_PROXY", "127.0.0.1")):
        for name in names:
            env.pop(name, None)
        env["ALL_PROXY"] = f"http://{login}:{squid.port}/"
        env[variable] = value
        client = Client(squid, "127.0.0.1", env["PLAIN"])
        client.smtp.set("FirewallType", "fwNone")
        client.smtp.set("FirewallHost", "")
        client.smtp.firewall.auto_detect = True
        client.smtp.send()
        client.smtp.disconnect()
        require(not any("Firewall" in line for line in client.seen), f"{variable} is not heeded", client.text())
    for name in names:
        env.pop(name, None)


def modern_gives_no_password_in_clear():
    squid, tls, tiny = WAYS[0], WAYS[6], WAYS[8]
    # Digest is there, so that is taken.
    usual = Way("modern", "fwTunnel", "SQUID", "SecurityProfile=Modern")
    sends(usual, "localhost", "STARTTLS", "sslExplicit")
    fails(tiny, "localhost", env["STARTTLS"], "only in clear text", settings=["SecurityProfile=Modern"], mode="sslExplicit")
    only_basic = Way("modern", "fwTunnel", "SQUID_TLS", "SecurityProfile=Modern", "FirewallTls=True", "FirewallAuthentication=Basic")
    sends(only_basic, "localhost", "STARTTLS", "sslExplicit")


def certificate_of_the_proxy_is_checked():
    tls = WAYS[6]
    certificates = "SSLServerCACerts=" + (FOLDER / "server.pem").read_text()
    client = fails(tls, "localhost", env["IMPLICIT"], "proxy localhost:", "certificate", settings=[certificates], mode="sslImplicit")
    require(not any("407" in line for line in client.seen), "the proxy was asked", client.text())


ALONE = [environment_leads_to_a_proxy, modern_gives_no_password_in_clear, certificate_of_the_proxy_is_checked]


def main():
    failed = passed = 0
    for test, way in [(test, way) for way in WAYS for test in TESTS] + [(test, None) for test in ALONE]:
        title = test.__name__.replace("_", " ") + (f": {way.title}" if way else "")
        try:
            test(*([way] if way else []))
        except (AssertionError, SsmtpError) as error:
            print(f"FAILED  {title}: {error}")
            failed += 1
        else:
            passed += 1
    print(f"proxies: {passed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
