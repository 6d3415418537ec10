"""Topics as long and as deep as MQTT allows, from the wire to the disk and back."""
import sys

import hub
import mqtt
from cases import Cases, equal
from mqtt import V311, V5, VERSIONS, VERSION_NAMES

cases = Cases()

LONGEST = 65535
DEPTH = 200
CONF = hub.PLAIN + """
[limits]
packet_size = 400000
"""
EXPIRY = b"\x11\x00\x00\x0e\x10"  # of a session, an hour


def long_topic(start):
    """65,535 bytes of text, some of it not ASCII."""
    return start + "ü" * ((LONGEST - len(start)) // 2) + (
        "x" if (LONGEST - len(start)) % 2 else "")


def deep(levels, filler="level"):
    return "/".join([filler] * levels)


def exchange(daemon, version, filters, topic, expected):
    """expected of the filters match the topic, and only they."""
    with mqtt.client(daemon.mqtt_port, version, "sub") as sub, \
         mqtt.client(daemon.mqtt_port, version, "pub") as pub:
        for at, name in enumerate(filters):
            equal(sub.subscribe((name, 1), packet_id=at + 1), [1])
        for qos in (0, 1, 2):
            pub.send(mqtt.publish(version, topic, b"%d" % qos, qos, 7))
            if qos == 1:
                pub.expect(mqtt.PUBACK)
            if qos == 2:
                pub.expect(mqtt.PUBREC)
                pub.send(mqtt.ack(mqtt.PUBREL, 7))
                pub.expect(mqtt.PUBCOMP)
        got = [p for p in sub.ping() if p.kind == mqtt.PUBLISH]
        equal(sorted((p.payload, p.topic == topic) for p in got),
              sorted((b"%d" % qos, True) for qos in range(3)
                     for _ in range(expected)))
        pub.disconnect()
        sub.disconnect()


def longest(daemon, version):
    """One level as long as a topic can be; another differs in its last byte."""
    topic = long_topic("long")
    equal(len(topic.encode()), LONGEST)
    exchange(daemon, version, [topic], topic, 1)
    other = topic[:-1] + ("y" if topic.endswith("x") else "é")
    equal(len(other.encode()), LONGEST)
    exchange(daemon, version, [other], topic, 0)
    exchange(daemon, version, [other, "nothing/#"], topic, 0)


def longest_with_levels(daemon, version):
    topic = deep(DEPTH - 1, "a") + "/" + "b" * (LONGEST - 2 * (DEPTH - 1))
    equal(len(topic), LONGEST)
    exchange(daemon, version, ["/".join("+" * DEPTH)], topic, 1)
    exchange(daemon, version, [deep(DEPTH - 1, "a") + "/#"], topic, 1)


def deepest(daemon, version):
    """200 levels: literal, all '+', every other '+', '#' behind 199; and none that
    has one level more or less."""
    topic = deep(DEPTH)
    mixed = "/".join(["level", "+"] * (DEPTH // 2))
    for name in (topic, deep(DEPTH, "+"), mixed, deep(DEPTH - 1) + "/#",
                 topic + "/#", deep(DEPTH - 1, "+") + "/#"):
        exchange(daemon, version, [name], topic, 1)
    for name in (deep(DEPTH - 1, "+"), deep(DEPTH + 1, "+"),
                 deep(DEPTH - 1) + "/other", deep(DEPTH + 1)):
        exchange(daemon, version, [name], topic, 0)


def too_long(daemon):
    """A byte more does not fit into the field; what can be sent instead is a
    length that lies: the connection ends, the broker does not."""
    for version in VERSIONS:
        with mqtt.client(daemon.mqtt_port, version, "liar") as conn:
            conn.send(mqtt.packet(mqtt.PUBLISH, 0, b"\xff\xff" +
                                  b"a" * (LONGEST - 1)))
            got = conn.until_closed()
            equal([p.kind for p in got],
                  [mqtt.DISCONNECT] if version == V5 else [])


def too_deep(daemon):
    """A level more than we hold is refused, with nothing left behind."""
    with mqtt.client(daemon.mqtt_port, V5, "deep") as conn:
        for levels in (256, 1000, 32768):
            reasons = conn.subscribe((deep(levels, "+"), 0), ("fine", 0))
            assert reasons[0] >= 0x80 and reasons[1] == 0, reasons
        conn.send(mqtt.publish(V5, "fine", b"x"))
        equal([p.payload for p in conn.ping()], [b"x"])
        conn.disconnect()


def promised(daemon, topics):
    """A durable session and a retained message for each."""
    for at, topic in enumerate(topics):
        with mqtt.client(daemon.mqtt_port, V5, f"away{at}", clean=False,
                         properties=EXPIRY) as conn:
            equal(conn.subscribe((topic, 1)), [1])
            conn.disconnect()
    with mqtt.client(daemon.mqtt_port, V5, "writer") as writer:
        for topic in topics:
            writer.send(mqtt.publish(V5, topic, b"kept", 1, 1, True))
            equal(writer.expect(mqtt.PUBACK).reason, 0)
        writer.disconnect()


def over_a_kill(daemon):
    """Subscriptions, queued and retained messages of such topics are back after
    the plug was pulled."""
    topics = [long_topic("kept"), deep(DEPTH, "kept")]
    promised(daemon, topics)
    daemon.kill()
    daemon.start(new_ports=False)
    for at, topic in enumerate(topics):
        with mqtt.Conn(daemon.mqtt_port, V5) as conn:
            assert conn.connect(f"away{at}", clean=False,
                                properties=EXPIRY).present
            packet = conn.expect(mqtt.PUBLISH)
            equal((packet.topic == topic, packet.payload), (True, b"kept"))
            conn.send(mqtt.ack(mqtt.PUBACK, packet.id))
            with mqtt.client(daemon.mqtt_port, V311, "reader") as reader:
                reader.subscribe((topic, 0))
                equal([(p.topic == topic, p.payload, p.retain)
                       for p in reader.ping()], [(True, b"kept", True)])
            conn.send(mqtt.disconnect(V5))
            conn.until_closed()


def main():
    with hub.Hub(config=CONF) as daemon:
        daemon.open_to_all()
        for version in VERSIONS:
            name = VERSION_NAMES[version]
            cases.case(f"topics of 65,535 bytes, {name}", longest, daemon,
                       version)
            cases.case(f"the same with 200 levels, {name}",
                       longest_with_levels, daemon, version)
            cases.case(f"filters of 200 levels, {name}", deepest, daemon,
                       version)
        cases.case("a length that lies", too_long, daemon)
        cases.case("levels without end", too_deep, daemon)
        cases.case("both over kill -9", over_a_kill, daemon)
        cases.case("and it ends cleanly", lambda: equal(daemon.stop(), 0))
    cases.end()


if __name__ == "__main__":
    sys.exit(main())
