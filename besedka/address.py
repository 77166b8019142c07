"""Addresses and origins: written one way, compared and taken apart in this one place.

RFC 3986, 6.2: scheme and host are the same in any case, and a scheme's default port may be left out. An
address may carry a path, as of a chat below `https://host/chat`; an origin has none.
"""

from __future__ import annotations

import ipaddress
import locale
import re
import socket
import unicodedata
from urllib.parse import quote, urlsplit, urlunsplit

from besedka.errors import UsageError

_SIX = "::1"
# Python's own list: `/sso/login/` and `/app/login/` begin with no language.
_LANGUAGES = {re.split("[_.@]", name)[0] for name in locale.locale_alias}
_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?", re.IGNORECASE)
# What browsers take for an address of IPv4: its last part is a number (https://url.spec.whatwg.org/, 3.5).
_NUMERIC = re.compile(r"(.*\.)?(\d+|0x[0-9a-f]*)", re.IGNORECASE)
# RFC 3490, 3.1: what stands between labels.
_DOTS = re.compile("[.\u3002\uff0e\uff61]")
_DEFAULT_PORTS = {"http": 80, "https": 443}


def normal(url: str) -> str:
    """The address in its one spelling: small letters, ASCII, no default port, no slash at the end."""
    parts = urlsplit(url.strip())
    path = encoded(parts.path.rstrip("/"))
    return urlunsplit((parts.scheme.lower(), _authority(url), path, parts.query, ""))


def encoded(path: str) -> str:
    """The path as browsers and servers send it: every letter beyond ASCII percent-encoded (RFC 3987, 3.1)."""
    return quote(path, safe="/%:@!$&'()*+,;=~[]?#")


def is_one(value: object) -> bool:
    """Whether that is an address of a site: http or https and a host, without name, query, # and blank.

    Browsers make another address of `..` and `//` in a path. They take no host with a zone of IPv6, and none
    that is no host name. Where a program listens (`0.0.0.0`) is no address to open (RFC 1122, 3.2.1.3).
    """
    text = value.strip() if isinstance(value, str) else ""
    try:
        parts = urlsplit(text)
        more = parts.query or parts.fragment or "@" in parts.netloc or re.search(r"[\s\\]", text)
        folders = {"", ".", ".."} & {*parts.path.rstrip("/").split("/")[1:]}
        named = parts.port != 0 and _is_host(host_name(parts.hostname or ""))
    except ValueError:  # a port that is no number, brackets that are not closed
        return False
    return parts.scheme in _DEFAULT_PORTS and named and not more and not folders


def _label(text: str) -> str:
    """A label as browsers write it: they keep ß and ς (UTS 46), and Python's codec does not."""
    if {"ß", "ς"} & {*text}:
        return f"xn--{unicodedata.normalize('NFKC', text).encode('punycode').decode()}"
    return text.encode("idna").decode()


def _is_host(name: str) -> bool:
    """Whether browsers and DNS take that for a host: labels of 1 to 63 characters (RFC 1035, 2.3.4)."""
    try:
        return not ipaddress.ip_address(name).is_unspecified and "%" not in name
    except ValueError:
        labels = name.removesuffix(".").split(".")
        return len(name) <= 253 and all(_LABEL.fullmatch(label) for label in labels)


def refuse_others(**options: str | None) -> None:
    """Raise UsageError for an option's value that is no address; None is an option that was not given."""
    for name, value in options.items():
        if value is not None and not is_one(value):
            shown = "this" if "@" in value else repr(value)
            raise UsageError(
                f"--{name.replace('_', '-')}: {shown} is no address of a site",
                expected="http://127.0.0.1:8001 or https://host/chat, without name, query and #",
                where="the command line",
                next_step="correct it, or leave the option out",
            )


def origin(url: str) -> str:
    """What a browser calls the address's origin: scheme, host, and the port if it is not the default."""
    return f"{urlsplit(url.strip()).scheme.lower()}://{_authority(url)}"


def path(url: str) -> str:
    """The path below which everything lies; empty for a host's root."""
    return urlsplit(url.strip()).path.rstrip("/")


def language(path: str) -> str:
    """The language that a path begins with, as of Django's `i18n_patterns`; empty where it does not."""
    found = re.match(r"/([a-z]{2,3}(?:-[a-z0-9]{2,8})*)/.", path, re.IGNORECASE)
    return found[1] if found and found[1].lower().partition("-")[0] in _LANGUAGES else ""


def as_linked(path: str, page: str) -> tuple[str, ...]:
    """The path, and the same in the language of the page at the path `page`, which links to its own."""
    spoken, plain = language(page), path.removeprefix(f"/{language(path)}") if language(path) else path
    return tuple(dict.fromkeys((path, f"/{spoken}{plain}" if spoken else plain)))


def host(url: str) -> str:
    """The host's name in small letters and ASCII, without the brackets of IPv6."""
    return host_name(urlsplit(url.strip()).hostname or "")


def port(url: str) -> int:
    """The port, also where it is not written."""
    parts = urlsplit(url.strip())
    return parts.port or _DEFAULT_PORTS.get(parts.scheme.lower(), 80)


def same(one: str, other: str) -> bool:
    """Whether both are one address, however they are written; a text that is none equals itself alone."""
    try:
        return normal(one) == normal(other)
    except ValueError:
        return one == other


def is_loopback(name: str) -> bool:
    """Whether the host can mean nothing but this machine (RFC 6761 for names); nothing is resolved."""
    name = name.lower().rstrip(".")
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def same_site(one: str, other: str) -> bool:
    """Whether both have one registrable domain, and so are one site to a browser; the port does not matter.

    The domain is taken for two labels; under a suffix such as `co.uk` that calls too much the same.
    """
    return len({_domain(host(url)) for url in (one, other)}) == 1


def _domain(name: str) -> str:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return ".".join(name.rstrip(".").split(".")[-2:])
    return name


def local_host(url: str) -> str:
    """The address's host, as it stands in an address, if it leads to where services of this machine listen;
    else 127.0.0.1."""
    name = host(url)
    if bound(url) == _SIX:
        return f"[{_SIX}]"
    try:
        found = {str(row[4][0]) for row in socket.getaddrinfo(name, None, socket.AF_INET)}
    except (OSError, UnicodeError):
        found = set()
    here = is_loopback(name) and found == {"127.0.0.1"}
    return name if here else "127.0.0.1"


def bound(url: str) -> str:
    """The address of this machine that a service of that address listens on."""
    return _SIX if host(url) == _SIX and _has_six() else "127.0.0.1"


def _has_six() -> bool:
    """Whether programs may listen on IPv6's loopback here."""
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as probe:
            probe.bind((_SIX, 0))
    except OSError:
        return False
    return True


def moved_origins(listed: object, old: str, new: str) -> str:
    """The list with the origin of `old` replaced by the origin of `new`, which it holds in any case.

    `*` and the origins of others stay: a page of theirs may command the chat too.
    """
    if listed == "*":
        return "*"
    entries = [origin(new) if same(entry, origin(old)) else entry for entry in str(listed).split(",")]
    return ",".join(entries if origin(new) in entries else [origin(new)])


def moved(url: str, old: str, new: str) -> str:
    """The address below `new` that was below `old`; any other stays as it is."""
    return f"{new}{url[len(old) :]}" if f"{url}/".startswith(f"{old}/") else url


def origins(listed: object) -> frozenset[str]:
    """The entries of a list of origins separated by commas, as Rocket.Chat's settings hold them."""
    return frozenset(entry for entry in str(listed).split(",") if entry)


def source(url: str) -> str:
    """The source of Content-Security-Policy that admits the address: of one of IPv6, which no source can name
    (CSP level 3, 2.3.1 has no brackets), the scheme alone."""
    return f"{urlsplit(url.strip()).scheme.lower()}:" if ":" in host(url) else origin(url)


def admits(source: str, page: str, own: str) -> bool:
    """Whether a source of Content-Security-Policy (`frame-ancestors`) admits a page at the address `page`.

    `own` is the address that sends the policy, which `'self'` means. Rules: CSP level 3, 6.7.2.8.
    """
    if source == "*":
        return True
    if source.lower() == "'self'":
        return origin(own) == origin(page)
    scheme, found, rest = source.lower().partition("://")
    if not found:
        if source.endswith(":"):
            return _scheme_admits(source[:-1].lower(), page)
        scheme, rest = urlsplit(own).scheme.lower(), source.lower()
    # Of IPv6 no name is left, for the grammar has no brackets: it admits nothing.
    name, _, wished = rest.partition("/")[0].partition(":")
    wild = name.startswith("*.") and host(page).endswith(name[1:])
    if not (_scheme_admits(scheme, page) and (wild or name == host(page))):
        return False
    if wished in {"*", str(port(page))}:
        return True
    # Without a port, the default one of the source's scheme; https is as good as http.
    return not wished and port(page) in {_DEFAULT_PORTS.get(scheme), _DEFAULT_PORTS["https"]}


def _scheme_admits(scheme: str, page: str) -> bool:
    own = urlsplit(page).scheme.lower()
    return scheme == own or (scheme, own) == ("http", "https")


def _authority(url: str) -> str:
    parts = urlsplit(url.strip())
    name = host_name(parts.hostname or "")
    name = f"[{name}]" if ":" in name else name
    default = _DEFAULT_PORTS.get(parts.scheme.lower())
    try:
        return f"{name}:{parts.port}" if parts.port and parts.port != default else name
    except ValueError:  # no number: left as it stands, for the client to refuse
        return parts.netloc


def host_name(name: str) -> str:
    """`Беседка.рф` as DNS, browsers and servers know it: `xn--80abjda5a9b.xn--p1ai`; `0:0::1` as `::1`, and
    `127.1` as `127.0.0.1`."""
    try:
        if ":" in name:
            return str(ipaddress.IPv6Address(name))
        if _NUMERIC.fullmatch(name):
            return socket.inet_ntoa(socket.inet_aton(name))
        return name.lower() if name.isascii() else ".".join(map(_label, _DOTS.split(name.lower())))
    except (ValueError, OSError):  # no host name: left as it stands, to be refused
        return name
