"""A library's bare parse of AMI's bytes; run in the libraries' own environment, so it imports
nothing of ours.

    python parse.py LIBRARY FILE

Each gets the bytes as it takes them from a socket, by its own framing, in pieces of the size that
it asks for itself, and no callback of ours is called. aiopyami reads only answers by itself and
loses what lies across two pieces: it gets whole messages and its function for the answers.
Prints {"events": ..., "cpu_s": ...}.
"""

from __future__ import annotations

import asyncio
import json
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

CHUNK = 64 << 10
Parse = Callable[[bytes], int]


def panoramisk() -> Parse:
    from panoramisk.ami_protocol import AMIProtocol

    class Factory:
        events = 0

        def dispatch(self, message: Any) -> None:
            self.events += 1

    def parse(data: bytes) -> int:
        protocol = AMIProtocol()
        protocol.connection_made(None)
        protocol.factory = Factory()
        for start in range(0, len(data), CHUNK):
            protocol.data_received(data[start : start + CHUNK])
        return protocol.factory.events

    return parse


def asterisk_ami() -> Parse:
    from asterisk.ami import AMIClient

    class Socket:
        def __init__(self, data: bytes) -> None:
            self.data, self.at = data, 0

        def recv(self, size: int) -> bytes:
            self.at += size
            return self.data[self.at - size : self.at]

        def close(self) -> None:
            pass

    def parse(data: bytes) -> int:
        client, events = AMIClient(), 0

        def count(**_: Any) -> None:
            nonlocal events
            events += 1

        client.add_event_listener(lambda event, source: count())
        client.finished = threading.Event()
        client._socket = Socket(b"Asterisk Call Manager/11.0.0\r\n" + data)
        client.listen()
        return events

    return parse


class _Reader:
    """As asyncio's, with everything there already."""

    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0

    async def read(self, size: int) -> bytes:
        self.at += size
        return self.data[self.at - size : self.at]


def basicami() -> Parse:
    from basicami import BasicAMI

    async def read(data: bytes) -> int:
        client = BasicAMI()
        client._reader, client._connected = _Reader(data), True
        await client._read_loop()
        return int(client._event_queue.qsize())

    return lambda data: asyncio.run(read(data))


def aiopyami() -> Parse:
    from aiopyami.utils import dump_data

    def parse(data: bytes) -> int:
        events, start = 0, 0
        while start < len(data):
            end = data.find(b"\r\n\r\n", start + CHUNK)
            end = end if end >= 0 else len(data) - 4
            for entry in data[start:end].decode().split("\r\n\r\n"):
                dump_data(entry)
                events += 1
            start = end + 4
        return events

    return parse


def pyami_asterisk() -> Parse:
    from pyami_asterisk.utils import EOL, _convert_bytes_to_dict

    async def read(data: bytes) -> int:
        reader, events = asyncio.StreamReader(), 0
        for start in range(0, len(data), CHUNK):
            reader.feed_data(data[start : start + CHUNK])
            while EOL * 2 in reader._buffer:  # so that it never waits
                _convert_bytes_to_dict(await reader.readuntil(separator=EOL * 2))
                events += 1
        return events

    return lambda data: asyncio.run(read(data))


LIBRARIES: dict[str, Callable[[], Parse]] = {
    "panoramisk": panoramisk,
    "asterisk-ami": asterisk_ami,
    "basicami": basicami,
    "aiopyami": aiopyami,
    "pyami-asterisk": pyami_asterisk,
}


def main() -> None:
    library, file = sys.argv[1:]
    data = Path(file).read_bytes()
    parse = LIBRARIES[library]()
    began = time.process_time()
    events = parse(data)
    print(json.dumps({"events": events, "cpu_s": time.process_time() - began}))


if __name__ == "__main__":
    main()
