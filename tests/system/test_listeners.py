#!/usr/bin/env python3
"""Every kind of listener beside the others: WebSocket on a port of its own, both
kinds of IP at once, unix sockets that are served already."""
import os
import socket
import subprocess

import hub
import mqtt
from cases import Cases, equal
from mqtt import V5, V311
from test_websocket import WebConn, handshake, wanted_headers

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
        self.pages, self.every = hub.free_ports(2)
        self.hub = hub.Hub()
        self.local = os.path.join(self.hub.scratch, "local.sock")
        self.hub.config = (CONF.replace("PAGES", str(self.pages))
                           .replace("EVERY", str(self.every))
                           .replace("SCRATCH", self.hub.scratch))
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
                         both_kinds_of_ip, by_unix_socket,
                         a_served_socket_is_left_alone):
            cases.case(function.__name__.replace("_", " "), function, ours)
        cases.case("hearthd ends cleanly",
                   lambda: equal(ours.hub.stop(), 0))
    finally:
        ours.hub.close()
    cases.end()


if __name__ == "__main__":
    main()
