"""Blocking methods for asyncio: each call in a thread of its own, which ends with the call."""

import asyncio
import contextvars
import threading
from typing import Any, Callable, List, TypeVar

from ._errors import SsmtpError

T = TypeVar("T")

#: How often a cancelled call is interrupted until it ends: an interrupt before the call has begun does nothing.
INTERVAL = 0.01


async def in_thread(interrupt: Callable[[], None], method: Callable[..., T], *arguments: Any) -> T:
    """Runs `method`; cancelling interrupts it, and returns when its thread has ended."""
    loop = asyncio.get_running_loop()
    done: "asyncio.Future[None]" = loop.create_future()
    results: List[T] = []
    errors: List[BaseException] = []
    cancelled = threading.Event()
    context = contextvars.copy_context()

    def work() -> None:
        try:
            if not cancelled.is_set():
                results.append(context.run(method, *arguments))
        except BaseException as error:  # handed to the task
            errors.append(error)
        try:
            loop.call_soon_threadsafe(_finish, done)
        except RuntimeError:
            pass  # the loop was closed over our head; nobody waits

    thread = threading.Thread(target=work, name=f"ssmtp {method.__name__}", daemon=True)
    thread.start()
    try:
        await asyncio.wait([done])
    except asyncio.CancelledError:
        cancelled.set()
        while not done.done():
            try:
                interrupt()
            except SsmtpError:
                pass  # closed meanwhile, which ends it too
            try:
                await asyncio.wait([done], timeout=INTERVAL)
            except asyncio.CancelledError:
                pass  # cancelled again: it is ending already
        thread.join()
        raise
    thread.join()
    if errors:
        try:
            raise errors[0]
        finally:
            errors.clear()
    return results[0]


def _finish(done: "asyncio.Future[None]") -> None:
    if not done.done():
        done.set_result(None)
