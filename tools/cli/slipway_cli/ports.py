"""Free ports on this machine."""

import socket


def free_port(host: str = "127.0.0.1") -> int:
    """A port that nothing listens on at this moment; ask again if it is taken by the time you use it."""
    with socket.socket() as probe:
        probe.bind((host, 0))
        port: int = probe.getsockname()[1]
        return port
