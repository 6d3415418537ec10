"""Every limit is an ordinary event: whoever reaches it is told or held back, nobody
else notices, and it is over when the cause is."""
import os
import resource
import sys
import threading
import time

import hub
import mqtt
from cases import Cases, equal
from mqtt import V311, V5

cases = Cases()

LIMITS = hub.PLAIN + """
[limits]
packet_size = 65536
queue_messages = 200
queue_bytes = 65536
"""


class Small(hub.Hub):
    """A hub with few descriptors."""

    DESCRIPTORS = 100

    def _argv(self):
        return ["prlimit", f"--nofile={self.DESCRIPTORS}:{self.DESCRIPTORS}",
                "--"] + super()._argv()


def process_clock(pid):
    """Seconds of processor time a process has used, from /proc."""
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def not_spinning(daemon):
    """A busy loop would use what the machine lets it have of this second."""
    before = process_clock(daemon.pid)
    time.sleep(1)
    used = process_clock(daemon.pid) - before
    assert used < 0.3, f"{used:.2f} s of processor time while full"


def served(conn, payload):
    conn.send(mqtt.publish(V311, "still/here", payload))
    equal(conn.expect(mqtt.PUBLISH).payload, payload)


def can_connect(daemon):
    conn = mqtt.Conn(daemon.mqtt_port, V311)
    try:
        conn.send(mqtt.connect(V311, "afterwards"))
        return conn.recv(2).reason == 0
    except (mqtt.Closed, TimeoutError):
        return False
    finally:
        conn.close()


def clients_leave_descriptors(daemon):
    """However many clients come, some descriptors are not for them: who looks after
    the hub still can, and throws one out."""
    inside = mqtt.client(daemon.mqtt_port, V311, "inside")
    inside.subscribe(("still/here", 0))
    crowd = []
    for number in range(Small.DESCRIPTORS + 50):
        conn = mqtt.Conn(daemon.mqtt_port, V311)
        conn.send(mqtt.connect(V311, f"crowd{number}"))
        crowd.append(conn)
    hub.until("the others to be turned away", lambda: any(
        "turned away" in line for line in daemon.logged()))
    served(inside, b"x")
    assert not can_connect(daemon)
    not_spinning(daemon)
    known = [c["id"] for c in daemon.rest("GET", "/clients")["clients"]]
    assert "crowd0" in known and len(known) < Small.DESCRIPTORS, known
    daemon.rest("DELETE", "/clients/crowd0")
    equal([p.kind for p in crowd[0].until_closed()], [mqtt.CONNACK])
    hub.until("its place to be free", lambda: can_connect(daemon))
    served(inside, b"y")
    for conn in crowd:
        conn.close()
    hub.until("the door to open again", lambda: can_connect(daemon))
    inside.disconnect()


def descriptors_run_out(daemon):
    """With a crowd at the dashboard's door, too, there are none at all: further
    peers wait or are turned away; those who are in are served; there is no
    spinning; and when descriptors are back, so is the door."""
    inside = mqtt.client(daemon.mqtt_port, V311, "inside")
    inside.subscribe(("still/here", 0))
    crowd = [mqtt.Conn(port, V311) for _ in range(Small.DESCRIPTORS)
             for port in (daemon.web_port, daemon.mqtt_port)]
    hub.until("no descriptor to be left", lambda:
              hub.descriptors(daemon.pid) >= Small.DESCRIPTORS - 1)
    served(inside, b"x")
    not_spinning(daemon)
    served(inside, b"y")
    for conn in crowd:
        conn.close()
    hub.until("the door to open again", lambda: can_connect(daemon))
    equal(hub.request(daemon.web_port, "GET", "/healthz")[0], 200)
    inside.disconnect()


def packet_too_large(daemon):
    conn = mqtt.Conn(daemon.mqtt_port, V5)
    conn.send(mqtt.connect(V5, "large"))
    connack = conn.expect(mqtt.CONNACK)
    assert b"\x27\x00\x01\x00\x00" in connack.body, connack.body.hex()
    conn.send(mqtt.publish(V5, "large", bytes(65536)))
    got = conn.until_closed()
    equal((got[-1].kind, got[-1].reason), (mqtt.DISCONNECT, 0x95))
    conn.close()


def fill(daemon, version, name, payload):
    """A client that is away, and QoS 1 messages for it until one is refused. How
    many were acknowledged; the publisher's connection is closed by its end."""
    conn = mqtt.client(daemon.mqtt_port, V311, name, clean=False)
    conn.subscribe((name + "/#", 1))
    conn.disconnect()
    pub = mqtt.client(daemon.mqtt_port, version, name + "-pub")
    taken = 0
    while True:
        pub.send(mqtt.publish(version, name + "/a", payload(taken), 1,
                              taken + 1))
        try:
            reply = pub.expect(mqtt.PUBACK)
        except mqtt.Closed:
            assert version != V5
            break
        equal(reply.id, taken + 1)
        if reply.reason:
            equal((version, reply.reason), (V5, 0x97))
            break
        taken += 1
    pub.close()
    return taken


def queue_is_full(daemon):
    """What does not fit is refused, everything acknowledged arrives in order, the
    log tells of it once; and afterwards there is room again."""
    for version in (V311, V5):
        name = f"away{version}"
        equal(fill(daemon, version, name, lambda n: b"%d" % n), 200)
        conn = mqtt.Conn(daemon.mqtt_port, V311)
        assert conn.connect(name, clean=False).present
        got = []
        while len(got) < 200:
            packet = conn.expect(mqtt.PUBLISH)
            conn.send(mqtt.ack(mqtt.PUBACK, packet.id))
            got.append(int(packet.payload))
        equal(got, list(range(200)))
        equal(conn.ping(), [])
        def told():
            return [line for line in daemon.logged()
                    if f" {name}: " in line and "queue is full" in line]
        hub.until("the log to tell", told)
        equal(len(told()), 1, told())
        pub = mqtt.client(daemon.mqtt_port, version, "again")
        pub.send(mqtt.publish(version, name + "/a", b"again", 1, 1))
        equal(pub.expect(mqtt.PUBACK).reason, 0)
        equal(conn.expect(mqtt.PUBLISH).payload, b"again")
        pub.disconnect()
        conn.disconnect()


def queue_bytes(daemon):
    equal(fill(daemon, V5, "bytes", lambda n: bytes(10000)), 6)
    with mqtt.Conn(daemon.mqtt_port, V311) as conn:
        conn.connect("bytes", clean=False)
        got = [p for p in conn.ping() if p.kind == mqtt.PUBLISH]
        equal(len(got), 6)


def standing_still(daemon):
    """Somebody acknowledges nothing: its publisher waits, then it is put out, and
    the others have got every message."""
    stuck = mqtt.client(daemon.mqtt_port, V311, "stuck")
    stuck.subscribe(("stand/#", 1))
    other = mqtt.client(daemon.mqtt_port, V311, "moving")
    other.subscribe(("stand/#", 1))
    pub = mqtt.client(daemon.mqtt_port, V311, "stand-pub")
    count = 1500  # more than a window and a queue
    for number in range(1, count + 1):
        pub.send(mqtt.publish(V311, "stand/a", b"x", 1, number))
        equal(pub.expect(mqtt.PUBACK).id, number)
        packet = other.expect(mqtt.PUBLISH)
        other.send(mqtt.ack(mqtt.PUBACK, packet.id))
    stuck.until_closed()
    hub.until("the log to tell", lambda: any(
        "does not move" in line for line in daemon.logged()))
    stuck.close()
    other.disconnect()
    pub.disconnect()


def slow_reader(daemon):
    """Somebody subscribes to a flood and does not read it: memory has an end, and
    others get every message meanwhile."""
    slow = mqtt.client(daemon.mqtt_port, V311, "slow")
    slow.subscribe(("flood/#", 0))
    other = mqtt.client(daemon.mqtt_port, V311, "quick")
    other.subscribe(("flood/#", 0))
    pub = mqtt.client(daemon.mqtt_port, V311, "flooder")
    before = hub.memory(daemon.pid)["Private_Dirty"]
    seen, payload = 0, bytes(10000)
    for _ in range(60):
        pub.send(mqtt.publish(V311, "flood/a", payload) * 20)
        pub.ping()
        seen += len([p for p in other.ping() if p.kind == mqtt.PUBLISH])
    equal(seen, 1200)
    grown = hub.memory(daemon.pid)["Private_Dirty"] - before
    # 12 MB were sent; 2 MiB may wait for one socket.
    assert grown < 6 * 1024 or hub.sanitized(), f"{grown} KiB"
    slow.close()
    other.disconnect()
    pub.disconnect()


def too_many_subscriptions(daemon):
    """1000 in a session; the next is refused, and so is only that."""
    conn = mqtt.client(daemon.mqtt_port, V5, "subscriber")
    reasons = []
    for at in range(0, 1100, 100):
        reasons += conn.subscribe(*[(f"many/{i}/+", 0)
                                    for i in range(at, at + 100)])
    equal(reasons, [0] * 1000 + [0x97] * 100)
    conn.send(mqtt.publish(V5, "many/999/x", b"x"),
              mqtt.publish(V5, "many/1000/x", b"x"))
    equal([p.topic for p in conn.ping()], ["many/999/x"])
    conn.disconnect()


def takeover_storm(daemon):
    """The same client identifier from many sides at once: at the end there is
    one connection, and its subscription works."""
    errors = []

    def storm(number):
        for turn in range(60):
            conn = mqtt.Conn(daemon.mqtt_port, V311)
            try:
                conn.connect("twin", clean=(number + turn) % 2 == 0)
                conn.subscribe(("twin/#", 1))
                conn.send(mqtt.publish(V311, "twin/a", b"x", 1, 1))
            except mqtt.Closed:
                pass
            except Exception as error:  # pylint: disable=broad-except
                errors.append(error)
            finally:
                conn.close()
    fds = hub.descriptors(daemon.pid)
    threads = [threading.Thread(target=storm, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    equal(errors, [])
    last = mqtt.client(daemon.mqtt_port, V311, "twin")
    last.subscribe(("twin/#", 0))
    last.send(mqtt.publish(V311, "twin/a", b"last"))
    equal([p.payload for p in last.ping()], [b"last"])
    last.disconnect()
    hub.until("descriptors to be given back",
              lambda: hub.descriptors(daemon.pid) <= fds)


def takeover_is_told(daemon):
    first = mqtt.client(daemon.mqtt_port, V5, "taken")
    second = mqtt.client(daemon.mqtt_port, V5, "taken")
    got = first.until_closed()
    equal((got[-1].kind, got[-1].reason), (mqtt.DISCONNECT, 0x8E))
    second.disconnect()
    first.close()


def stop_is_told(daemon):
    """5.0 clients are told that the server shuts down."""
    conn = mqtt.client(daemon.mqtt_port, V5, "told")
    equal(daemon.stop(), 0)
    got = conn.until_closed()
    equal((got[-1].kind, got[-1].reason), (mqtt.DISCONNECT, 0x8B))
    conn.close()


def main():
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(
        resource.RLIMIT_NOFILE)[1],) * 2)
    with Small(config=hub.PLAIN) as daemon:
        daemon.open_to_all()
        cases.case("clients leave descriptors to others",
                   clients_leave_descriptors, daemon)
        cases.case("descriptors run out", descriptors_run_out, daemon)
        cases.case("and it ends cleanly", lambda: equal(daemon.stop(), 0))
    with hub.Hub(config=LIMITS) as daemon:
        daemon.open_to_all()
        cases.case("a packet is too large", packet_too_large, daemon)
        cases.case("a queue is full of messages", queue_is_full, daemon)
        cases.case("a queue is full of bytes", queue_bytes, daemon)
        cases.case("a subscriber stands still", standing_still, daemon)
        cases.case("a subscriber does not read", slow_reader, daemon)
        cases.case("too many subscriptions", too_many_subscriptions, daemon)
        cases.case("a takeover is told", takeover_is_told, daemon)
        cases.case("a storm of takeovers", takeover_storm, daemon)
        cases.case("clients are told of the end", stop_is_told, daemon)
    cases.end()


if __name__ == "__main__":
    sys.exit(main())
