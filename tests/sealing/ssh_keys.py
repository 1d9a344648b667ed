"""OpenSSH keys for tests."""

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

# made by ssh-keygen, with a passphrase, for nothing else than this test
LOCKED = """\
-----BEGIN OPENSSH PRIVATE KEY-----
b3BlbnNzaC1rZXktdjEAAAAACmFlczI1Ni1jdHIAAAAGYmNyeXB0AAAAGAAAABDbSSRWNV
nOMv00p4ETKVBHAAAAEAAAAAEAAAAzAAAAC3NzaC1lZDI1NTE5AAAAIPU6jz4dOWWJ7m3x
2n/VXlC5LuL4JC3SCuSRZi2UsMbFAAAAkGHp7h5ko31Lf6QDZAJdwf6uakGvPR0UvjH1+P
gjEpiRFY01qoLnv8mOwidMme4cbsoUE2+33PLfv+bKORDdsx1+gA7jqsLOcbc7wCIBuyjy
lT2XNL/bh+Ex1CQ1ocF1udtsER3koj27LGyYmxZmpsc0r/z91rIBxivwcGJND1foGyxmfL
0fjeAfomftt4nCHw==
-----END OPENSSH PRIVATE KEY-----
"""


def ssh_key(kind: str, written: PrivateFormat = PrivateFormat.OpenSSH) -> tuple[str, str]:
    """A fresh key pair as text: the private key file, and the line for others, without a comment."""
    if kind == "ssh-ed25519":
        key = ed25519.Ed25519PrivateKey.generate()
    elif kind == "ssh-rsa":
        key = rsa.generate_private_key(65537, 2048)
    else:
        key = ec.generate_private_key(ec.SECP256R1())
    public = key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)
    return key.private_bytes(Encoding.PEM, written, NoEncryption()).decode(), public.decode()
