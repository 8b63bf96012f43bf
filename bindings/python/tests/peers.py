"""Small servers that the embedded one is not: SCRAM, and an HTTP proxy."""

import base64
import hashlib
import hmac
import os
import socket
import threading


class Peer:
    """A server on loopback; `serve` has each connection."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.host, self.port = self.listener.getsockname()
        self.seen = []
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._each, args=(client,), daemon=True).start()

    def _each(self, client):
        with client, client.makefile("rb") as lines:
            try:
                self.serve(client, lines)
            except OSError:
                pass

    def close(self):
        # Closing alone doesn't wake who accepts.
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Proxy(Peer):
    """HTTP CONNECT."""

    def serve(self, client, lines):
        target = lines.readline().split()[1].decode()
        self.seen.append(target)
        while lines.readline().strip():
            pass
        host, port = target.rsplit(":", 1)
        with socket.create_connection((host, int(port))) as server:
            client.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            back = threading.Thread(target=self.pump, args=(server, client), daemon=True)
            back.start()
            self.pump(client, server)
            back.join()

    @staticmethod
    def pump(source, sink):
        try:
            while True:
                data = source.recv(65536)
                if not data:
                    break
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            pass


class Scram(Peer):
    """SMTP with SCRAM-SHA-256 (RFC 5802, RFC 7677) for one user; PLAIN is offered too, and noted when it is used."""

    def __init__(self, user, password):
        self.user, self.password = user, password
        super().__init__()

    def serve(self, client, lines):
        def say(text):
            client.sendall(text.encode() + b"\r\n")

        say("220 scram.example")
        while True:
            words = lines.readline().decode().split()
            if not words:
                return
            verb = words[0].upper()
            if verb == "AUTH":
                self.seen.append(words[1])
                if words[1] != "SCRAM-SHA-256":
                    say("535 5.7.8 no")
                    continue
                self.scram(say, lines, words[2] if len(words) > 2 else None)
            elif verb == "EHLO":
                say("250-scram.example\r\n250 AUTH PLAIN LOGIN SCRAM-SHA-256")
            elif verb == "QUIT":
                say("221 bye")
                return
            else:
                say("250 ok")

    def scram(self, say, lines, initial):
        if initial is None:
            say("334 ")
            initial = lines.readline().strip().decode()
        first = base64.b64decode(initial).decode()
        header, _, bare = first.partition(",,")
        fields = dict(part.split("=", 1) for part in bare.split(","))
        salt, nonce = os.urandom(16), fields["r"] + base64.b64encode(os.urandom(12)).decode()
        challenge = f"r={nonce},s={base64.b64encode(salt).decode()},i=4096"
        say("334 " + base64.b64encode(challenge.encode()).decode())
        final = base64.b64decode(lines.readline().strip()).decode()
        unsigned, _, proof = final.rpartition(",p=")
        salted = hashlib.pbkdf2_hmac("sha256", self.password.encode(), salt, 4096)

        def mac(key, text):
            return hmac.new(key, text, "sha256").digest()

        client_key = mac(salted, b"Client Key")
        auth = ",".join((bare, challenge, unsigned)).encode()
        signature = mac(hashlib.sha256(client_key).digest(), auth)
        expected = bytes(a ^ b for a, b in zip(client_key, signature))
        if fields["n"] != self.user or base64.b64decode(proof) != expected:
            say("535 5.7.8 wrong")
            return
        server = mac(mac(salted, b"Server Key"), auth)
        say("334 " + base64.b64encode(b"v=" + base64.b64encode(server)).decode())
        lines.readline()
        say("235 2.7.0 welcome")
