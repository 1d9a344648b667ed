"""What never leaves this machine, and so may do without TLS."""

import ipaddress


def is_local(host: str) -> bool:
    """True for a unix socket's folder and for loopback names and addresses."""
    try:
        return host.startswith("/") or host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
