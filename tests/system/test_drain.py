"""What waits for a device that is away, by the hundred thousand: it is drained, the
hub is killed in the middle of that, and nothing is lost or out of order.

Prints how long a start with all of it takes."""
import os
import sys
import time

import hub
import mqtt
from cases import Cases
from mqtt import V311

MANY = 100000
# QoS 2 costs four packets a message, one by one: a tenth says as much.
FEWER = 10000
BATCH = 500  # below what the hub may have unacknowledged from one client

CONFIG = hub.PLAIN + """
[limits]
queue_messages = 150000
queue_bytes = 67108864
queue_bytes_total = 134217728
retained = 150000
"""

cases = Cases()


def publish_all(port, name, count, topic_of, qos, retain=False):
    """Numbered messages, every one acknowledged."""
    kind = (None, mqtt.PUBACK, mqtt.PUBREC)[qos]
    with mqtt.client(port, V311, name) as conn:
        for first in range(0, count, BATCH):
            numbers = range(first, min(first + BATCH, count))
            ids = [number - first + 1 for number in numbers]
            conn.send(*[mqtt.publish(V311, topic_of(number), b"%d" % number,
                                     qos, number - first + 1, retain=retain)
                        for number in numbers])
            for packet_id in ids:
                assert conn.expect(kind).id == packet_id
            if qos == 2:
                conn.send(*[mqtt.ack(mqtt.PUBREL, i) for i in ids])
                for packet_id in ids:
                    assert conn.expect(mqtt.PUBCOMP).id == packet_id
        conn.disconnect()


class Absent:
    """A durable session at one QoS, and what it has been given so far."""

    def __init__(self, name, qos, count):
        self.name, self.qos, self.count = name, qos, count
        self.last = -1  # the highest number got
        self.again = 0  # messages that came once more after a kill
        self.pending = {}  # QoS 2 identifiers held -> number

    def begin(self, port):
        with mqtt.client(port, V311, self.name, clean=False) as conn:
            assert conn.subscribe((f"{self.name}/+", self.qos)) == [self.qos]
            conn.disconnect()

    def take(self, packet, first):
        """The answer to it; first: nothing has come on this connection yet."""
        if packet.kind == mqtt.PUBREL:
            self.pending.pop(packet.id, None)
            return mqtt.ack(mqtt.PUBCOMP, packet.id)
        number = int(packet.payload)
        assert packet.kind == mqtt.PUBLISH and packet.qos == self.qos, packet
        if self.pending.get(packet.id) == number:
            return mqtt.ack(mqtt.PUBREC, packet.id)
        assert packet.id not in self.pending, f"{packet}: identifier in use"
        if first and self.qos == 1 and number <= self.last:
            # What was not acknowledged, or whose row had not gone yet.
            self.again += self.last - number + 1
            self.last = number - 1
        assert number == self.last + 1, f"{number} came after {self.last}"
        self.last = number
        if self.qos == 1:
            return mqtt.ack(mqtt.PUBACK, packet.id)
        self.pending[packet.id] = number
        return mqtt.ack(mqtt.PUBREC, packet.id)

    def drain(self, port, until):
        """Up to this number, and then let the connection be."""
        conn = mqtt.Conn(port, V311)
        assert conn.connect(self.name, clean=False).present, "session lost"
        first = True
        answers = []
        while self.last < until or (until + 1 == self.count and self.pending):
            packet = conn.recv()
            answers.append(self.take(packet, first))
            first = first and packet.kind != mqtt.PUBLISH
            # As a client that reads what there is and then answers.
            if len(answers) == 50 or b"" == conn.buffer:
                conn.send(*answers)
                answers.clear()
        conn.send(*answers)
        return conn


def worked(pid):
    """Milliseconds of processor time a process has used."""
    with open(f"/proc/{pid}/stat", encoding="ascii") as stat:
        fields = stat.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * 1000 / os.sysconf("SC_CLK_TCK")


def restart(daemon, what):
    """Killed and started; the time until a client is let in."""
    daemon.kill()
    began = time.monotonic()
    daemon.start(new_ports=False)
    mqtt.client(daemon.mqtt_port, V311, "first").disconnect()
    took = time.monotonic() - began
    print(f"# a start with {what}: {took * 1000:.0f} ms, of these "
          f"{worked(daemon.pid):.0f} of the processor", flush=True)


def fill(daemon, absent):
    port = daemon.mqtt_port
    for one in absent:
        one.begin(port)
        publish_all(port, f"to-{one.name}", one.count,
                    lambda n, one=one: f"{one.name}/{n % 7}", one.qos)
    publish_all(port, "retainer", MANY, lambda n: f"kept/{n}", 1, retain=True)


def drain_half(daemon, one):
    conn = one.drain(daemon.mqtt_port, one.count // 2)
    restart(daemon, f"{one.count // 2} of these gone")
    conn.close()


def drain_rest(daemon, one):
    one.drain(daemon.mqtt_port, one.count - 1).disconnect()
    conn = mqtt.client(daemon.mqtt_port, V311, one.name, clean=False)
    assert conn.ping() == [], "more than was published"
    conn.disconnect()
    print(f"# {one.name}: {one.count} in order, {one.again} of them twice")


def all_retained(daemon):
    with mqtt.client(daemon.mqtt_port, V311, "reader") as conn:
        conn.send(mqtt.subscribe(V311, 1, ("kept/#", 0)))
        got = {}
        while len(got) < MANY:
            packet = conn.recv()
            if packet.kind == mqtt.PUBLISH:
                got[packet.topic] = int(packet.payload)
    assert all(got[f"kept/{n}"] == n for n in range(MANY))


def main():
    absent = [Absent("once", 1, MANY), Absent("twice", 2, FEWER)]
    with hub.Hub(config=CONFIG) as daemon:
        daemon.open_to_all()
        cases.case(f"{MANY + FEWER} messages are queued, {MANY} retained",
                   fill, daemon, absent)
        cases.case("it starts again with them", restart, daemon,
                   f"{MANY + FEWER} queued and {MANY} retained")
        for one in absent:
            cases.case(f"half of the queue at QoS {one.qos}, then the plug",
                       drain_half, daemon, one)
            cases.case("the other half: none lost, none out of order"
                       + (", none twice" if one.qos == 2 else ""),
                       drain_rest, daemon, one)
        cases.case("all that was retained is there", all_retained, daemon)
        cases.case("hearthd ends cleanly", ends, daemon)
    cases.end()


def ends(daemon):
    status = daemon.stop()
    assert status == 0, f"exit status {status}"


if __name__ == "__main__":
    sys.exit(main())
