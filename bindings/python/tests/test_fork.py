"""A process that forks, also while a method runs or after one that Ctrl-C has ended: both go on by themselves."""

import os
import signal
import sys
import threading
import time
import traceback
import unittest
import warnings

from support import Server, client


def forked(work):
    """What a child makes of it: 0 when `work` returned, the signal's negative number when one ended it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # newer Pythons warn where there are threads
        child = os.fork()
    if child == 0:
        # Not sys.exit, which would run what the parent's test has to clean up.
        try:
            signal.alarm(30)
            work()
            os._exit(0)
        except BaseException:
            traceback.print_exc()
            sys.stderr.flush()
        finally:
            os._exit(1)
    status = os.waitpid(child, 0)[1]
    return os.WEXITSTATUS(status) if os.WIFEXITED(status) else -os.WTERMSIG(status)


@unittest.skipUnless(hasattr(os, "fork"), "there is no fork here")
class ForkTest(unittest.TestCase):
    def setUp(self):
        if signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
            self.skipTest("SIGINT is somebody else's")
        self.server = Server("DATA=wait 400")
        self.addCleanup(self.server.close)
        self.smtp = client(self.server)
        self.addCleanup(self.smtp.close)

    def sends_with_an_object_of_its_own(self):
        with client(self.server) as smtp:
            smtp.send()

    def is_ended_by_control_c(self):
        with Server("MAIL=stall") as server, client(server) as smtp:
            timer = threading.Timer(0.3, os.kill, [os.getpid(), signal.SIGINT])
            timer.start()
            try:
                smtp.send()
            except KeyboardInterrupt:
                return
            finally:
                timer.join()
        raise AssertionError("Ctrl-C was lost")

    def test_after_control_c_the_object_and_a_child_send(self):
        self.is_ended_by_control_c()
        timer = threading.Timer(0.2, os.kill, [os.getpid(), signal.SIGINT])
        timer.start()
        with self.assertRaises(KeyboardInterrupt):
            self.smtp.send()
        timer.join()
        self.assertEqual(self.server.count(), 0)
        self.assertEqual(forked(self.sends_with_an_object_of_its_own), 0)
        self.assertEqual(self.server.count(), 1)
        self.smtp.send()
        self.assertEqual(self.server.count(), 2)
        # The child's own Ctrl-C works too, and the object that it has inherited.
        self.assertEqual(forked(self.is_ended_by_control_c), 0)
        self.smtp.disconnect()
        self.assertEqual(forked(self.smtp.send), 0)
        self.assertEqual(self.server.count(), 3)

    def strike_a_child(self):
        """A child, made while the parent sends, that gets SIGINT of its own."""

        def work():
            try:
                os.kill(os.getpid(), signal.SIGINT)
                time.sleep(20)
            except KeyboardInterrupt:
                self.sends_with_an_object_of_its_own()
                return
            raise AssertionError("Ctrl-C was lost")

        return forked(work)

    def test_a_child_made_in_a_handler_keeps_its_signals_to_itself(self):
        children = []

        def fork(event):
            if event.message.startswith("RCPT"):
                children.append(self.strike_a_child())

        self.smtp.on_pi_trail = fork
        self.smtp.send()
        self.assertEqual(children, [0])
        self.assertEqual(self.server.count(), 2)

    def test_a_child_made_by_another_thread_keeps_its_signals_to_itself(self):
        children, reached = [], threading.Event()

        def fork():
            reached.wait(20)
            children.append(self.strike_a_child())

        def reach(event):
            if event.message.startswith("DATA"):
                reached.set()

        self.smtp.on_pi_trail = reach
        thread = threading.Thread(target=fork)
        thread.start()
        self.smtp.send()
        thread.join()
        self.assertEqual(children, [0])
        self.assertEqual(self.server.count(), 2)
        self.assertIs(signal.getsignal(signal.SIGINT), signal.default_int_handler)


if __name__ == "__main__":
    unittest.main()
