"""Becomes the program that BESEDKA_PROGRAM names, which then hears nothing of the machine's network.

Chromium watches the addresses of all interfaces by a netlink socket. When one comes or goes, it gives up what
it is loading (net::ERR_NETWORK_CHANGED). Even one of containers counts, though these are nothing to it. In
net/base/address_tracker_linux.cc a socket that cannot be had means that nothing changes. So the kernel
refuses such sockets to this process and to all that it starts: a filter of seccomp, made by libseccomp, which
apt itself depends on. Where it cannot be made, the program runs without.

Takes the program's arguments for its own. Standard library only, and little of it: each browser of the suite
waits for this.
"""

from __future__ import annotations

import ctypes
import os
import sys

if sys.platform != "linux":
    raise ImportError(sys.platform)

PROGRAM_ENV = "BESEDKA_PROGRAM"
# seccomp.h of libseccomp 2; of `socket` and `errno`, which would double the time this takes.
_ALLOW = 0x7FFF0000
_ERRNO = 0x00050000
_EQUAL = 4
_AF_NETLINK = 16
_EAFNOSUPPORT = 97


class _Comparison(ctypes.Structure):
    """`struct scmp_arg_cmp`: what an argument of a system call is compared with."""

    _fields_ = (
        ("argument", ctypes.c_uint),
        ("how", ctypes.c_int),
        ("value", ctypes.c_uint64),
        ("second", ctypes.c_uint64),
    )


def refuse_netlink() -> bool:
    """Refuse netlink sockets to this process from now on; returns whether that could be done."""
    try:
        library = ctypes.CDLL("libseccomp.so.2")
    except OSError:
        return False
    library.seccomp_init.argtypes = [ctypes.c_uint32]
    library.seccomp_init.restype = ctypes.c_void_p
    library.seccomp_rule_add_array.argtypes = [
        ctypes.c_void_p,
        ctypes.c_uint32,
        ctypes.c_int,
        ctypes.c_uint,
        ctypes.POINTER(_Comparison),
    ]
    library.seccomp_load.argtypes = [ctypes.c_void_p]
    rules = library.seccomp_init(_ALLOW)
    call = library.seccomp_syscall_resolve_name(b"socket")
    is_netlink = _Comparison(0, _EQUAL, _AF_NETLINK, 0)
    made = library.seccomp_rule_add_array(rules, _ERRNO | _EAFNOSUPPORT, call, 1, ctypes.byref(is_netlink))
    return bool(made == 0 and library.seccomp_load(rules) == 0)


def main() -> None:
    """Refuse what can be refused, then become the program."""
    program = os.environ.pop(PROGRAM_ENV)
    refuse_netlink()
    os.execv(program, [program, *sys.argv[1:]])  # noqa: S606 - named by the suite itself


if __name__ == "__main__":
    main()
