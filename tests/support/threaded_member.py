"""A member that serves each connection with a thread of its own: what Mortal and Torrent share.

Threads: one that accepts, one for each connection; `_changed` guards the connections that are open
and is notified whenever one ended.
"""

import socket
import threading
from contextlib import suppress


class ThreadedMember:
    """Serves `listening` until close(). What a connection hears is _converse()'s business."""

    def __init__(self, listening):
        """Serves from now on: whatever _converse() needs must be there before."""
        self._listening = listening
        self._changed = threading.Condition()
        self._connections = set()
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def close(self):
        """Nobody listens, no connection is left, no thread runs."""
        self._listening.shutdown(socket.SHUT_RDWR)
        self._threads[0].join()
        self._listening.close()
        with self._changed:
            for connection in self._connections:
                with suppress(OSError):  # the peer was first
                    connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads[1:]:
            thread.join()

    def _converse(self, connection):
        """Everything that happens on a connection; an OSError ends it, too."""
        raise NotImplementedError

    def _accept(self):
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            if connection.family != socket.AF_UNIX:
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._changed:
                self._connections.add(connection)
            thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection):
        try:
            self._converse(connection)
        except OSError:
            pass
        finally:
            with self._changed:
                self._connections.discard(connection)
                connection.close()
                self._changed.notify_all()
