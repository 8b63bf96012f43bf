"""Mail through a broker of tasks: who writes a message queues it as text, any worker sends it.

    celery --app tasks worker --concurrency 4        the workers
    python3 send.py --to you@example.com             a message

A worker needs to know the server; the message brings its sender, its recipients and everything else. Settings come from the environment:
CELERY_BROKER (redis://localhost:6379/0), SMTP_SERVER, SMTP_PORT, and MAIL_KEY, 64 hex digits that encrypt the text in the broker.
"""

import os
import pathlib
import sys

from celery import Celery

# A checkout needs this line; an installed package doesn't.
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3] / "bindings" / "python" / "src"))

from ssmtp import ErrorCode, Ssmtp, SsmtpError

BROKER = os.environ.get("CELERY_BROKER", "redis://localhost:6379/0")
app = Celery("mail", broker=BROKER)
app.conf.update(
    task_ignore_result=True,
    broker_connection_retry_on_startup=True,
    # A worker that dies while it sends must not have the message sent again by itself: nobody knows whether it was.
    task_acks_late=False,
)


def settings(smtp):
    """What every side of the queue must agree on."""
    smtp.config("SecurityProfile=Modern")
    if os.environ.get("MAIL_KEY"):
        smtp.config("QueuePassword=key:" + os.environ["MAIL_KEY"])


def is_temporary(smtp, error):
    """Whether trying again may help: the server said so, or it could not be reached."""
    if error.code in (ErrorCode.UNKNOWN_FATE, ErrorCode.FILE, ErrorCode.VALUE_REFUSED):
        return False
    return all(result.temporary for result in smtp.recipient_results)


@app.task(bind=True, max_retries=8)
def send(self, text):
    """Sends a message that Queue("*") made."""
    with Ssmtp() as smtp:
        settings(smtp)
        smtp.mail_server = os.environ.get("SMTP_SERVER", "localhost")
        smtp.mail_port = int(os.environ.get("SMTP_PORT", "25"))
        smtp.timeout = 60
        try:
            smtp.send_queued(text)
        except SsmtpError as error:
            if not is_temporary(smtp, error):
                raise
            first = float(os.environ.get("MAIL_RETRY", "60"))
            raise self.retry(exc=error, countdown=min(first * 2**self.request.retries, 3600)) from error
