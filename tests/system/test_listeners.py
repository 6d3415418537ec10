#!/usr/bin/env python3
"""Every kind of listener beside the others: WebSocket on a port of its own, both
kinds of IP at once, proxies in front, unix sockets that are served already."""
import os
import socket
import ssl
import struct
import subprocess

import hub
import mqtt
from cases import Cases, equal
from mqtt import V5, V311
from test_websocket import WebConn, frame, handshake, wanted_headers

CONF = """\
[hearth]
data_dir = {data}
node = kitchen

[listener plain]
port = {mqtt}
anonymous = yes

[listener pages]
type = ws
port = PAGES
anonymous = yes
origin = https://ui.example

[listener every]
address = ::
port = EVERY
anonymous = yes

[listener cabin]
port = CABIN
anonymous = yes
mount_point = cabin/

[listener behind]
port = BEHIND
anonymous = yes
proxy_protocol = yes
proxy_from = 127.0.0.1

[listener secure]
type = tls
port = SECURE
anonymous = yes
proxy_protocol = yes
tls_cert = SCRATCH/server.crt
tls_key = SCRATCH/server.key

[listener pages behind]
type = wss
port = BOTH
anonymous = yes
proxy_protocol = yes
tls_cert = SCRATCH/server.crt
tls_key = SCRATCH/server.key

[listener local]
type = unix
path = SCRATCH/local.sock
mode = 0600
anonymous = yes

[web]
port = {web}

[gpio]
backend = off
"""


class Listeners:
    """A hub with all of them, open to all."""

    def __init__(self):
        (self.pages, self.every, self.behind, self.secure, self.both,
         self.cabin) = hub.free_ports(6)
        self.hub = hub.Hub()
        self.local = os.path.join(self.hub.scratch, "local.sock")
        self.hub.config = (CONF.replace("PAGES", str(self.pages))
                           .replace("EVERY", str(self.every))
                           .replace("BEHIND", str(self.behind))
                           .replace("SECURE", str(self.secure))
                           .replace("BOTH", str(self.both))
                           .replace("CABIN", str(self.cabin))
                           .replace("SCRATCH", self.hub.scratch))
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
             "ec_paramgen_curve:P-256", "-nodes", "-keyout", "server.key",
             "-out", "server.crt", "-days", "2", "-subj", "/CN=localhost"],
            cwd=self.hub.scratch, check=True, capture_output=True)
        self.hub.start()
        self.hub.open_to_all()

    def published(self, topic, *args):
        """mosquitto_pub with args publishes to topic, which another sees."""
        with mqtt.Conn(self.hub.mqtt_port, V5) as conn:
            conn.connect("watcher")
            conn.subscribe((topic, 1))
            done = subprocess.run(
                ["mosquitto_pub", "-t", topic, "-m", "on", "-q", "1", *args],
                capture_output=True, text=True, timeout=hub.DEADLINE,
                check=False)
            equal(done.returncode, 0, done.stderr)
            equal(conn.expect(mqtt.PUBLISH).payload, b"on")


def by_websocket(ours):
    for version in (V311, V5):
        conn = WebConn(ours.hub, version, ours.pages)
        conn.connect("page")
        conn.subscribe(("pages/#", 1))
        ours_too = mqtt.Conn(ours.hub.mqtt_port, V5)
        ours_too.connect("device")
        ours_too.send(mqtt.publish(V5, "pages/x", b"hello", 1, 7))
        equal(conn.expect(mqtt.PUBLISH).payload, b"hello")
        client, = [c for c in ours.hub.rest("GET", "/clients")["clients"]
                   if c["id"] == "page"]
        equal(client["transport"], "websocket")
        ours_too.close()
        conn.disconnect()


def pages_that_may_not(ours):
    for origin, wanted in (("http://evil.example", 403), ("null", 403),
                           ("https://ui.example", 101),
                           (f"http://127.0.0.1:{ours.hub.web_port}", 101)):
        sock, status, _, _ = handshake(
            ours.pages, wanted_headers(ours.pages, Origin=origin), "/any")
        sock.close()
        equal(status, wanted, origin)


def bare_mqtt_on_it(ours):
    with socket.create_connection(("127.0.0.1", ours.pages),
                                  hub.DEADLINE) as raw:
        raw.sendall(mqtt.connect(V311, "bare") + b"\r\n\r\n")
        data = b""
        while piece := raw.recv(4096):
            data += piece
    assert data.startswith(b"HTTP/1.1 400 "), data


def both_kinds_of_ip(ours):
    ours.published("every/four", "-h", "127.0.0.1", "-p", str(ours.every))
    if socket.has_ipv6 and os.path.exists("/proc/net/if_inet6"):
        ours.published("every/six", "-h", "::1", "-p", str(ours.every))


PROXY_V1 = b"PROXY TCP4 192.0.2.7 192.0.2.1 49152 1883\r\n"
PROXY_V2 = (b"\r\n\r\n\0\r\nQUIT\n\x21\x21\0\x24" +
            socket.inet_pton(socket.AF_INET6, "2001:db8::7") +
            socket.inet_pton(socket.AF_INET6, "2001:db8::1") +
            struct.pack(">HH", 50000, 1883))


def proxied(ours, port, header, secure):
    """A Conn whose socket has a PROXY header in front, perhaps TLS behind it."""
    conn = mqtt.Conn(port, V5)
    conn.socket.sendall(header)
    if secure:
        context = ssl.create_default_context(
            cafile=os.path.join(ours.hub.scratch, "server.crt"))
        conn.socket = context.wrap_socket(conn.socket,
                                          server_hostname="localhost")
    return conn


def address_of(ours, client):
    return [c["address"] for c in ours.hub.rest("GET", "/clients")["clients"]
            if c["id"] == client and c["connected"]]


def behind_a_proxy(ours):
    for port, secure in ((ours.behind, False), (ours.secure, True)):
        for header, address in ((PROXY_V1, "192.0.2.7:49152"),
                                (PROXY_V2, "[2001:db8::7]:50000")):
            conn = proxied(ours, port, header, secure)
            conn.connect("proxied")
            equal(address_of(ours, "proxied"), [address])
            conn.disconnect()


def everything_at_once(ours):
    """PROXY, then TLS, then a WebSocket, then MQTT."""
    conn = proxied(ours, ours.both, PROXY_V2, True)
    lines = ["GET / HTTP/1.1"] + [
        f"{k}: {v}" for k, v in wanted_headers(ours.both)] + ["", ""]
    conn.socket.sendall("\r\n".join(lines).encode() +
                        frame(mqtt.connect(V311, "all")))
    data = b""
    while not data.endswith(b"\x82\x04\x20\x02\0\0"):
        piece = conn.socket.recv(4096)
        assert piece, data
        data += piece
    assert data.startswith(b"HTTP/1.1 101 "), data
    equal(address_of(ours, "all"), ["[2001:db8::7]:50000"])
    conn.socket.close()


def without_the_header(ours):
    done = subprocess.run(
        ["mosquitto_pub", "-h", "127.0.0.1", "-p", str(ours.behind), "-t", "x",
         "-m", "x"], capture_output=True, timeout=hub.DEADLINE, check=False)
    assert done.returncode != 0, "let in without a PROXY header"
    hub.until("it in the log", lambda: any(
        "no PROXY header" in line for line in ours.hub.logged()))


def under_a_mount_point(ours):
    """mosquitto's clients inside and outside; rights are for whole topics."""
    ours.hub.rest("POST", "/acl", {"user": "*", "filter": "cabin/secret",
                                   "action": "write", "effect": "deny"})
    inside = mqtt.Conn(ours.cabin, V5)
    inside.connect("inside")
    inside.subscribe(("#", 0))
    with mqtt.Conn(ours.hub.mqtt_port, V5) as outside:
        outside.connect("outside")
        outside.subscribe(("cabin/#", 0))
        subprocess.run(["mosquitto_pub", "-p", str(ours.cabin), "-t", "lamp",
                        "-m", "on"], check=True, timeout=hub.DEADLINE)
        equal(outside.expect(mqtt.PUBLISH).topic, "cabin/lamp")
        equal(inside.expect(mqtt.PUBLISH).topic, "lamp")
    inside.send(mqtt.publish(V5, "secret", b"x", 1, 9))
    equal(inside.expect(mqtt.PUBACK).reason, 0x87)
    inside.close()


def by_unix_socket(ours):
    equal(os.stat(ours.local).st_mode & 0o777, 0o600)
    ours.published("local/x", "--unix", ours.local)


def a_served_socket_is_left_alone(ours):
    """A second hub, by mistake on the same socket, does not start; the first
    goes on."""
    other = hub.Hub(f"""\
[hearth]
data_dir = {{data}}
[listener plain]
port = {{mqtt}}
[listener local]
type = unix
path = {ours.local}
[web]
port = {{web}}
[gpio]
backend = off
""")
    try:
        other.start()
    except RuntimeError as error:
        assert "Address already in use" in str(error), error
    else:
        raise AssertionError("two hubs on one socket")
    finally:
        other.close()
    by_unix_socket(ours)


def main():
    cases = Cases()
    ours = Listeners()
    try:
        for function in (by_websocket, pages_that_may_not, bare_mqtt_on_it,
                         both_kinds_of_ip, behind_a_proxy,
                         everything_at_once, without_the_header,
                         under_a_mount_point,
                         by_unix_socket,
                         a_served_socket_is_left_alone):
            cases.case(function.__name__.replace("_", " "), function, ours)
        cases.case("hearthd ends cleanly",
                   lambda: equal(ours.hub.stop(), 0))
    finally:
        ours.hub.close()
    cases.end()


if __name__ == "__main__":
    main()
