"""A small stand-in for MongoDB: its wire protocol over mongomock, kept on disk. It is not MongoDB, and
says so in its log, in `hello` (`standIn`), `buildInfo` (`modules`, `gitVersion`) and `serverStatus`.
"""
