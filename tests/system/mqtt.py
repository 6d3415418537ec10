"""MQTT by hand, for tests that need every byte: nothing is checked on the way out,
so that wrong packets can be sent too."""
import socket
import struct
import time

import hub

CONNECT, CONNACK, PUBLISH, PUBACK, PUBREC, PUBREL, PUBCOMP = range(1, 8)
SUBSCRIBE, SUBACK, UNSUBSCRIBE, UNSUBACK, PINGREQ, PINGRESP = range(8, 14)
DISCONNECT, AUTH = 14, 15
V31, V311, V5 = 3, 4, 5
VERSIONS = (V31, V311, V5)
VERSION_NAMES = {V31: "3.1", V311: "3.1.1", V5: "5.0"}


def vbi(number):
    """A Variable Byte Integer."""
    out = bytearray()
    while True:
        number, digit = divmod(number, 128)
        out.append(digit | (0x80 if number else 0))
        if not number:
            return bytes(out)


def text(value):
    """A string or binary data with its length before it."""
    raw = value.encode() if isinstance(value, str) else value
    return struct.pack(">H", len(raw)) + raw


def packet(kind, flags, body):
    return bytes([kind << 4 | flags]) + vbi(len(body)) + body


def props(version, raw=b""):
    """Properties, which only 5.0 has."""
    return vbi(len(raw)) + raw if version == V5 else b""


def connect(version, client, clean=True, keep_alive=0, will=None, user=None,
            password=None, properties=b"", flags=None, name=None, level=None):
    """will is (topic, payload, qos, retain)."""
    bits = 0x02 if clean else 0
    rest = text(client)
    if will:
        bits |= 0x04 | will[2] << 3 | (0x20 if will[3] else 0)
        rest += props(version) + text(will[0]) + text(will[1])
    if user is not None:
        bits |= 0x80
        rest += text(user)
    if password is not None:
        bits |= 0x40
        rest += text(password)
    if name is None:
        name = "MQIsdp" if version == V31 else "MQTT"
    head = text(name) + bytes([version if level is None else level,
                               bits if flags is None else flags])
    return packet(CONNECT, 0, head + struct.pack(">H", keep_alive) +
                  props(version, properties) + rest)


def publish(version, topic, payload=b"", qos=0, packet_id=0, retain=False,
            dup=False, properties=b"", flags=None):
    bits = (8 if dup else 0) | qos << 1 | (1 if retain else 0)
    body = text(topic)
    if qos:
        body += struct.pack(">H", packet_id)
    return packet(PUBLISH, bits if flags is None else flags,
                  body + props(version, properties) + payload)


def ack(kind, packet_id):
    """PUBACK, PUBREC, PUBREL and PUBCOMP without reason: any version's."""
    return packet(kind, 2 if kind == PUBREL else 0,
                  struct.pack(">H", packet_id))


def subscribe(version, packet_id, *filters, properties=b"", flags=2):
    """Each filter is (filter, options)."""
    body = struct.pack(">H", packet_id) + props(version, properties)
    for name, options in filters:
        body += text(name) + bytes([options])
    return packet(SUBSCRIBE, flags, body)


def unsubscribe(version, packet_id, *filters, flags=2):
    body = struct.pack(">H", packet_id) + props(version)
    return packet(UNSUBSCRIBE, flags, body + b"".join(map(text, filters)))


def disconnect(version, reason=0):
    return packet(DISCONNECT, 0, bytes([reason]) if reason else b"")


PING = packet(PINGREQ, 0, b"")


class Packet:
    """One that came, taken apart as far as the tests need."""

    def __init__(self, version, first, body):
        self.kind, self.flags, self.body = first >> 4, first & 15, body
        self.version = version
        self.reason = None
        if self.kind == PUBLISH:
            self._publish()
        elif self.kind == CONNACK:
            self.present, self.reason = bool(body[0] & 1), body[1]
        elif self.kind in (PUBACK, PUBREC, PUBREL, PUBCOMP):
            self.id = struct.unpack_from(">H", body)[0]
            self.reason = body[2] if len(body) > 2 else 0
        elif self.kind in (SUBACK, UNSUBACK):
            self.id = struct.unpack_from(">H", body)[0]
            at = 2 + (1 + body[2] if version == V5 else 0)
            self.reasons = list(body[at:])
        elif self.kind == DISCONNECT:
            self.reason = body[0] if body else 0

    def _publish(self):
        length = struct.unpack_from(">H", self.body)[0]
        self.topic = self.body[2:2 + length].decode()
        at = 2 + length
        self.qos = self.flags >> 1 & 3
        self.dup, self.retain = bool(self.flags & 8), bool(self.flags & 1)
        self.id = 0
        if self.qos:
            self.id = struct.unpack_from(">H", self.body, at)[0]
            at += 2
        if self.version == V5:
            size = self.body[at]
            assert size < 128, "longer properties than the tests expect"
            at += 1 + size
        self.payload = self.body[at:]

    def __repr__(self):
        return f"<{self.kind} flags {self.flags} {self.body[:60].hex()}>"


class Closed(Exception):
    """The broker ended the connection."""


class Conn:
    """One socket to the broker, unconnected at first as far as MQTT goes."""

    def __init__(self, port, version=V311):
        self.version = version
        self.buffer = b""
        self.closed = False
        self.socket = socket.create_connection(("127.0.0.1", port),
                                               hub.DEADLINE)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.address = "%s:%d" % self.socket.getsockname()

    def send(self, *packets):
        """A broker that has had enough may close before all is sent."""
        try:
            self.socket.sendall(b"".join(packets))
        except (BrokenPipeError, ConnectionResetError):
            pass

    def _parse(self):
        length = shift = 0
        for at in range(1, len(self.buffer)):
            length |= (self.buffer[at] & 127) << shift
            shift += 7
            if not self.buffer[at] & 128:
                end = at + 1 + length
                if len(self.buffer) < end:
                    return None
                found = Packet(self.version, self.buffer[0],
                               self.buffer[at + 1:end])
                self.buffer = self.buffer[end:]
                return found
        return None

    def recv(self, deadline=None):
        """The next packet. Raises Closed at the end, TimeoutError."""
        end = time.monotonic() + (hub.DEADLINE if deadline is None
                                  else deadline)
        while True:
            found = self._parse()
            if found:
                return found
            self.socket.settimeout(max(end - time.monotonic(), 0.001))
            try:
                data = self.socket.recv(1 << 16)
            except socket.timeout:
                raise TimeoutError(f"no packet from the broker for "
                                   f"{self.address}") from None
            except ConnectionResetError:
                data = b""
            if not data:
                self.closed = True
                raise Closed(f"{self.address} closed by the broker")
            self.buffer += data

    def expect(self, kind):
        """The next packet, which must be of this kind."""
        found = self.recv()
        assert found.kind == kind, f"{found} came, {kind} was wanted"
        return found

    def until_closed(self):
        """All packets up to the end of the connection."""
        found = []
        try:
            while True:
                found.append(self.recv())
        except Closed:
            return found

    def connect(self, client, **options):
        """Handshake; returns the CONNACK, which must be a success."""
        self.send(connect(self.version, client, **options))
        found = self.expect(CONNACK)
        assert found.reason == 0, f"CONNACK {found.reason:#x}"
        return found

    def subscribe(self, *filters, packet_id=1):
        self.send(subscribe(self.version, packet_id, *filters))
        while True:
            found = self.recv()
            if found.kind == SUBACK:
                break
        assert found.id == packet_id
        return found.reasons

    def ping(self):
        """Everything sent so far has been handled; what came meanwhile."""
        self.send(PING)
        found = []
        while True:
            one = self.recv()
            if one.kind == PINGRESP:
                return found
            found.append(one)

    def close(self):
        self.socket.close()

    def disconnect(self):
        self.send(disconnect(self.version))
        self.until_closed()
        self.close()

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.close()


def client(port, version, name, **options):
    """A connected Conn."""
    conn = Conn(port, version)
    conn.connect(name, **options)
    return conn
