"""Who shows which certificate: a program without imports of ours, for it also runs inside a container.

``hops.py FOLDER HOST:PORT...`` prints, as JSON, the serial number of the certificate that each hop shows to a caller
with the client's pair of that folder.
"""

from __future__ import annotations

import json
import socket
import ssl
import sys
from collections.abc import Sequence


def serials(folder: str, hops: Sequence[str]) -> dict[str, str]:
    """Return the serial number at each hop; the certificate must be of the folder's authority and name its host."""
    context = ssl.create_default_context(cafile=f"{folder}/ca.crt")
    context.load_cert_chain(f"{folder}/client.crt", f"{folder}/client.key")
    found = {}
    for hop in hops:
        host, _, port = hop.partition(":")
        with (
            socket.create_connection((host, int(port)), 10) as plain,
            context.wrap_socket(plain, server_hostname=host) as secured,
        ):
            found[hop] = str((secured.getpeercert() or {})["serialNumber"])
    return found


if __name__ == "__main__":
    sys.stdout.write(json.dumps(serials(sys.argv[1], sys.argv[2:])))
