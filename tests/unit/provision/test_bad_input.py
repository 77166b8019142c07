"""Everything that can be wrong with the target: each its own class and exit status, and nothing half-written."""

from __future__ import annotations

import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from socket import create_server

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from besedka.errors import BesedkaError
from besedka.provision import errors, stored
from besedka.rocketchat.catalogue import UnknownVersionError
from besedka.rocketchat.database import ChatDatabase
from besedka.rocketchat.rest import NotRocketChatError, RocketChatError, TlsError
from tests.unit.provision.conftest import Desk
from tests.unit.provision.web import Answer, refusal, serving


def totp(method: str, status: int = 400) -> Answer:
    details = {"method": method, "codeGenerated": method == "email", "availableMethods": [method]}
    return refusal("totp-required", status, details=details)


def stops(desk: Desk, kind: type[BesedkaError], **options: object) -> BesedkaError:
    """The apply stops with that error and has changed nothing."""
    before = desk.chat.snapshot()
    with pytest.raises(kind) as caught:
        desk.bring(**options)  # type: ignore[arg-type]
    assert type(caught.value) is kind
    assert desk.chat.snapshot() == before
    for secret in desk.contract.secrets:
        assert secret not in caught.value.text()
    return caught.value


def test_wrong_password(desk: Desk) -> None:
    desk.chat.password = "another"
    stops(desk, errors.WrongPasswordError)


def test_wrong_password_where_nobody_tells_whether_the_account_exists(desk: Desk) -> None:
    desk.chat.password = "another"
    desk.chat.refusals["GET users.getAvatar"] = [refusal("error-unauthorized", 401)]
    assert "does not say which" in stops(desk, errors.WrongPasswordError).found


def test_administrator_missing(desk: Desk) -> None:
    desk.chat.users[0]["username"] = "boss"
    assert "no account 'owner'" in stops(desk, errors.AdminMissingError).found


def test_administrator_without_the_role(desk: Desk) -> None:
    desk.chat.users[0]["roles"] = ["user"]
    assert "`admin` is not among them" in stops(desk, errors.AdminMissingError).found


@pytest.mark.parametrize(
    ("method", "kind"), [("totp", errors.TotpRequiredError), ("email", errors.EmailCodeRequiredError)]
)
@pytest.mark.parametrize("call", ["POST login", "POST settings/Iframe_Restrict_Access"])
def test_a_second_factor_no_program_can_read(
    desk: Desk, method: str, kind: type[BesedkaError], call: str
) -> None:
    desk.chat.refusals[call] = [totp(method, 401 if call == "POST login" else 400)]
    stops(desk, kind)


def test_the_password_as_second_factor_is_given(desk: Desk) -> None:
    desk.chat.refusals["POST settings/Iframe_Restrict_Access"] = [totp("password"), Answer(0)]
    assert desk.bring().remaining == ()


def test_rate_limit_at_log_in(desk: Desk) -> None:
    reset = str(int(time.time() * 1000) + 30_000)
    too_many = refusal("error-too-many-requests", 429)
    too_many.headers = {"X-RateLimit-Reset": reset}
    desk.chat.refusals["POST login"] = [too_many]
    assert "in 30 s" in stops(desk, errors.RateLimitedError).next_step


def test_rate_limit_half_way_is_waited_for_as_told(desk: Desk) -> None:
    too_many = refusal("error-too-many-requests", 429)
    too_many.headers = {"X-RateLimit-Reset": str(int(time.time() * 1000) + 50)}
    desk.chat.refusals["POST users.create"] = [too_many, Answer(0)]
    assert desk.bring().remaining == ()


def test_rate_limit_that_says_the_seconds_in_words_alone(desk: Desk) -> None:
    words = "Error, too many requests. Please slow down. You must wait 1 seconds before trying again."
    too_many = refusal("error-too-many-requests", 429, error=f"{words} [error-too-many-requests]")
    desk.chat.refusals["POST users.create"] = [too_many, Answer(0)]
    assert desk.bring().remaining == ()


def test_rate_limit_without_end_takes_everything_back(desk: Desk) -> None:
    desk.chat.refusals["POST users.create"] = [refusal("error-too-many-requests", 429)]
    stops(desk, errors.RateLimitedError)


def test_log_in_blocked(desk: Desk) -> None:
    desk.chat.refusals["POST login"] = [refusal("error-login-blocked-for-user", 401)]
    stops(desk, errors.LoginBlockedError)


def test_a_missing_permission(desk: Desk) -> None:
    desk.chat.refusals["POST users.create"] = [refusal("error-unauthorized", 403)]
    stops(desk, errors.NotPermittedError)


def test_still_starting_behind_a_proxy(desk: Desk) -> None:
    desk.chat.refusals["GET info"] = [Answer(503, text="<html>Service Unavailable</html>")]
    stops(desk, errors.StillStartingError)


def test_a_start_is_waited_for(desk: Desk) -> None:
    desk.chat.refusals["GET info"] = [Answer(502, text="<html>Bad Gateway</html>"), Answer(0)]
    assert desk.bring(patience=5.0).remaining == ()


def test_nobody_there(desk: Desk) -> None:
    with create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    desk.contract = desk.contract.at(site_url=desk.contract.site.url, chat_url=f"http://127.0.0.1:{port}")
    stops(desk, errors.StillStartingError)


@pytest.mark.parametrize("call", ["GET info", "POST login", "GET settings"])
def test_html_instead_of_json(desk: Desk, call: str) -> None:
    desk.chat.refusals[call] = [Answer(200, text="<html>Welcome to nginx</html>")]
    stops(desk, NotRocketChatError)


@pytest.mark.parametrize("version", ["5.4", "10.0", "", "develop"])
def test_unknown_version(desk: Desk, version: str) -> None:
    desk.chat.version = version
    stops(desk, UnknownVersionError)
    assert "POST login" not in desk.chat.calls


def test_mongo_that_is_no_primary(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ChatDatabase, "hello", lambda _: {"isWritablePrimary": False, "secondary": True})
    found = stops(
        desk, errors.MongoNotPrimaryError, mongo_url="mongodb://someone:hush@127.0.0.1:1/rocketchat"
    )
    assert "secondary" in found.found
    assert "hush" not in found.text()


def test_mongo_knows_whether_the_account_is_missing(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stored, "account_exists", lambda *_: False)
    desk.chat.password = "another"
    stops(desk, errors.AdminMissingError, mongo_url="mongodb://127.0.0.1:1")


def test_https_where_only_http_is_spoken(desk: Desk) -> None:
    desk.contract = _at(desk, desk.contract.chat.url.replace("http:", "https:"))
    stops(desk, TlsError)


def test_a_certificate_nobody_trusts(desk: Desk, tmp_path: Path) -> None:
    with tls_server(tmp_path) as url:
        desk.contract = _at(desk, url)
        assert "certificate" in stops(desk, TlsError).found


def test_a_proxy_in_place_of_rocket_chat_entirely(desk: Desk) -> None:
    with serving(lambda *_: Answer(404, text="<html>Not Found</html>")) as url:
        desk.contract = _at(desk, url)
        stops(desk, NotRocketChatError)


@pytest.mark.parametrize("host", ["chat.besedka.com", "10.0.0.7", "127.0.0.1.nip.io", "localhost.evil.com"])
def test_a_target_that_is_no_development_stack(desk: Desk, host: str) -> None:
    desk.contract = _at(desk, f"http://{host}:3000")
    assert host in stops(desk, errors.ForbiddenTargetError).found
    with pytest.raises(errors.ForbiddenTargetError):
        desk.undo()


def test_a_confirmation_must_name_the_host_exactly(desk: Desk) -> None:
    stops(desk, errors.ForbiddenTargetError, confirmed_host="127.0.0.2")
    assert desk.bring(confirmed_host="127.0.0.1").remaining == ()


def test_every_cause_has_an_exit_status_of_its_own() -> None:
    known = [kind for kind in vars(errors).values() if isinstance(kind, type)]
    kinds = [kind for kind in known if issubclass(kind, BesedkaError) and kind.__module__ == errors.__name__]
    statuses = [kind.exit_status for kind in kinds]
    assert len(set(statuses)) == len(statuses) > 10
    assert all(40 <= status < 60 for status in statuses)


def _at(desk: Desk, url: str):  # type: ignore[no-untyped-def]
    return desk.contract.at(site_url=desk.contract.site.url, chat_url=url)


@contextmanager
def tls_server(folder: Path) -> Iterator[str]:
    """A TLS server with a certificate it signed itself; shakes hands and hangs up."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(now).not_valid_after(now + timedelta(days=1))
    pem = builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    pem += key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "server.pem").write_bytes(pem)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem")
    listener = create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with suppress(OSError):
                context.wrap_socket(connection, server_side=True).close()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"https://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        listener.close()


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("You must wait 59 seconds before trying this endpoint again.", "API_Enable_Rate_Limiter"),
        ("You must wait 59 seconds before trying again.", "no setting alters"),
        ("", "API_Enable_Rate_Limiter"),
    ],
)
def test_a_limit_of_one_function_is_not_blamed_on_the_limit_of_calls(words: str, expected: str) -> None:
    refused = RocketChatError("POST users.update", 429, "error-too-many-requests", words, retry_after=59)
    told = errors.translated(refused, "owner")
    assert isinstance(told, errors.RateLimitedError)
    assert expected in told.expected
    assert "59 s" in told.next_step
