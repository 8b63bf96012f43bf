"""An SMTP server of a few lines that keeps what it takes, by subject, as soon as it has said 250 to it."""
import collections
import socketserver
import threading


class Handler(socketserver.StreamRequestHandler):
    def say(self, text):
        self.wfile.write(text.encode() + b"\r\n")

    disable_nagle_algorithm = True

    def handle(self):
        try:
            self.talk()
        except OSError:
            pass

    def talk(self):
        self.say("220 sink")
        while True:
            line = self.rfile.readline()
            if not line:
                return
            verb = line.split()[0].upper() if line.split() else b""
            if verb == b"EHLO":
                self.say("250-sink\r\n250 PIPELINING")
            elif verb == b"DATA":
                self.say("354 go on")
                if not self.take():
                    return
            elif verb == b"QUIT":
                self.say("221 bye")
                return
            else:
                self.say("250 ok")

    def take(self):
        subject, size, last = None, 0, []
        while True:
            line = self.rfile.readline()
            if not line.endswith(b"\n"):
                return False
            if line == b".\r\n":
                break
            size += len(line)
            if subject is None and line.startswith(b"Subject: "):
                subject = line[9:].strip().decode()
            last = (last + [line])[-3:]
        with self.server.lock:
            self.server.taken[subject] += 1
            self.server.whole[subject] = last == [b"one\r\n", b"..two\r\n", b"three\r\n"]
            self.server.sizes[subject] = size
        self.say("250 taken")
        return True


class Sink(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 64

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.lock = threading.Lock()
        self.taken = collections.Counter()
        self.whole = {}
        self.sizes = {}
        self.port = self.server_address[1]
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def handle_error(self, request, client_address):
        pass
