"""How often an article was opened, counted without a write per view.

A text message with a link brings a whole commune to one article within minutes; one row would then be updated
by everyone at once. Each process keeps its counts for a few seconds and adds them in one UPDATE per article.
What a killed process held is lost, which a view counter can afford.
"""

import atexit
import threading
from collections import Counter

from django.db import DatabaseError, connection, transaction
from django.db.models import F

from broadcast.models import Article

SECONDS = 5.0

_lock = threading.Lock()
_waiting: Counter[int] = Counter()
_timer: threading.Timer | None = None


def add(article_id: int) -> None:
    global _timer
    with _lock:
        _waiting[article_id] += 1
        if _timer is None:
            _timer = threading.Timer(SECONDS, _flush_and_close)
            _timer.daemon = True
            _timer.start()


def flush() -> None:
    """Write what is waiting. On failure the counts stay for the next time."""
    global _timer
    with _lock:
        counts = dict(_waiting)
        _waiting.clear()
        _timer = None
    try:
        with transaction.atomic():
            for article_id, n in sorted(counts.items()):  # one order everywhere: no deadlock between processes
                Article.objects.filter(pk=article_id).update(views=F("views") + n)
    except DatabaseError:
        with _lock:
            _waiting.update(counts)


def _flush_and_close() -> None:
    flush()
    connection.close()  # this thread ends


@atexit.register
def _flush_at_exit() -> None:
    if _waiting:
        flush()
