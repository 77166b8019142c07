"""Rocket.Chat's web client as a caller: what it sends by REST and what by socket, in one session.

Measured on the running client (6.5.3): with `USE_REST_FOR_DDP_CALLS` methods go over REST, by `method.call`
when signed in and by `method.callAnon` when not; without, over the socket. Some always go over the socket.
"""

from __future__ import annotations

from typing import Any

from .chat import Chat
from .client import Answer, Client, Json
from .sockets import Socket

# `resume` log-ins too; see WebClient.resume.
ALWAYS_BY_SOCKET = {"logout", "setUserStatus", "stream-notify-room"}
USE_COLLECTION = {"useCollection": False, "args": []}


class WebClient:
    """A page of the client: `http` and `socket` are its two connections."""

    def __init__(self, chat: Chat, socket: Socket, *, methods_by_rest: bool) -> None:
        self.chat, self.socket, self.methods_by_rest = chat, socket, methods_by_rest
        self.http: Client = chat.anybody()
        self.open_subscriptions: dict[tuple[str, str], str] = {}

    def method(self, name: str, *params: Any) -> Json:
        """A method; the frame with its `result` or `error`."""
        if self.methods_by_rest and name not in ALWAYS_BY_SOCKET:
            return self.http.method(name, *params)
        return self.socket.call(name, *params)

    def result(self, name: str, *params: Any) -> Any:
        """What a method returns; no error is expected."""
        frame = self.method(name, *params)
        assert "error" not in frame, (name, frame)
        return frame.get("result")

    def resume(self, token: str) -> Json:
        """Sign the socket in with a token, and go on as that user over REST; the method's result."""
        frame = self.socket.call("login", {"resume": token})
        assert "error" not in frame, frame
        result: Json = frame["result"]
        self.http.user_id, self.http.token = result["id"], result["token"]
        return result

    @property
    def uid(self) -> str:
        return str(self.http.user_id)

    def listen(self, stream: str, *events: str) -> dict[str, Any]:
        """Subscribe to events of a stream, as it does: event → True, or the code with which it is refused."""
        heard: dict[str, Any] = {}
        for event in events:
            answer = self.socket.subscribe(f"stream-{stream}", event, USE_COLLECTION)
            heard[event] = answer["msg"] == "ready" or answer["error"]["error"]
            self.open_subscriptions[stream, event] = answer["id"]
        return heard

    def stop_listening(self, *about: str) -> None:
        """End the subscriptions to events that begin with one of these; all without any."""
        for key, sub_id in list(self.open_subscriptions.items()):
            if not about or key[1].startswith(about):
                self.socket.send({"msg": "unsub", "id": sub_id})
                del self.open_subscriptions[key]

    def get(self, path: str, **query: Any) -> Json:
        """A GET below /api/v1 that has to succeed; its body."""
        return _succeeded(self.http.get(path, **query))

    def post(self, path: str, body: Json) -> Json:
        return _succeeded(self.http.post(path, body))


def _succeeded(answer: Answer) -> Json:
    assert answer.status == 200, answer.text
    assert answer.body["success"] is True
    return answer.body
