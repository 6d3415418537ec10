"""MQTT over WebSocket byte by byte: the handshake, frames cut and merged as RFC 6455
allows, and what it does not allow."""
import base64
import hashlib
import os
import socket
import struct
import sys

import hub
import mqtt
from cases import Cases, equal
from mqtt import V311, V5

cases = Cases()
BINARY, TEXT, CONTINUATION, CLOSE, PING, PONG = 2, 1, 0, 8, 9, 10


def frame(payload, opcode=BINARY, fin=True, mask=b"\1\2\3\4", length=None,
          rsv=0):
    """A frame as a client sends it; mask None: unmasked; length: a lie."""
    size = len(payload) if length is None else length
    bit = 0x80 if mask is not None else 0
    head = bytes([(0x80 if fin else 0) | rsv << 4 | opcode])
    if size < 126:
        head += bytes([bit | size])
    elif size < 65536:
        head += bytes([bit | 126]) + struct.pack(">H", size)
    else:
        head += bytes([bit | 127]) + struct.pack(">Q", size)
    if mask is None:
        return head + payload
    return head + mask + bytes(b ^ mask[i % 4] for i, b in enumerate(payload))


def handshake(port, headers, path="/mqtt", method="GET"):
    """(socket, status, headers, bytes after them)."""
    sock = socket.create_connection(("127.0.0.1", port), hub.DEADLINE)
    lines = [f"{method} {path} HTTP/1.1"]
    lines += [f"{name}: {value}" for name, value in headers]
    sock.sendall("\r\n".join(lines + ["", ""]).encode())
    data = b""
    while b"\r\n\r\n" not in data:
        piece = sock.recv(4096)
        if not piece:
            break
        data += piece
    head, _, rest = data.partition(b"\r\n\r\n")
    first, *fields = head.decode().split("\r\n")
    found = {k.lower(): v for k, v in (f.split(": ", 1) for f in fields)}
    return sock, int(first.split()[1]) if first else 0, found, rest


def wanted_headers(port, **changes):
    """Those of a right handshake, with some changed (None: left out)."""
    headers = {
        "Host": f"127.0.0.1:{port}",
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Key": base64.b64encode(os.urandom(16)).decode(),
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Protocol": "mqtt",
    }
    for name, value in changes.items():
        headers[name.replace("_", "-")] = value
    return [(k, v) for k, v in headers.items() if v is not None]


class WebConn(mqtt.Conn):
    """A Conn whose bytes travel in frames; frames in are checked."""

    def __init__(self, daemon, version=V311, port=None):
        port = port or daemon.web_port
        self.version = version
        self.buffer = b""
        self.closed = False
        self.frames = b""
        self.control = []
        headers = wanted_headers(port)
        self.socket, status, found, rest = handshake(port, headers)
        equal(status, 101)
        key = dict(headers)["Sec-WebSocket-Key"].encode()
        equal(found["sec-websocket-accept"], base64.b64encode(hashlib.sha1(
            key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest()).decode())
        equal(found["sec-websocket-protocol"], "mqtt")
        self.address = "%s:%d" % self.socket.getsockname()
        self.frames = rest

    def raw(self, data):
        mqtt.Conn.send(self, data)

    def send(self, *packets):
        self.raw(frame(b"".join(packets)))

    def _unframe(self):
        """What whole frames hold, out of self.frames."""
        while len(self.frames) >= 2:
            first, second = self.frames[0], self.frames[1]
            assert not second & 0x80, "a masked frame from a server"
            size, at = second & 127, 2
            if size == 126:
                size, at = struct.unpack_from(">H", self.frames, 2)[0], 4
            elif size == 127:
                size, at = struct.unpack_from(">Q", self.frames, 2)[0], 10
            if len(self.frames) < at + size:
                return
            payload = self.frames[at:at + size]
            self.frames = self.frames[at + size:]
            if first & 8:
                self.control.append((first & 15, payload))
            else:
                assert first & 0x70 == 0 and first & 15 in (0, BINARY), first
                self.buffer += payload

    def recv(self, deadline=None):
        while True:
            self._unframe()
            found = self._parse()
            if found:
                return found
            self.socket.settimeout(deadline or hub.DEADLINE)
            try:
                data = self.socket.recv(1 << 16)
            except ConnectionResetError:
                data = b""
            if not data:
                self.closed = True
                raise mqtt.Closed(self.address)
            self.frames += data

    def log_in(self, daemon, name):
        user, password = daemon.auth
        return self.connect(name, user=user, password=password)


# ---- handshake ------------------------------------------------------------

REFUSED = [
    ("without the subprotocol", {"Sec_WebSocket_Protocol": None}),
    ("with another subprotocol", {"Sec_WebSocket_Protocol": "chat"}),
    ("without a key", {"Sec_WebSocket_Key": None}),
    ("with a key of 15 bytes", {"Sec_WebSocket_Key": base64.b64encode(
        bytes(15)).decode()}),
    ("of version 8", {"Sec_WebSocket_Version": "8"}),
    ("without Upgrade", {"Upgrade": None}),
    ("without Host", {"Host": None}),
    ("for a strange host (DNS rebinding)", {"Host": "evil.example"}),
    ("from a strange page", {"Origin": "http://evil.example"}),
    ("from no page", {"Origin": "null"}),
    ("from our port's neighbour", {"Origin": "http://127.0.0.1:1"}),
]


def refused(daemon, changes):
    sock, status, _, _ = handshake(
        daemon.web_port, wanted_headers(daemon.web_port, **changes))
    sock.close()
    assert 400 <= status < 500, status


def versions_offered(daemon):
    """A version we do not speak is answered with the one we do."""
    sock, status, headers, _ = handshake(daemon.web_port, wanted_headers(
        daemon.web_port, Sec_WebSocket_Version="12"))
    sock.close()
    equal((status, headers.get("sec-websocket-version")), (426, "13"))


def among_subprotocols(daemon):
    sock, status, headers, _ = handshake(daemon.web_port, wanted_headers(
        daemon.web_port, Sec_WebSocket_Protocol="mqttv3.1, mqtt",
        Connection="keep-alive, Upgrade"))
    sock.close()
    equal((status, headers.get("sec-websocket-protocol")), (101, "mqtt"))


def first_packet_with_handshake(daemon):
    """Bytes that come right behind the handshake are not lost."""
    user, password = daemon.auth
    lines = ["GET /mqtt HTTP/1.1"] + [
        f"{k}: {v}" for k, v in wanted_headers(daemon.web_port)] + ["", ""]
    conn = WebConn.__new__(WebConn)
    conn.version, conn.buffer, conn.closed = V311, b"", False
    conn.frames, conn.control = b"", []
    conn.socket = socket.create_connection(("127.0.0.1", daemon.web_port),
                                           hub.DEADLINE)
    conn.address = "early"
    conn.socket.sendall("\r\n".join(lines).encode() + frame(mqtt.connect(
        V311, "early", user=user, password=password)))
    data = b""
    while b"\r\n\r\n" not in data:
        data += conn.socket.recv(4096)
    conn.frames = data.partition(b"\r\n\r\n")[2]
    equal(conn.expect(mqtt.CONNACK).reason, 0)
    conn.close()


# ---- frames ---------------------------------------------------------------

def cut_and_merged(daemon):
    """MQTT packets do not know where frames begin [MQTT-6.0.0-2]."""
    packets = b"".join(
        mqtt.publish(V311, "ws/cut", b"%d" % i, 1, i) for i in range(1, 21))
    for size in (1, 2, 3, 7, 100, len(packets)):
        conn = WebConn(daemon)
        conn.log_in(daemon, "ws-cut")
        for at in range(0, len(packets), size):
            conn.raw(frame(packets[at:at + size]))
        equal([conn.expect(mqtt.PUBACK).id for _ in range(20)],
              list(range(1, 21)))
        conn.disconnect()


def fragments_with_ping(daemon):
    conn = WebConn(daemon)
    conn.log_in(daemon, "ws-fragments")
    packet = mqtt.publish(V311, "ws/fragments", b"x" * 1000, 1, 9)
    conn.raw(frame(packet[:100], fin=False))
    conn.raw(frame(b"are you there", PING))
    conn.raw(frame(packet[100:500], CONTINUATION, fin=False))
    conn.raw(frame(b"", CONTINUATION, fin=False))
    conn.raw(frame(packet[500:], CONTINUATION))
    equal(conn.expect(mqtt.PUBACK).id, 9)
    equal(conn.control, [(PONG, b"are you there")])
    conn.disconnect()


def big_message(daemon):
    """A frame whose length takes eight bytes, both ways."""
    conn = WebConn(daemon)
    conn.log_in(daemon, "ws-big")
    conn.subscribe(("ws/big", 0))
    payload = bytes(range(256)) * 1000
    conn.send(mqtt.publish(V311, "ws/big", payload))
    equal(conn.expect(mqtt.PUBLISH).payload == payload, True)
    conn.disconnect()


def close_handshake(daemon):
    conn = WebConn(daemon)
    conn.log_in(daemon, "ws-close")
    conn.raw(frame(struct.pack(">H", 1000), CLOSE))
    conn.until_closed()
    assert conn.control and conn.control[0][0] == CLOSE, conn.control
    conn.close()


BREACHES = [
    ("an unmasked frame", lambda: frame(mqtt.PING, mask=None)),
    ("a text frame", lambda: frame(b"hello", TEXT)),
    ("an unknown opcode", lambda: frame(b"", 3)),
    ("a reserved bit", lambda: frame(mqtt.PING, rsv=4)),
    ("a fragmented ping", lambda: frame(b"", PING, fin=False)),
    ("a ping of 126 bytes", lambda: frame(bytes(126), PING)),
    ("a continuation of nothing", lambda: frame(mqtt.PING, CONTINUATION)),
    ("a message inside a message", lambda: frame(b"\xc0", fin=False) +
     frame(b"\xc0")),
    ("a length above 2^63", lambda: b"\x82\xff" + b"\xff" * 8 + bytes(4)),
    ("a malformed packet in a right frame", lambda: frame(b"\x00\x00")),
    ("a length that lies about MQTT (CVE-2026-25627)",
     lambda: frame(b"\x30\xff\xff\xff\xff\x01")),
]


def breach(daemon, make, number):
    name = f"ws-breach{number}"
    conn = WebConn(daemon, V5)
    conn.log_in(daemon, name)
    conn.raw(make())
    conn.until_closed()
    conn.close()
    lines = hub.until("a line in the log", lambda: [
        line for line in daemon.logged()
        if f"{name} (" in line and ": connected as" not in line])
    equal(len(lines), 1, lines)


def ping_flood(daemon):
    """Answers that nobody reads do not pile up: the sender is closed, or made
    to wait; memory does not grow by what was sent."""
    conn = WebConn(daemon)
    conn.log_in(daemon, "ws-flood")
    before = hub.memory(daemon.pid)["Private_Dirty"]
    conn.socket.settimeout(2)
    flood = frame(bytes(125), PING) * 1000
    try:
        for _ in range(200):
            conn.socket.sendall(flood)
    except OSError:
        pass
    grown = hub.memory(daemon.pid)["Private_Dirty"] - before
    conn.close()
    assert grown < 16 * 1024 or hub.sanitized(), f"{grown} KiB"


def wrong_password(daemon):
    for version, code in ((V311, 5), (V5, 0x86)):
        conn = WebConn(daemon, version)
        conn.send(mqtt.connect(version, "ws-wrong", user=daemon.auth[0],
                               password="wrong"))
        got = conn.expect(mqtt.CONNACK)
        assert got.reason in (code, 4), got.reason
        conn.until_closed()
        conn.close()


def main():
    with hub.Hub() as daemon:
        bystander = WebConn(daemon)
        bystander.log_in(daemon, "ws-bystander")
        for name, changes in REFUSED:
            cases.case(f"a handshake {name}", refused, daemon, changes)
        cases.case("version 13 is offered", versions_offered, daemon)
        cases.case("mqtt among other subprotocols", among_subprotocols, daemon)
        cases.case("CONNECT right behind the handshake",
                   first_packet_with_handshake, daemon)
        cases.case("packets cut and merged over frames", cut_and_merged,
                   daemon)
        cases.case("fragments with a ping between", fragments_with_ping,
                   daemon)
        cases.case("256 KB in one frame", big_message, daemon)
        cases.case("the close handshake", close_handshake, daemon)
        cases.case("a wrong password", wrong_password, daemon)
        for number, (name, make) in enumerate(BREACHES):
            cases.case(name, breach, daemon, make, number)
        cases.case("a flood of pings", ping_flood, daemon)
        cases.case("nobody else was disturbed", bystander.ping)
        cases.case("hearthd ends cleanly", lambda: equal(daemon.stop(), 0))
    cases.end()


if __name__ == "__main__":
    sys.exit(main())
