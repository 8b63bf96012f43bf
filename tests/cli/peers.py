"""Peers that `xtask serve` is none of: the scenarios' proxy, and an SMTP server with TLS from the first byte that greets with the
name in the client's certificate. Prints both ports. usage: peers.py CERTIFICATE KEY CLIENTS_CERTIFICATE
"""

import pathlib
import socket
import ssl
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "scenarios"))
from stub import Proxy  # noqa: E402

context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(*sys.argv[1:3])
context.load_verify_locations(sys.argv[3])
context.verify_mode = ssl.CERT_REQUIRED
listener = socket.create_server(("127.0.0.1", 0))
print(Proxy().port, listener.getsockname()[1], flush=True)
while True:
    plain = listener.accept()[0]
    try:
        with context.wrap_socket(plain, server_side=True) as client:
            name = dict(pair[0] for pair in client.getpeercert()["subject"])["commonName"]
            client.sendall(f"220 welcome {name}\r\n".encode())
            for line in client.makefile("rb"):
                client.sendall(b"250 ok\r\n")
                if line.startswith(b"QUIT"):
                    break
    except OSError:
        pass
