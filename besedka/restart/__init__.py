"""A restart of a developer's stack that loses nothing.

Dump, inventory, restart, inventory, provision, doctor.

`procedure.restart` does all of it; the modules beside it are its parts.
"""
