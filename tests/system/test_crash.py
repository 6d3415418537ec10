"""Acknowledged means on the disk: hearthd is killed in the middle of traffic, again
and again, and everything it has acknowledged must be there when it is back. Two of
them at a time, each with clients of one version of the protocol.

At the end the checker itself is checked: rows are taken out of state.db, and it
must miss each of them."""
import os
import random
import re
import sqlite3
import subprocess
import sys
import threading

import hub
import mqtt
from cases import Cases
from mqtt import V311, V5

KILLS = int(os.environ.get("HEARTH_KILLS", "200"))
WINDOW = 20
RETAINED_TOPICS = 10
# Messages of a publisher in one go: fewer than a session may queue, above which
# the broker drops, and says so.
AT_MOST = 800

cases = Cases()

# A quick machine makes some ten subscriptions a round, for a hundred rounds.
CONFIG = hub.PLAIN + "[limits]\nsubscriptions_per_session = 100000\n"


class Lost(AssertionError):
    """A promise was broken."""


class Traffic(threading.Thread):
    """Something that uses a connection until it breaks or it is told to stop."""

    def __init__(self, work, conn, stop):
        super().__init__(daemon=True)
        self.work, self.conn, self.stop = work, conn, stop
        self.error = None
        self.start()

    def run(self):
        try:
            self.work(self.conn, self.stop)
        except mqtt.Closed:
            pass
        except Exception as error:  # pylint: disable=broad-except
            self.error = error
        finally:
            self.conn.close()

    def end(self):
        self.join(hub.DEADLINE)
        assert not self.is_alive(), "traffic does not end"
        if self.error:
            raise self.error


class Client:
    """A durable session, and whether the broker has promised that it is."""

    def __init__(self, version, name):
        self.version, self.name = version, name
        self.promised = False

    def connect(self, port):
        options = {"clean": False}
        if self.version == V5:
            options["properties"] = b"\x11\0\0\x0e\x10"  # expiry: an hour
        conn = mqtt.Conn(port, self.version)
        conn.send(mqtt.connect(self.version, self.name, **options))
        connack = conn.expect(mqtt.CONNACK)
        assert connack.reason == 0, connack
        if self.promised and not connack.present:
            raise Lost(f"the session of {self.name} is gone")
        self.promised = True
        return conn


class Publisher1(Client):
    """QoS 1: a message is acknowledged, or sent again with DUP."""

    def __init__(self, version, name, topic):
        super().__init__(version, name)
        self.topic = topic
        self.number = self.limit = 0
        self.unacked = {}  # packet identifier -> number, in order
        self.acked = set()

    def payload(self, number):
        return b"%d" % number

    def topic_of(self, number):
        return self.topic

    def send(self, conn, packet_id, number, dup=False, retain=False):
        conn.send(mqtt.publish(self.version, self.topic_of(number),
                               self.payload(number), 1, packet_id, dup=dup,
                               retain=retain))

    def resume(self, conn):
        for packet_id, number in self.unacked.items():
            self.send(conn, packet_id, number, dup=True)

    def fill(self, conn):
        while len(self.unacked) < WINDOW and self.number < self.limit:
            packet_id = self.number % 60000 + 1
            self.unacked[packet_id] = self.number
            self.send(conn, packet_id, self.number)
            self.number += 1

    def take(self, packet):
        assert packet.kind == mqtt.PUBACK, packet
        if packet.reason >= 0x80:
            raise Lost(f"PUBACK {packet.reason:#x}")
        self.acked.add(self.unacked.pop(packet.id))

    def work(self, conn, stop):
        self.resume(conn)
        self.limit = self.number + AT_MOST
        while not stop.is_set():
            self.fill(conn)
            if self.unacked:
                self.take(conn.recv())
            else:
                stop.wait(0.01)

    def finish(self, port):
        conn = self.connect(port)
        self.resume(conn)
        while self.unacked:
            self.take(conn.recv())
        conn.disconnect()


class Retainer(Publisher1):
    """Retained messages, the topic's number growing; every 50th clears one."""

    def topic_of(self, number):
        return f"{self.topic}/{number % RETAINED_TOPICS}"

    def payload(self, number):
        return b"" if number % 50 == 49 else b"%d" % number

    def send(self, conn, packet_id, number, dup=False, retain=True):
        super().send(conn, packet_id, number, dup, retain)

    def check(self, port):
        """The last acknowledged value of each topic, or a later one."""
        with mqtt.client(port, V311, "retained-reader") as conn:
            conn.send(mqtt.subscribe(V311, 1, (self.topic + "/+", 0)))
            got = {p.topic: int(p.payload) for p in conn.ping()
                   if p.kind == mqtt.PUBLISH and p.retain}
        for index in range(RETAINED_TOPICS):
            numbers = range(index, self.number, RETAINED_TOPICS)
            last = max((n for n in numbers if n in self.acked), default=None)
            if last is None:
                continue
            allowed = {None if not self.payload(n) else n for n in numbers
                       if n >= last}
            value = got.get(f"{self.topic}/{index}")
            if value not in allowed:
                raise Lost(f"retained {self.topic}/{index} is {value}, "
                           f"acknowledged was {last}")


class Publisher2(Client):
    """QoS 2, the publisher's half: what it resumes with is what it knows."""

    def __init__(self, version, name, topic):
        super().__init__(version, name)
        self.topic = topic
        self.number = self.limit = 0
        self.open = {}  # packet identifier -> [number, released], in order
        self.complete = set()

    def send(self, conn, packet_id, number, dup=False):
        conn.send(mqtt.publish(self.version, self.topic, b"%d" % number, 2,
                               packet_id, dup=dup))

    def resume(self, conn):
        for packet_id, (number, released) in self.open.items():
            if released:
                conn.send(mqtt.ack(mqtt.PUBREL, packet_id))
            else:
                self.send(conn, packet_id, number, dup=True)

    def fill(self, conn):
        while len(self.open) < WINDOW and self.number < self.limit:
            # Identifiers come round soon: a stale one in the store would
            # swallow a message.
            packet_id = self.number % (2 * WINDOW) + 1
            if packet_id in self.open:
                return
            self.open[packet_id] = [self.number, False]
            self.send(conn, packet_id, self.number)
            self.number += 1

    def take(self, conn, packet):
        assert packet.kind in (mqtt.PUBREC, mqtt.PUBCOMP), packet
        state = self.open.get(packet.id)
        if packet.kind == mqtt.PUBREC:
            if packet.reason >= 0x80:
                raise Lost(f"PUBREC {packet.reason:#x}")
            assert state, f"PUBREC for {packet.id}, which is complete"
            state[1] = True
            conn.send(mqtt.ack(mqtt.PUBREL, packet.id))
        else:
            assert state and state[1], f"PUBCOMP for {packet.id}: {state}"
            self.complete.add(self.open.pop(packet.id)[0])

    def work(self, conn, stop):
        self.resume(conn)
        self.limit = self.number + AT_MOST
        while not stop.is_set():
            self.fill(conn)
            if self.open:
                self.take(conn, conn.recv())
            else:
                stop.wait(0.01)

    def finish(self, port):
        conn = self.connect(port)
        self.resume(conn)
        while self.open:
            self.take(conn, conn.recv())
        conn.disconnect()


class Subscriber(Client):
    """A durable subscription. Remembers QoS 2 identifiers over connections, as
    the specification asks of a client."""

    def __init__(self, version, name, topic, qos):
        super().__init__(version, name)
        self.topic, self.qos = topic, qos
        self.pending = set()
        self.got = []
        self.ends = set()

    def begin(self, port):
        conn = self.connect(port)
        assert conn.subscribe((self.topic, self.qos)) == [self.qos]
        conn.disconnect()

    def take(self, conn, packet):
        if packet.kind == mqtt.PUBREL:
            self.pending.discard(packet.id)
            conn.send(mqtt.ack(mqtt.PUBCOMP, packet.id))
            return
        assert packet.kind == mqtt.PUBLISH, packet
        assert packet.qos == self.qos, packet
        if packet.qos == 2:
            conn.send(mqtt.ack(mqtt.PUBREC, packet.id))
            if packet.id in self.pending:
                return
            self.pending.add(packet.id)
        else:
            conn.send(mqtt.ack(mqtt.PUBACK, packet.id))
        if packet.payload.startswith(b"end"):
            self.ends.add(packet.payload)
        else:
            self.got.append(int(packet.payload))

    def work(self, conn, stop):
        while not stop.is_set():
            self.take(conn, conn.recv())

    def drain(self, port, mark):
        """All that waits: up to the mark, which was published last, and until
        no handshake is open."""
        conn = self.connect(port)
        while mark not in self.ends or self.pending:
            try:
                self.take(conn, conn.recv())
            except TimeoutError:
                raise Lost(f"{self.name}: the last message or a PUBREL does "
                           f"not come, pending {self.pending}") from None
        conn.disconnect()

    def check(self, wanted, once):
        missing = wanted - set(self.got)
        if missing:
            raise Lost(f"{self.name} misses {len(missing)} of {len(wanted)}: "
                       f"{sorted(missing)[:5]}")
        if once and len(self.got) != len(set(self.got)):
            twice = sorted(n for n in set(self.got) if self.got.count(n) > 1)
            raise Lost(f"{self.name} got twice: {twice[:5]}")


class Filters(Client):
    """Subscriptions made and given up, each time until acknowledged."""

    def __init__(self, version, name):
        super().__init__(version, name)
        self.number = 0
        self.have, self.not_have = set(), set()

    def work(self, conn, stop):
        while not stop.is_set():
            name = f"filters/v{self.version}/{self.number}"
            self.number += 1
            conn.send(mqtt.subscribe(self.version, 1, (name, 1)))
            conn.expect(mqtt.SUBACK)
            self.have.add(name)
            if self.number % 3 == 0:
                gone = random.choice(sorted(self.have))
                self.have.remove(gone)
                conn.send(mqtt.unsubscribe(self.version, 2, gone))
                conn.expect(mqtt.UNSUBACK)
                self.not_have.add(gone)

    def check(self, port):
        conn = self.connect(port)
        other = mqtt.client(port, V311, "filters-probe")
        names = sorted(self.have | self.not_have)
        for at in range(0, len(names), 100):
            for i, name in enumerate(names[at:at + 100]):
                other.send(mqtt.publish(V311, name, b"x", 1, i + 1))
            for _ in names[at:at + 100]:
                other.expect(mqtt.PUBACK)
            got = set()
            for packet in conn.ping():
                assert packet.kind == mqtt.PUBLISH, packet
                conn.send(mqtt.ack(mqtt.PUBACK, packet.id))
                got.add(packet.topic)
            wanted = self.have & set(names[at:at + 100])
            if got - self.not_have < wanted:
                raise Lost(f"subscriptions gone: {sorted(wanted - got)[:5]}")
            if got & self.not_have:
                raise Lost("subscriptions back from the dead: "
                           f"{sorted(got & self.not_have)[:5]}")
        other.disconnect()
        conn.disconnect()


class House:
    """All of it together."""

    def __init__(self, version):
        v = self.version = version
        self.topics = (f"v{v}/q1", f"v{v}/q2")
        self.pub1 = Publisher1(v, f"pub1-{v}", self.topics[0])
        self.pub2 = Publisher2(v, f"pub2-{v}", self.topics[1])
        self.retainer = Retainer(v, f"retainer-{v}", f"v{v}/kept")
        self.off1 = Subscriber(v, f"offline1-{v}", self.topics[0], 1)
        self.off2 = Subscriber(v, f"offline2-{v}", self.topics[1], 2)
        self.on2 = Subscriber(v, f"online2-{v}", self.topics[1], 2)
        self.filters = Filters(v, f"filters-{v}")
        self.marks = 0

    def subscribers(self):
        return (self.off1, self.off2, self.on2)

    def publishers(self):
        return (self.pub1, self.pub2, self.retainer)

    def begin(self, port):
        for subscriber in self.subscribers():
            subscriber.begin(port)

    def progress(self):
        return (len(self.pub1.acked), len(self.pub2.complete),
                len(self.retainer.acked), len(self.filters.have),
                len(self.on2.got))

    def traffic_and_kill(self, daemon):
        """Everybody works until everybody got somewhere; then the plug."""
        stop = threading.Event()
        before = self.progress()
        goals = [random.randint(1, 150), random.randint(1, 60),
                 random.randint(1, 60), random.randint(1, 12), 1]
        threads = [Traffic(c.work, c.connect(daemon.mqtt_port), stop)
                   for c in (self.on2, self.filters) + self.publishers()]
        hub.until("traffic", lambda: any(t.error for t in threads) or all(
            now - then >= goal for now, then, goal in
            zip(self.progress(), before, goals)), 120, 0.001)
        daemon.kill()
        stop.set()
        for thread in threads:
            thread.end()

    def drain_and_kill(self, daemon):
        """The subscribers read a part of what waits; then the plug."""
        stop = threading.Event()
        goal = len(self.off2.got) + random.randint(1, 20)
        threads = [Traffic(c.work, c.connect(daemon.mqtt_port), stop)
                   for c in (self.off1, self.off2)]
        try:
            hub.until("a part of the queue", lambda: len(self.off2.got) >= goal,
                      5, 0.001)
        except TimeoutError:
            pass  # less was waiting: as good a moment as any
        daemon.kill()
        stop.set()
        for thread in threads:
            thread.end()

    def mark(self, port):
        self.marks += 1
        payload = b"end%d" % self.marks
        with mqtt.client(port, V311, "mark") as conn:
            for number, topic in enumerate(self.topics):
                conn.send(mqtt.publish(V311, topic, payload, 1 + number,
                                       number + 1))
                kind = (mqtt.PUBACK, mqtt.PUBREC)[number]
                conn.expect(kind)
        return payload

    def check(self, port):
        self.retainer.check(port)
        self.filters.check(port)
        for publisher in self.publishers():
            publisher.finish(port)
        mark = self.mark(port)
        for subscriber in self.subscribers():
            subscriber.drain(port, mark)
        self.off1.check(self.pub1.acked, once=False)
        self.off2.check(self.pub2.complete, once=True)
        self.on2.check(self.pub2.complete, once=True)


def one_round(daemon, house, drain):
    house.traffic_and_kill(daemon)
    daemon.start(new_ports=False)
    if drain:
        house.drain_and_kill(daemon)
        daemon.start(new_ports=False)
    house.check(daemon.mqtt_port)


def orderly(daemon, house):
    """A stop that was asked for keeps at least as much."""
    status = daemon.stop()
    assert status == 0, f"exit status {status}"
    daemon.start(new_ports=False)
    house.check(daemon.mqtt_port)


# ---- the checker is checked -----------------------------------------------

def take_out(daemon, statement):
    daemon.kill()
    with sqlite3.connect(os.path.join(daemon.data, "state.db")) as db:
        taken = db.execute(statement).rowcount
    db.close()
    assert taken == 1, f"{taken} rows for: {statement}"
    daemon.start(new_ports=False)


def fill(daemon, house):
    """Queued messages, retained ones and subscriptions to take one from."""
    stop = threading.Event()
    goals = (len(house.pub1.acked) + 50, len(house.pub2.complete) + 50,
             len(house.retainer.acked) + 50, len(house.filters.have) + 5)
    threads = [Traffic(c.work, c.connect(daemon.mqtt_port), stop)
               for c in house.publishers() + (house.filters,)]
    hub.until("traffic", lambda: any(t.error for t in threads) or all(
        now >= goal for now, goal in zip(house.progress(), goals)), 120, 0.001)
    stop.set()
    for thread in threads:
        thread.end()


def is_missed(daemon, version, statement):
    """A house of its own in the same hub: only a loss may fail it."""
    house = House(version)
    house.begin(daemon.mqtt_port)
    fill(daemon, house)
    take_out(daemon, statement)
    try:
        house.check(daemon.mqtt_port)
    except Lost as lost:
        print(f"# seen: {lost}")
        return
    raise AssertionError(f"not seen: {statement}")


CONTROLS = [
    "DELETE FROM queue WHERE (session, seq) = (SELECT session, seq + 3 FROM "
    "queue WHERE qos = 1 ORDER BY session DESC, seq LIMIT 1)",
    "DELETE FROM retained WHERE topic = 'v4/kept/3'",
    "DELETE FROM subscriptions WHERE filter = (SELECT max(filter) FROM "
    "subscriptions WHERE filter LIKE 'filters/%')",
    "DELETE FROM sessions WHERE id = (SELECT max(id) FROM sessions WHERE "
    "client LIKE 'offline2%')",
]


def duplicate_is_seen():
    subscriber = Subscriber(V311, "twice", "none", 2)
    subscriber.got = [1, 2, 3, 2]
    subscriber.check({1, 2, 3}, once=False)
    try:
        subscriber.check({1, 2, 3}, once=True)
    except Lost:
        return
    raise AssertionError("not seen")


def part(version, kills):
    """One hearthd and the clients of one version, in a process of its own."""
    with hub.Hub(config=CONFIG) as daemon:
        daemon.open_to_all()
        house = House(version)
        house.begin(daemon.mqtt_port)
        for number in range(kills):
            cases.case(f"kill -9 number {number + 1} loses nothing "
                       f"({mqtt.VERSION_NAMES[version]})", one_round,
                       daemon, house, number % 2)
        cases.case("an orderly stop loses nothing", orderly, daemon, house)
        cases.case("hearthd ends cleanly", lambda: check_stop(daemon))
    cases.end()


def begin_part(version, seed):
    return subprocess.Popen(
        [sys.executable, __file__, str(version), str(max(KILLS // 2, 1))],
        env=dict(os.environ, HEARTH_SEED=str(seed + version)),
        stdout=subprocess.PIPE, text=True)


def end_part(child):
    """Its lines become ours, and so do its counts."""
    output, _ = child.communicate()
    counts = re.search(r"^(\d+) passed, (\d+) failed\n\Z", output, re.M)
    print(output[:counts.start()] if counts else output, end="", flush=True)
    cases.passed += int(counts.group(1)) if counts else 0
    cases.failed += int(counts.group(2)) if counts else 0
    assert counts, f"the part ended with {child.returncode}"


def controls():
    cases.case("the checker sees a duplicate", duplicate_is_seen)
    for statement in CONTROLS:
        with hub.Hub(config=CONFIG) as daemon:
            daemon.open_to_all()
            cases.case("the checker misses a row of " + statement.split()[2],
                       is_missed, daemon, V311, statement)


def main():
    seed = int(os.environ.get("HEARTH_SEED", random.randrange(1 << 30)))
    random.seed(seed)
    if len(sys.argv) > 1:
        part(int(sys.argv[1]), int(sys.argv[2]))
    print(f"# HEARTH_SEED={seed}")
    parts = [begin_part(version, seed) for version in (V311, V5)]
    for version, child in zip((V311, V5), parts):
        cases.case(f"all rounds end ({mqtt.VERSION_NAMES[version]})", end_part,
                   child)
    controls()
    cases.end()


def check_stop(daemon):
    status = daemon.stop()
    assert status == 0, f"exit status {status}"
    assert not [line for line in daemon.logged() if " error " in line]


if __name__ == "__main__":
    sys.exit(main())
