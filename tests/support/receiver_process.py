"""
The receiver's own process: an HTTP server that is fast, counts everything, and misbehaves when told to.

Started and commanded by `tests.support.receiver`: commands are lines of JSON on standard input, answers are lines of
JSON on standard output, one each. It ends when its standard input ends or its parent is gone.
"""

import argparse
import asyncio
import hashlib
import json
import os
import re
import socket
import ssl
import sys
import time
from typing import Any

from tests.support.receiver_behaviour import Behaviour, Mode

_ID = re.compile(rb"\r\nwebhook-id:[ \t]*([^\r]*)", re.IGNORECASE)
_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*(\d+)", re.IGNORECASE)
_PARENT_CHECK_S = 1.0


class PathState:
    """
    What happened at one path, and what is to happen next.
    """

    def __init__(self) -> None:
        self.counts: dict[str, int] = {}
        self.accepted: dict[str, int] = {}
        self.digests: dict[str, set[str]] = {}
        self.arrivals: list[tuple[str, float]] = []
        self.kept: list[tuple[str, list[tuple[str, str]], str]] = []
        self.behave(Behaviour())

    def behave(self, behaviour: Behaviour) -> None:
        self.behaviour = behaviour
        self.served = 0
        self.answers: dict[int, tuple[bytes, bytes]] = {}

    def next_answer(self) -> tuple[int, bytes, bytes]:
        status = self.behaviour.status_of(self.served)
        self.served += 1
        if status not in self.answers:
            self.answers[status] = self.behaviour.answer(status)
        return status, *self.answers[status]


class Server:
    """
    The listening socket and all that came through it.
    """

    def __init__(self, arguments: argparse.Namespace) -> None:
        self.loop = asyncio.get_running_loop()
        self.port: int = arguments.port
        self.keeps_bodies: bool = arguments.keep_bodies
        self.paths: dict[str, PathState] = {}
        self.connections: set[Connection] = set()
        self.accepted_count = 0
        self.established_count = 0
        self.log = os.open(arguments.log, os.O_WRONLY | os.O_APPEND | os.O_CREAT) if arguments.log else None
        self.tls: ssl.SSLContext | None = None
        if arguments.certificate:
            self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.tls.load_cert_chain(arguments.certificate)
        self.listener: socket.socket | None = None
        self.handshakes: set[asyncio.Task[None]] = set()

    def path(self, path: str) -> PathState:
        return self.paths.setdefault(path, PathState())

    def listen(self) -> None:
        if self.listener is not None:
            return
        self.listener = socket.socket()
        # The parent holds the port with a socket that does not listen, so that it stays ours while we refuse.
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        self.listener.bind(("127.0.0.1", self.port))
        self.listener.listen(1024)
        self.listener.settimeout(0)
        self.loop.add_reader(self.listener, self.accept)

    def refuse(self) -> None:
        if self.listener is not None:
            self.loop.remove_reader(self.listener)
            self.listener.close()
            self.listener = None
        self.drop_connections()

    def drop_connections(self) -> None:
        for connection in tuple(self.connections):
            connection.transport.abort()

    def accept(self) -> None:
        if self.listener is None:
            return
        try:
            accepted, _ = self.listener.accept()
        except OSError:  # gone before we took it
            return
        self.accepted_count += 1
        accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        task = self.loop.create_task(self.establish(accepted))
        self.handshakes.add(task)
        task.add_done_callback(self.handshakes.discard)

    async def establish(self, accepted: socket.socket) -> None:
        accepted.settimeout(0)
        try:
            await self.loop.connect_accepted_socket(lambda: Connection(self), accepted, ssl=self.tls)
        except (OSError, ssl.SSLError):  # the client did not like our certificate, or left
            accepted.close()

    def store(self, state: PathState, path: str, head: bytes, body: bytes, status: int | None) -> None:
        match = _ID.search(head)
        webhook_id = match[1].decode() if match else ""
        now = time.time()
        digest = hashlib.sha256(body).hexdigest()
        state.counts[webhook_id] = state.counts.get(webhook_id, 0) + 1
        if status is not None and 200 <= status <= 299:
            state.accepted[webhook_id] = state.accepted.get(webhook_id, 0) + 1
        state.digests.setdefault(webhook_id, set()).add(digest)
        state.arrivals.append((webhook_id, now))
        if self.keeps_bodies:
            lines = [line.partition(":") for line in head.decode("latin-1").split("\r\n")[1:]]
            headers = [(name, value.strip()) for name, _, value in lines]
            state.kept.append((webhook_id, headers, body.decode("latin-1")))
        if self.log is not None:
            os.write(self.log, f"{now:.6f}\t{path}\t{webhook_id}\t{digest}\t{status or ''}\n".encode())

    def command(self, asked: dict[str, Any]) -> Any:
        state = self.path(asked.get("path", ""))
        match asked["do"]:
            case "behave":
                state.behave(Behaviour.from_json(asked["behaviour"]))
            case "totals":
                return [len(state.counts), len(state.accepted), len(state.arrivals)]
            case "digests":
                return {webhook_id: sorted(digests) for webhook_id, digests in state.digests.items()}
            case "counts" | "accepted" | "arrivals" | "kept" as what:
                return getattr(state, what)
            case "forget":
                self.paths.pop(asked["path"])
                self.path(asked["path"]).behave(state.behaviour)
            case "connections":
                return [self.accepted_count, self.established_count, len(self.connections)]
            case "listen" | "refuse" | "drop_connections" as what:
                getattr(self, what)()
            case what:
                raise ValueError(f"no such command: {what}")
        return None


class Connection(asyncio.Protocol):
    """
    One client's connection.
    """

    transport: asyncio.Transport

    def __init__(self, server: Server) -> None:
        self.server = server
        self.buffer = bytearray()
        self.needed = 0
        self.request_count = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.server.connections.add(self)
        self.server.established_count += 1

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        self.server.connections.discard(self)

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        while len(self.buffer) > self.needed:
            head_end = self.buffer.find(b"\r\n\r\n")
            if head_end < 0:
                return
            head = bytes(self.buffer[:head_end])
            length = _LENGTH.search(head)
            end = head_end + 4 + (int(length[1]) if length else 0)
            target = head[: head.find(b"\r\n")].split(b" ")[1]
            path = target.split(b"?", 1)[0].decode()
            state = self.server.path(path)
            if state.behaviour.mode is Mode.NEVER_READ:
                # Some kernels would take in tens of megabytes on behalf of one who does not read.
                self.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)
                self.transport.pause_reading()
                return
            if len(self.buffer) < end:
                # Not looked at again before all of it is there.
                self.needed = end - 1
                return
            body = bytes(self.buffer[head_end + 4 : end])
            del self.buffer[:end]
            self.needed = 0
            self.request_count += 1
            self.handle(state, path, head, body)

    def handle(self, state: PathState, path: str, head: bytes, body: bytes) -> None:
        behaviour = state.behaviour
        status, answer_head, answer_body = state.next_answer()
        mode = behaviour.mode
        if mode is Mode.CLOSE_REUSED:
            mode = Mode.CLOSE if self.request_count > 1 else Mode.ANSWER
        answers = mode in {Mode.ANSWER, Mode.ANSWER_AND_CLOSE}
        self.server.store(state, path, head, body, status if answers else None)
        if behaviour.delay_s:
            self.server.loop.call_later(behaviour.delay_s, self.answer, mode, behaviour, answer_head, answer_body)
        else:
            self.answer(mode, behaviour, answer_head, answer_body)

    def answer(self, mode: Mode, behaviour: Behaviour, head: bytes, body: bytes) -> None:
        closes = behaviour.says_close
        match mode:
            case Mode.ANSWER:
                self.transport.write(head + body)
            case Mode.ANSWER_AND_CLOSE:
                self.transport.write(head + body)
                closes = True
            case Mode.CLOSE:
                closes = True
            case Mode.CUT_HEAD:
                self.transport.write(head[:-6])
                closes = True
            case Mode.CUT_BODY:
                self.transport.write(head + body[: len(body) // 2])
                closes = True
            case Mode.DRIP_HEAD:
                return self.drip(head + body, behaviour.interval_s)
            case Mode.DRIP_BODY:
                self.transport.write(head)
                return self.drip(body, behaviour.interval_s)
            case Mode.NOT_HTTP:
                self.transport.write(b"\x15\x03\x01 what do you want?\r\n\r\n")
                closes = True
            case _:
                return None
        if closes:
            self.transport.close()
        return None

    def drip(self, rest: bytes, interval_s: float) -> None:
        if rest and not self.transport.is_closing():
            self.transport.write(rest[:1])
            self.server.loop.call_later(interval_s, self.drip, rest[1:], interval_s)


async def serve(arguments: argparse.Namespace) -> None:
    """
    Serve until standard input ends.
    """
    server = Server(arguments)
    server.listen()
    commands = asyncio.StreamReader(limit=2**24)
    await server.loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(commands), sys.stdin)
    answers = sys.stdout
    parent = os.getppid()
    answers.write('"ready"\n')
    answers.flush()
    line = server.loop.create_task(commands.readline())
    while os.getppid() == parent:
        await asyncio.wait({line}, timeout=_PARENT_CHECK_S)
        if not line.done():
            continue
        if not line.result():
            return
        answers.write(json.dumps(server.command(json.loads(line.result()))) + "\n")
        answers.flush()
        line = server.loop.create_task(commands.readline())


def main() -> None:
    """
    Run one worker process of a receiver.
    """
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--certificate", default="")
    parser.add_argument("--log", default="")
    parser.add_argument("--keep-bodies", action="store_true")
    asyncio.run(serve(parser.parse_args()))


if __name__ == "__main__":
    main()
