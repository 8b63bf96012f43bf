#!/usr/bin/env python3
"""The tool at a terminal: the bar, the question for the password, Ctrl-C. usage: terminal.py SSMTP PORT FILE PASSWORD-FILE"""

import os
import pty
import re
import select
import signal
import subprocess
import sys
import termios
import time

ssmtp, port, large, password = sys.argv[1:]
# A job in the background ignores Ctrl-C, and so would the tool that it starts.
signal.signal(signal.SIGINT, signal.default_int_handler)
MAIL = ["--server", f"127.0.0.1:{port}", "--tls", "none", "--from", "me@a.example", "--to", "you@b.example", "--text", "x"]
LOGIN = ["--user", "me", "--password-file", password]


class Terminal:
    """The tool with a terminal of its own."""

    def __init__(self, *arguments):
        self.said = b""
        self.pid, self.end = pty.fork()
        if self.pid == 0:
            os.execv(ssmtp, [ssmtp, *arguments])

    def read(self, until=None):
        """What it says up to `until`, or to its end."""
        while until is None or until not in self.said:
            if not select.select([self.end], [], [], 30)[0]:
                sys.exit(f"nothing more comes after {self.said!r}")
            try:
                more = os.read(self.end, 65536)
            except OSError:
                more = b""
            if not more:
                assert until is None, self.said
                break
            self.said += more
        return self.said

    def echoes(self):
        return bool(termios.tcgetattr(self.end)[3] & termios.ECHO)

    def code(self):
        self.read()
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


def a_bar_is_for_terminals():
    terminal = Terminal("send", *MAIL, *LOGIN, "--attach", large)
    assert terminal.code() == 0, terminal.said
    assert re.search(rb"\[#+\.*\] +\d+%", terminal.said), terminal.said
    assert terminal.said.endswith(b"\r\x1b[K"), terminal.said  # it is wiped away at the end
    silent = Terminal("send", *MAIL, *LOGIN, "--attach", large, "--no-progress")
    assert silent.code() == 0 and silent.said == b"", silent.said
    piped = subprocess.run([ssmtp, "send", *MAIL, *LOGIN, "--attach", large], capture_output=True)
    assert piped.returncode == 0 and piped.stderr == b"", piped


def a_password_is_asked_for_without_echo():
    terminal = Terminal("send", *MAIL, "--user", "me", "--ask-password", "-v")
    terminal.read(b"Password: ")
    assert not terminal.echoes()
    os.write(terminal.end, b"open sesame\n")
    assert terminal.code() == 0, terminal.said
    assert b"AUTH PLAIN ***" in terminal.said and b"sesame" not in terminal.said, terminal.said


def ctrl_c_at_the_question_leaves_the_echo_on():
    # A shell that stays, as behind a user's terminal.
    terminal = Terminal.__new__(Terminal)
    terminal.said = b""
    terminal.pid, terminal.end = pty.fork()
    if terminal.pid == 0:
        os.execv("/bin/sh", ["sh", "-c", 'trap : INT; "$0" "$@"; echo "code $?"; read line', ssmtp, "send", *MAIL, "--user", "me", "--ask-password"])
    terminal.read(b"Password: ")
    os.write(terminal.end, b"\x03")
    terminal.read(b"code 130")
    assert terminal.echoes()
    os.write(terminal.end, b"\n")
    terminal.code()


def without_a_terminal_nothing_is_asked():
    done = subprocess.run([ssmtp, "send", *MAIL, "--user", "me", "--ask-password"], capture_output=True, start_new_session=True)
    assert done.returncode == 66 and b"no terminal" in done.stderr, done


def ctrl_c_ends_it_at_once():
    """The server of these tests stalls for this sender."""
    running = subprocess.Popen([ssmtp, "send", *MAIL, *LOGIN, "--from", "stall@a.example", "-v"], stderr=subprocess.PIPE)
    said = b""
    while b"> MAIL FROM" not in said:
        more = os.read(running.stderr.fileno(), 65536)
        assert more, said
        said += more
    time.sleep(0.1)
    running.send_signal(signal.SIGINT)
    assert running.wait(10) == -signal.SIGINT


for test in (
    a_bar_is_for_terminals,
    a_password_is_asked_for_without_echo,
    ctrl_c_at_the_question_leaves_the_echo_on,
    without_a_terminal_nothing_is_asked,
    ctrl_c_ends_it_at_once,
):
    test()
