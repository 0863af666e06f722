"""Run Python's arguments as a fork of the server of forks.py, and exit as it does.

    python -IS forked.py SOCKET ARGUMENTS...

It imports next to nothing, since each job of a test starts it.
"""

import _socket
import os
import sys
from array import array

address, *arguments = sys.argv[1:]
environment = [f"{name}={value}" for name, value in os.environ.items()]
parts = [os.getcwd(), str(len(arguments)), *arguments, *environment]
message = b"\0".join(os.fsencode(part) for part in parts)
connection = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
connection.connect(address)
outputs = array("i", [0, 1, 2])
connection.sendmsg(
    [len(message).to_bytes(8, "little")], [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, outputs)]
)
connection.sendall(message)
code = connection.recv(1)
# nothing, if the server has gone
sys.exit(code[0] if code else 1)
