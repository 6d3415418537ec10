"""Somebody sets the clock, or NTP does on a board without one: nothing that was
promised for a time ends early or late because of it."""
import email.utils
import json
import os
import struct
import sys

import hub
import mqtt
from cases import Cases, equal
from mqtt import V311, V5

cases = Cases()
# Not built with sanitizers, which have the clock for themselves.
SHIM = os.path.join(hub.BUILD, "tests", "system", "libjump_clock.so")
YEAR = 365 * 24 * 3600
HOUR = struct.pack(">I", 3600)
EXPIRY = b"\x02"  # of a message
SESSION_EXPIRY = b"\x11"
WILL_DELAY = b"\x18"


class Clock:
    """hearthd's own, ahead of the machine's by so many seconds."""

    def __init__(self):
        self.daemon = hub.Hub(config=hub.PLAIN)
        self.path = os.path.join(self.daemon.scratch, "clock")
        self.ahead = 0
        self.jump(0)
        self.daemon.env.update(LD_PRELOAD=SHIM, JUMP_CLOCK=self.path)

    def jump(self, seconds):
        """So many more."""
        self.ahead += seconds
        with open(self.path, "r+b" if os.path.exists(self.path) else "wb") as out:
            out.write(struct.pack("=q", self.ahead))

    def now(self):
        """What it is for hearthd, which tells every browser."""
        date = hub.request(self.daemon.web_port, "GET", "/healthz")[1]["Date"]
        return email.utils.parsedate_to_datetime(date).timestamp()


class Connect5(mqtt.Conn):
    """An absent one's session lasts an hour, and so does the delay of its will."""

    def __init__(self, port, name):
        super().__init__(port, V5)
        rest = mqtt.text(name)
        rest += mqtt.vbi(5) + WILL_DELAY + HOUR
        rest += mqtt.text(f"will/{name}") + mqtt.text("gone")
        self.send(mqtt.packet(mqtt.CONNECT, 0, mqtt.text("MQTT") +
                              b"\x05\x04" + struct.pack(">H", 60) + mqtt.vbi(5) +
                              SESSION_EXPIRY + HOUR + rest))
        self.connack = self.expect(mqtt.CONNACK)
        equal(self.connack.reason, 0)


def left(packet):
    """Seconds until a received message expires."""
    length = struct.unpack_from(">H", packet.body)[0]
    at = 2 + length + (2 if packet.qos else 0)
    properties = packet.body[at + 1:at + 1 + packet.body[at]]
    equal(properties[:1], EXPIRY, "a property")
    return struct.unpack_from(">I", properties, 1)[0]


def promise(daemon, name):
    """An absent session with a message waiting, a will that waits, a retained
    message: each for an hour."""
    conn = Connect5(daemon.mqtt_port, name)
    equal(conn.subscribe((f"for/{name}", 1)), [1])
    conn.close()
    hub.until("it to be away", lambda: not [
        c for c in daemon.rest("GET", "/clients")["clients"]
        if c["id"] == name and c["connected"]])
    with mqtt.client(daemon.mqtt_port, V5, "writer") as writer:
        for retain, topic in ((False, f"for/{name}"), (True, f"kept/{name}")):
            writer.send(mqtt.publish(V5, topic, b"hour", 1, 1, retain,
                                     properties=EXPIRY + HOUR))
            assert writer.expect(mqtt.PUBACK).reason < 0x80
        writer.disconnect()


def keep(daemon, name, watcher):
    """All of it is still there, with about its hour to go, and no will came."""
    equal(watcher.ping(), [])
    with mqtt.client(daemon.mqtt_port, V5, "reader") as reader:
        equal(reader.subscribe((f"kept/{name}", 0)), [0])
        packets = [p for p in reader.ping() if p.kind == mqtt.PUBLISH]
        equal([p.payload for p in packets], [b"hour"], "retained")
        assert 1800 < left(packets[0]) <= 3600, left(packets[0])
        reader.disconnect()
    conn = Connect5(daemon.mqtt_port, name)
    assert conn.connack.present, "the session is gone"
    packet = conn.expect(mqtt.PUBLISH)
    equal(packet.payload, b"hour")
    assert 1800 < left(packet) <= 3600, left(packet)
    conn.send(mqtt.ack(mqtt.PUBACK, packet.id))
    equal(conn.ping(), [])
    conn.send(mqtt.disconnect(V5))
    conn.until_closed()
    conn.close()
    equal(watcher.ping(), [])


def jumps(clock, seconds, name):
    daemon = clock.daemon
    with mqtt.client(daemon.mqtt_port, V311, "watcher", keep_alive=60) as watcher:
        watcher.subscribe(("will/#", 1))
        promise(daemon, name)
        start = clock.now()
        clock.jump(seconds)
        moved = clock.now() - start
        assert abs(moved - seconds) < 1800, f"the clock moved by {moved:.0f} s"
        keep(daemon, name, watcher)
        promise(daemon, name + "again")
        keep(daemon, name + "again", watcher)
        watcher.disconnect()


def restart(clock, seconds, name):
    """A board without a clock of its own starts in another year. What was stored
    is there, and has its time before it still."""
    daemon = clock.daemon
    promise(daemon, name)
    equal(daemon.stop(), 0)
    clock.jump(seconds)
    daemon.start(new_ports=False)
    with mqtt.client(daemon.mqtt_port, V311, "watcher", keep_alive=60) as watcher:
        watcher.subscribe(("will/#", 1))
        keep(daemon, name, watcher)
        watcher.disconnect()


def since_1970(clock):
    """No clock chip: the hub starts in 1970 with what it stored, works there, and
    the network sets the clock while it runs. Its history goes on."""
    daemon = clock.daemon
    today = -clock.ahead
    daemon.rest("PUT", "/history/policies/kept%2F%23", {"keep": True})
    restart(clock, 60 - int(clock.now()), "start-1970")
    promise(daemon, "in-1970")
    with mqtt.client(daemon.mqtt_port, V311, "watcher", keep_alive=60) as watcher:
        watcher.subscribe(("will/#", 1))
        clock.jump(today - clock.ahead)
        keep(daemon, "in-1970", watcher)
        promise(daemon, "today")
        keep(daemon, "today", watcher)
        watcher.disconnect()
    equal(daemon.stop(), 0)
    daemon.start(new_ports=False)
    topics = json.dumps(daemon.rest("GET", "/history/topics"))
    for name in ("kept/in-1970", "kept/today"):
        assert f'"{name}"' in topics, topics


def main():
    clock = Clock()
    with clock.daemon as daemon:
        daemon.open_to_all()
        cases.case("ten years ahead", jumps, clock, 10 * YEAR, "ahead")
        cases.case("twenty years back", jumps, clock, -20 * YEAR, "back")
        cases.case("and a day ahead", jumps, clock, 24 * 3600, "day")
        cases.case("started twenty years back", restart, clock, -20 * YEAR,
                   "start-back")
        cases.case("started forty years ahead", restart, clock, 40 * YEAR,
                   "start-ahead")
        cases.case("started in 1970, and set to today", since_1970, clock)
        cases.case("and it ends cleanly", lambda: equal(daemon.stop(), 0))
    cases.end()


if __name__ == "__main__":
    sys.exit(main())
