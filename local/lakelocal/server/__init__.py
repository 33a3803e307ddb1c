"""One Spark Connect server with Delta for each catalog, shared by all kernels and commands.

    server = ensure_server(state)     # finds the running one, or starts it
    server.url                        # sc://localhost:PORT/;token=...

`command` says how the JVM is started, `process` starts, finds and stops it, `adopt` restores tables that a kill left
out of the metastore.
"""

from lakelocal.server.process import Server, ensure_server, find_server, server_status, stop_server

__all__ = ["Server", "ensure_server", "find_server", "server_status", "stop_server"]
