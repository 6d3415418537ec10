"""More of everything than a house has: what is acknowledged arrives, memory has an
end, and when the crowd has gone nothing is left of it."""
import sys

import hub
import mqtt
from cases import Cases, equal
from crowd import Crowd, raise_descriptors
from mqtt import V311, V5

cases = Cases()

# Under a sanitizer, whose own memory and time are no measure, fewer will do.
SANITIZED = hub.sanitized()
PEERS = 2000 if SANITIZED else 10000
TAKE_OVERS = 1000 if SANITIZED else 5000
AT_ONCE = 50
STORED = 400  # for one session, whose queue holds more

CONF = hub.PLAIN + f"""
[limits]
connections = {PEERS + 100}
"""


def stable_fds(daemon, count):
    hub.until(f"{count} descriptors",
              lambda: hub.descriptors(daemon.pid) <= count)


def sessions(daemon):
    """Of clients from outside."""
    return [one["id"] for one in daemon.rest("GET", "/clients")["clients"]
            if not one["id"].startswith("$")]


def fill(crowd):
    """All connect with a keep-alive and subscribe to a topic of their own."""
    for first in range(0, PEERS, 200):
        group = [crowd.open() for _ in range(min(200, PEERS - first))]
        for one in group:
            one.send(mqtt.connect(V311, f"idle{one.number}", keep_alive=65535),
                     mqtt.subscribe(V311, 1, (f"idle/{one.number}", 1)))
        crowd.until("CONNACK and SUBACK", lambda: all(
            len(one.packets) == 2 for one in group))
        for one in group:
            connack, suback = one.take()
            equal((connack.kind, connack.reason), (mqtt.CONNACK, 0))
            equal((suback.kind, suback.reasons), (mqtt.SUBACK, [1]))


def traffic(daemon, rounds):
    """Each of three reads all that two others send, at both QoS and in order."""
    readers = [mqtt.client(daemon.mqtt_port, V5, f"reader{n}") for n in range(3)]
    for conn in readers:
        equal(conn.subscribe(("traffic/+", 1)), [1])
    writers = [mqtt.client(daemon.mqtt_port, V5, f"writer{n}") for n in range(2)]
    for turn in range(rounds):
        for number, conn in enumerate(writers):
            conn.send(*[mqtt.publish(V5, f"traffic/{number}",
                                     b"%d" % (turn * 50 + at), at % 2, at + 1)
                        for at in range(50)])
        for conn in writers:
            equal([conn.expect(mqtt.PUBACK).id for _ in range(25)],
                  list(range(2, 51, 2)))
        for conn in readers:
            got = {"traffic/0": [], "traffic/1": []}
            for _ in range(100):
                packet = conn.expect(mqtt.PUBLISH)
                got[packet.topic].append(int(packet.payload))
                if packet.qos:
                    conn.send(mqtt.ack(mqtt.PUBACK, packet.id))
            for topic in got:
                equal(got[topic], list(range(turn * 50, turn * 50 + 50)))
    for conn in readers + writers:
        conn.disconnect()


def ten_thousand(daemon):
    """So many are connected and idle; some others talk meanwhile; each idle one
    gets what is sent to it alone; then all vanish."""
    fds = hub.descriptors(daemon.pid)
    before = hub.memory(daemon.pid)["Private_Dirty"]
    with Crowd(daemon.mqtt_port, V311) as crowd:
        fill(crowd)
        each = (hub.memory(daemon.pid)["Private_Dirty"] - before) * 1024 / PEERS
        print(f"# {PEERS} connections of {each:.0f} bytes with a session and a "
              f"subscription")
        assert each < 3000 or SANITIZED, f"{each:.0f} bytes a connection"
        traffic(daemon, 20)
        equal([one.number for one in crowd.members if one.packets], [])
        with mqtt.client(daemon.mqtt_port, V311, "caller") as caller:
            for first in range(0, PEERS, 500):
                caller.send(*[mqtt.publish(V311, f"idle/{n}", b"%d" % n, 1, 1)
                              for n in range(first, first + 500)])
                for _ in range(500):
                    caller.expect(mqtt.PUBACK)
            crowd.until("a message to each", lambda: all(
                one.packets for one in crowd.members))
            for one in crowd.members:
                equal([p.payload for p in one.take()], [b"%d" % one.number])
                one.send(mqtt.ack(mqtt.PUBACK, 1))
            caller.disconnect()
        equal([one.number for one in crowd.members if one.closed], [])
    stable_fds(daemon, fds)
    equal(sessions(daemon), [])


def round_of_take_overs(crowd, number):
    """AT_ONCE connections with one identifier. Each but one is told."""
    group = [crowd.open() for _ in range(AT_ONCE)]
    for one in group:
        one.send(mqtt.connect(V5, "twin", clean=False, keep_alive=65535,
                              properties=b"\x11\x00\x00\x0e\x10"))
    crowd.until("all but one to be taken over", lambda: sum(
        one.closed for one in group) == AT_ONCE - 1)
    for one in group:
        got = one.take()
        kinds = [p.kind for p in got if p.kind != mqtt.PUBLISH]
        equal(kinds, [mqtt.CONNACK, mqtt.DISCONNECT] if one.closed else
              [mqtt.CONNACK], f"round {number}")
        equal((got[0].kind, got[0].reason), (mqtt.CONNACK, 0))
        if one.closed:
            equal(got[-1].reason, 0x8E)
            crowd.drop(one)
    return next(one for one in group if not one.closed)


def take_over_storm(daemon):
    """Thousands of reconnects with one client identifier, faster than anybody can
    answer. What was acknowledged meanwhile waits in the one session, and of the
    connections nothing is left."""
    with mqtt.client(daemon.mqtt_port, V5, "twin", clean=False,
                     properties=b"\x11\x00\x00\x0e\x10") as first:
        equal(first.subscribe(("twin/#", 1)), [1])
        first.disconnect()
    writer = mqtt.client(daemon.mqtt_port, V5, "twin-writer")
    fds = hub.descriptors(daemon.pid)
    before, wrote, last = None, 0, None
    with Crowd(daemon.mqtt_port, V5) as crowd:
        rounds = TAKE_OVERS // AT_ONCE
        for number in range(rounds):
            while wrote < STORED * number // rounds:
                wrote += 1
                writer.send(mqtt.publish(V5, "twin/a", b"%d" % wrote, 1, 1))
                equal(writer.expect(mqtt.PUBACK).reason, 0)
            newest = round_of_take_overs(crowd, number)
            if last:
                crowd.until("the last of before to go", lambda: last.closed)
                equal(last.take()[-1].reason, 0x8E)
                crowd.drop(last)
            last = newest
            if number == rounds // 2:
                before = hub.memory(daemon.pid)["Private_Dirty"]
        grown = hub.memory(daemon.pid)["Private_Dirty"] - before
        print(f"# {TAKE_OVERS} take-overs; {grown} KiB more after the second half")
        assert grown < 2048 or SANITIZED, f"{grown} KiB"
        got = final_messages(crowd, last, wrote)
        equal(got, list(range(1, wrote + 1)))
        last.send(mqtt.disconnect(V5))
    writer.disconnect()
    stable_fds(daemon, fds)
    equal(sessions(daemon), ["twin"])


def final_messages(crowd, last, count):
    """Take over once more and read the whole queue, in order."""
    conn = crowd.open()
    conn.send(mqtt.connect(V5, "twin", clean=False,
                           properties=b"\x11\x00\x00\x0e\x10"))
    got = []

    def more():
        for packet in conn.take():
            if packet.kind == mqtt.PUBLISH:
                got.append(int(packet.payload))
                conn.send(mqtt.ack(mqtt.PUBACK, packet.id))
            elif packet.kind == mqtt.CONNACK:
                assert packet.present
        return len(got) >= count
    crowd.until("the whole queue", more)
    crowd.until("the one before to be told", lambda: last.closed)
    conn.send(mqtt.disconnect(V5))
    crowd.until("the end", lambda: conn.closed)
    return got


def main():
    raise_descriptors(PEERS + 500)
    with hub.Hub(config=CONF) as daemon:
        daemon.open_to_all()
        cases.case(f"{PEERS} idle connections, and traffic", ten_thousand,
                   daemon)
        cases.case(f"{TAKE_OVERS} reconnects with one client identifier",
                   take_over_storm, daemon)
        cases.case("and it ends cleanly", lambda: equal(daemon.stop(), 0))
    cases.end()


if __name__ == "__main__":
    sys.exit(main())
