"""Subscriptions that begin with what was stored: $history/... over MQTT, by real
clients and against a publisher that never stops."""
import struct
import subprocess
import sys
import threading
import time

import hub
import mqtt
from cases import Cases, equal
from mqtt import V5, V31, V311, VERSION_NAMES

cases = Cases()

# Where the libraries of packages are, also when another python3 comes first.
DEBIAN_MODULES = "/usr/lib/python3/dist-packages"

TOPIC = "hearth/test/n" # the hub keeps what its own node says
STORED = 10000
MORE = 3000 # of those that come meanwhile are waited for
AHEAD = 8000 # at QoS 0 nothing else holds back who is faster than this reader
EXPIRY = b"\x11\x00\x00\x0e\x10"  # of a session, an hour
QUOTA, NOT_AUTHORIZED, FILTER_INVALID, SPECIFIC = 0x97, 0x87, 0x8F, 0x83


class Publisher:
    """Counts up on a topic, as fast as it is answered."""

    def __init__(self, daemon, qos, version=V5, topic=TOPIC):
        self.conn = mqtt.Conn(daemon.mqtt_port, version)
        self.conn.connect(f"publisher {qos}")
        self.qos, self.topic, self.next = qos, topic, 0
        self.thread = self.failure = None
        self.wanted = True
        self.most = None # it waits there for a reader, who could not make it

    def publish(self, count):
        """The next ones; they are the broker's when this is over."""
        numbers = range(self.next, self.next + count)
        self.conn.send(*(mqtt.publish(self.conn.version, self.topic,
                                      b"%d" % n, self.qos, n % 65535 + 1)
                         for n in numbers))
        if self.qos:
            for _ in numbers:
                equal(self.conn.expect(mqtt.PUBACK).reason & 0x80, 0)
        else:
            self.conn.send(mqtt.PING)
            self.conn.expect(mqtt.PINGRESP)
        self.next += count

    def _run(self):
        try:
            while self.wanted:
                if self.most is not None and self.next >= self.most:
                    time.sleep(0.001)
                else:
                    self.publish(50)
        except Exception as error:  # pylint: disable=broad-except
            self.failure = error

    def __enter__(self):
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *unused):
        self.wanted = False
        self.thread.join(hub.DEADLINE)
        self.conn.disconnect()
        if self.failure:
            raise self.failure

    def is_past(self, count):
        hub.until(f"{count} messages", lambda: self.failure or
                  self.next >= count, deadline=4 * hub.DEADLINE)
        if self.failure:
            raise self.failure


def stamp(packet):
    """The value of history-time of a PUBLISH, or None."""
    head = mqtt.text("history-time")
    at = packet.body.find(b"\x26" + head)
    if at < 0:
        return None
    at += 1 + len(head)
    size = struct.unpack_from(">H", packet.body, at)[0]
    return int(packet.body[at + 2:at + 2 + size])


def in_order(got, first, count):
    """first, first + 1, ..., and says in short where not."""
    equal(len(got), count)
    for at, n in enumerate(got):
        equal(n, first + at, f"behind {got[max(at - 3, 0):at]}")


def whole(daemon, version, qos):
    """Everything from 0 on, in order, each once: what was stored is marked, then
    comes what is published."""
    topic = f"{TOPIC}/{version}/{qos}"
    publisher = Publisher(daemon, qos, topic=topic)
    while publisher.next < STORED:
        publisher.publish(50)
    if qos == 0:
        publisher.most = STORED + AHEAD
    with publisher:
        publisher.is_past(STORED + 500)
        with mqtt.Conn(daemon.mqtt_port, version) as conn:
            conn.connect("late")
            conn.send(mqtt.subscribe(version, 1, (
                f"$history/since/86400/{topic}", qos)))
            equal(conn.expect(mqtt.SUBACK).reasons, [qos])
            stored, last, n = 0, 0, 0
            while n < STORED + MORE:
                got = conn.expect(mqtt.PUBLISH)
                equal((got.topic, got.payload), (topic, b"%d" % n))
                n += 1
                assert not got.retain
                if qos == 0:
                    publisher.most = max(n, STORED) + AHEAD
                if got.qos:
                    conn.send(mqtt.ack(mqtt.PUBACK, got.id))
                time_of = stamp(got)
                if time_of is not None:
                    equal(stored, n - 1, "a stored one behind a live one")
                    assert last <= time_of <= time.time() * 1000 + 1000
                    last, stored = time_of, n
            if version == V5:
                assert stored >= STORED, stored
            else:
                equal(stored, 0, "marked for a client that knows no marks")


def by_mosquitto(daemon, version):
    """As people do it."""
    topic = f"{TOPIC}/sub/{version}"
    publisher = Publisher(daemon, 1, topic=topic)
    while publisher.next < STORED:
        publisher.publish(50)
    with publisher:
        done = subprocess.run(
            ["mosquitto_sub", "-h", "127.0.0.1", "-p", str(daemon.mqtt_port),
             "-V", version, "-q", "1", "-C", str(STORED + MORE), "-F", "%p",
             "-t", f"$history/last/{STORED}/{topic}"],
            check=True, capture_output=True, text=True,
            timeout=4 * hub.DEADLINE)
    got = [int(line) for line in done.stdout.split()]
    first = got[0]
    assert 0 <= first <= publisher.next - STORED, first
    in_order(got, first, STORED + MORE)


def by_paho(daemon, version):
    """A library that acknowledges by itself, QoS 1."""
    sys.path.append(DEBIAN_MODULES)
    import paho.mqtt.client as paho
    topic = f"{TOPIC}/paho/{version}"
    publisher = Publisher(daemon, 1, topic=topic)
    publisher.publish(500)
    got, done = [], threading.Event()

    def on_message(_client, _userdata, message):
        got.append(int(message.payload))
        if len(got) == 1500:
            done.set()

    args = {"client_id": "paho", "protocol": version}
    if hasattr(paho, "CallbackAPIVersion"):
        args["callback_api_version"] = paho.CallbackAPIVersion.VERSION2
    client = paho.Client(**args)
    client.on_message = on_message
    with publisher:
        client.connect("127.0.0.1", daemon.mqtt_port)
        client.subscribe(f"$history/since/3600/{topic}", 1)
        client.loop_start()
        assert done.wait(4 * hub.DEADLINE), len(got)
        client.loop_stop()
        client.disconnect()
    in_order(got[:1500], 0, 1500)


def numbers(conn):
    """Payloads that came until an answer to a PINGREQ sent now."""
    return [int(p.payload) for p in conn.ping() if p.kind == mqtt.PUBLISH]


def over_a_restart(daemon):
    """What was stored is there after a stop; a session that was away gets what was
    published, not what was stored again."""
    topic = f"{TOPIC}/restart"
    publisher = Publisher(daemon, 1, topic=topic)
    publisher.publish(20)
    with mqtt.Conn(daemon.mqtt_port, V5) as conn:
        conn.connect("away", clean=False, properties=EXPIRY)
        conn.send(mqtt.subscribe(V5, 1, (f"$history/last/5/{topic}", 1)))
        equal(conn.expect(mqtt.SUBACK).reasons, [1])
        equal([int(conn.expect(mqtt.PUBLISH).payload) for _ in range(5)],
              list(range(15, 20)))
        conn.disconnect()
    publisher.publish(3)
    equal(daemon.stop(), 0)
    daemon.start(new_ports=False)
    with mqtt.Conn(daemon.mqtt_port, V5) as conn:
        assert conn.connect("away", clean=False, properties=EXPIRY).present
        equal([int(conn.expect(mqtt.PUBLISH).payload) for _ in range(3)],
              [20, 21, 22])
        conn.send(mqtt.unsubscribe(V5, 2, f"$history/last/5/{topic}"))
        equal(conn.expect(mqtt.UNSUBACK).reasons, [0])
    with mqtt.client(daemon.mqtt_port, V311, "late") as conn:
        conn.send(mqtt.subscribe(V311, 1, (f"$history/last/9/{TOPIC}/+", 0)))
        equal(conn.expect(mqtt.SUBACK).reasons, [0])
        equal([int(conn.expect(mqtt.PUBLISH).payload) for _ in range(9)],
              list(range(14, 23)))


def rules(daemon):
    """The rules of who subscribes hold for the filter and for each message."""
    daemon.rest("POST", "/acl", {"user": "*", "effect": "deny",
                                 "filter": "hearth/test/secret/#",
                                 "action": "read"})
    with mqtt.client(daemon.mqtt_port, V5, "teller") as conn:
        for where in ("secret/pin", "open/door"):
            conn.send(mqtt.publish(V5, f"hearth/test/{where}", b"1", 1, 1))
            conn.expect(mqtt.PUBACK)
        conn.send(mqtt.subscribe(
            V5, 1, ("$history/last/9/hearth/test/secret/#", 0),
            ("$history/last/2/hearth/test/+/+", 0)))
        equal(conn.expect(mqtt.SUBACK).reasons, [NOT_AUTHORIZED, 0])
        got = conn.expect(mqtt.PUBLISH)
        equal(got.topic, "hearth/test/open/door")
        equal([p.kind for p in conn.ping()], [])


def refused(daemon, version):
    """With a reason where the protocol has one."""
    wrong = ["$history/last/0/a", "$history/last/100001/a",
             "$history/first/1/a", "$history/since/noon/a", "$history/last/1",
             "$share/g/$history/last/1/a", "$history/last/1/$share/g/a"]
    with mqtt.Conn(daemon.mqtt_port, version) as conn:
        conn.connect("wrong")
        conn.send(mqtt.subscribe(version, 1, *((f, 1) for f in wrong)))
        answer = conn.expect(mqtt.SUBACK)
        reason = FILTER_INVALID if version == V5 else 0x80
        equal(answer.reasons[-len(wrong):], [reason] * len(wrong))
        if version == V5:
            assert b"at least one message is asked for" in answer.body


def main():
    with hub.Hub(config=hub.PLAIN) as daemon:
        daemon.open_to_all()
        # The budget of a day would thin what is stored out; here all is wanted.
        daemon.rest("PUT", "/history/limits",
                    {"days": 365, "budget_mb": 100000})
        for version in (V31, V311, V5):
            for qos in (0, 1):
                cases.case(f"{STORED} messages and a publisher that never "
                           f"stops, {VERSION_NAMES[version]}, QoS {qos}",
                           whole, daemon, version, qos)
        for name in ("mqttv311", "mqttv5"):
            cases.case(f"mosquitto_sub, {name}", by_mosquitto, daemon, name)
        for version in (V311, V5):
            cases.case(f"Paho, {VERSION_NAMES[version]}", by_paho, daemon,
                       version)
        cases.case("over a restart", over_a_restart, daemon)
        cases.case("rules", rules, daemon)
        for version in (V31, V311, V5):
            cases.case(f"malformed ones, {VERSION_NAMES[version]}", refused,
                       daemon, version)
        cases.case("and it ends cleanly", lambda: equal(daemon.stop(), 0))
    cases.end()


if __name__ == "__main__":
    sys.exit(main())
