#!/bin/sh
# A program for those who take a path and no arguments before their own: without_netlink.py, by the Python that
# BESEDKA_PYTHON names. The first python3 of PATH may be a shim that takes longer than all that is done here.
exec "$BESEDKA_PYTHON" -S -E "${0%.sh}.py" "$@"
