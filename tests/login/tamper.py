"""A server between client and server that changes one bit of the client's last response in a login, or nothing."""

import base64
import socket
import threading


class Tamper:
    def __init__(self, port, change=True):
        self.target = port
        self.wanted = change
        self.changed = False
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.thread = threading.Thread(target=self.serve, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.listener.close()
        self.thread.join(10)

    def serve(self):
        try:
            client, _ = self.listener.accept()
            server = socket.create_connection(("127.0.0.1", self.target), 10)
            client.settimeout(30)
            server.settimeout(30)
            self.converse(client.makefile("rwb"), server.makefile("rwb"))
            client.close()
            server.close()
        except OSError:
            pass

    def converse(self, client, server):
        """The client speaks after each whole reply; what follows a 334 that has text is changed."""
        challenged = False
        while True:
            while True:
                line = server.readline()
                if not line:
                    return
                client.write(line)
                if line[3:4] != b"-":
                    break
            client.flush()
            challenged = line.startswith(b"334 ") and len(line.strip()) > 4
            line = client.readline()
            if not line:
                return
            if challenged and self.wanted and not self.changed:
                line = self.change(line)
            server.write(line)
            server.flush()

    def change(self, line):
        message = bytearray(base64.b64decode(line.strip()))
        place = self.place(message)
        if place is None:
            return line
        message[place] = self.flipped(message[place], message)
        self.changed = True
        return base64.b64encode(message) + b"\r\n"

    @staticmethod
    def flipped(byte, message):
        """One bit of it; in a text one that leaves a letter or digit, so that only the value is wrong."""
        bits = [byte ^ 1 << bit for bit in range(7)]
        return bits[0] if message.startswith(b"NTLMSSP\0") else next(b for b in bits if chr(b).isalnum())

    @staticmethod
    def place(message):
        """Where the proof is: in NTLM the first byte of the NT response, else the last digit of a digest or proof."""
        if message.startswith(b"NTLMSSP\0\x03"):
            return int.from_bytes(message[24:28], "little")
        if message.startswith(b"NTLMSSP\0"):
            return None
        return len(message) - 4
