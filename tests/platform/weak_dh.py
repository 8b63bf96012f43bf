"""A TLS 1.2 server whose Diffie-Hellman parameters `openssl s_server` would refuse: weak_dh.py CERT KEY PARAMETERS."""

import socket
import ssl
import sys

context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.set_ciphers("DHE-RSA-AES128-SHA:@SECLEVEL=0")
context.maximum_version = ssl.TLSVersion.TLSv1_2
context.load_cert_chain(sys.argv[1], sys.argv[2])
context.load_dh_params(sys.argv[3])
listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
while True:
    peer, _ = listener.accept()
    try:
        with context.wrap_socket(peer, server_side=True) as secured:
            secured.recv(1)
    except OSError:
        pass
