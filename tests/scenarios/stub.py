"""A stub of a proxy on loopback: SOCKS5 (RFC 1928, RFC 1929) and HTTP CONNECT with Basic, both in one, told apart by the first octet.

It knows one user, and the host `there.example`, which nobody else does and which is 127.0.0.1.
"""

import base64
import socket
import threading

USER, PASSWORD, HOST = b"alice", b"let me through", b"there.example"


class Proxy:
    def __init__(self):
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            client, _ = self.socket.accept()
            threading.Thread(target=self.client, args=(client,), daemon=True).start()

    def client(self, client):
        with client, client.makefile("rb") as stream:
            first = stream.read(1)
            port = self.socks(client, stream) if first == b"\x05" else self.tunnel(client, first + stream.readline(), stream)
            if port is None:
                return
            with socket.create_connection(("127.0.0.1", port)) as server:
                back = threading.Thread(target=carry, args=(server.recv, client), daemon=True)
                back.start()
                carry(lambda _: stream.read1(), server)
                back.join()

    def socks(self, client, stream):
        stream.read(stream.read(1)[0])
        client.sendall(b"\x05\x02")  # by user and password
        stream.read(1)
        user = stream.read(stream.read(1)[0])
        password = stream.read(stream.read(1)[0])
        right = (user, password) == (USER, PASSWORD)
        client.sendall(b"\x01\x00" if right else b"\x01\x01")
        if not right:
            return None
        _, command, _, kind = stream.read(4)
        host = stream.read(stream.read(1)[0]) if kind == 3 else b""
        port = int.from_bytes(stream.read(2), "big")
        found = command == 1 and host == HOST
        client.sendall(b"\x05" + (b"\x00" if found else b"\x04") + b"\x00\x01\x00\x00\x00\x00\x00\x00")
        return port if found else None

    def tunnel(self, client, request, stream):
        headers = {}
        while (line := stream.readline().strip()):
            name, _, value = line.partition(b":")
            headers[name.lower()] = value.strip()
        verb, target, _ = request.split()
        if headers.get(b"proxy-authorization") != b"Basic " + base64.b64encode(USER + b":" + PASSWORD):
            client.sendall(b"HTTP/1.1 407 who are you\r\nProxy-Authenticate: Basic realm=x\r\nContent-Length: 0\r\n\r\n")
            again = stream.readline()
            return self.tunnel(client, again, stream) if again else None
        host, _, port = target.rpartition(b":")
        if verb != b"CONNECT" or host != HOST:
            client.sendall(b"HTTP/1.1 404 no such host\r\nContent-Length: 0\r\n\r\n")
            return None
        client.sendall(b"HTTP/1.1 200 go on\r\n\r\n")
        return int(port)


def carry(read, to):
    try:
        while data := read(65536):
            to.sendall(data)
        to.shutdown(socket.SHUT_WR)
    except OSError:
        pass
