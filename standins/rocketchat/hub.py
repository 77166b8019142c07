"""Who listens to what: DDP streams and published documents inside one process.

A listener is called with a ready DDP message (a dict whose dates are datetimes; encode it with
`documents.ejson_dumps`). Listeners must not block: put the message on a queue and return.
"""

from collections import defaultdict
from collections.abc import Callable
from typing import Any, Literal

Listener = Callable[[dict[str, Any]], object]
# The event of a listener that wants a collection's documents, not a stream's events.
DOCUMENTS = ""


class Hub:
    """Streams are addressed as Rocket.Chat's: `("stream-notify-user", "<uid>/subscriptions-changed")`."""

    def __init__(self) -> None:
        self._listeners: defaultdict[tuple[str, str], list[Listener]] = defaultdict(list)

    def subscribe(self, collection: str, event: str, listener: Listener) -> Callable[[], None]:
        """Begin; what is returned ends it.

        `event` is the stream's event name, or `DOCUMENTS` for added/changed/removed of a collection.
        """
        key = (collection, event)
        self._listeners[key].append(listener)

        def stop() -> None:
            listeners = self._listeners.get(key, [])
            if listener in listeners:
                listeners.remove(listener)
            if not listeners:
                self._listeners.pop(key, None)

        return stop

    def publish(self, collection: str, event: str, *args: Any) -> None:
        """Send `changed` of a stream, in the form Rocket.Chat's streamer gives it."""
        fields = {"eventName": event, "args": list(args)}
        message = {"msg": "changed", "collection": collection, "id": "id", "fields": fields}
        self._send(collection, event, message)

    def publish_document(
        self,
        kind: Literal["added", "changed", "removed"],
        collection: str,
        document_id: str,
        fields: dict[str, Any] | None = None,
    ) -> None:
        """Tell the subscribers of a published collection about one document."""
        message: dict[str, Any] = {"msg": kind, "collection": collection, "id": document_id}
        if kind != "removed":
            message["fields"] = fields or {}
        self._send(collection, DOCUMENTS, message)

    def _send(self, collection: str, event: str, message: dict[str, Any]) -> None:
        for listener in list(self._listeners.get((collection, event), ())):
            listener(message)
