"""Subscribing by content and type, as people do it: mosquitto_sub and the wire."""
import subprocess
import sys

import hub
import mqtt
from cases import Cases, equal
from mqtt import V5, V31, V311, VERSION_NAMES

cases = Cases()

EXPIRY = b"\x11\x00\x00\x0e\x10"  # of a session, an hour
FILTER_INVALID = 0x8F


def match_property(value):
    return b"\x26" + mqtt.text("match") + mqtt.text(value)


class Watcher:
    """mosquitto_sub that has subscribed; "end" is what it is told last."""

    def __init__(self, daemon, *args):
        self.process = hub.Process(
            ["stdbuf", "-oL", "mosquitto_sub", "-h", "127.0.0.1", "-p",
             str(daemon.mqtt_port), "-d", "-F", "got %t %p", *args])
        hub.find_line(self.process, r"^Subscribed ")

    def got(self):
        hub.find_line(self.process, r"^got \S+ end$")
        self.process.end()
        return [line[4:] for line in self.process.lines
                if line.startswith("got ") and not line.endswith(" end")]


def publish(daemon, *messages):
    """(topic, payload) or mosquitto_pub's arguments, in order."""
    for one in messages:
        argv = one if len(one) > 2 else ("-t", one[0], "-m", one[1])
        subprocess.run(["mosquitto_pub", "-h", "127.0.0.1", "-p",
                        str(daemon.mqtt_port), *argv], check=True,
                       timeout=hub.DEADLINE, capture_output=True)


HOUSE = [("zb/hall", '{"temperature":26.5,"battery":80}'),
         ("zb/attic", '{"temperature":19,"battery":12}'),
         ("zb/hall", "offline"),
         ("zb/cellar", '{"temperature":"26.5"}'),
         ("zb/cellar", '{"temperature":25.0000000000000000001}')]


def by_text(daemon, version):
    """Any client: it is nothing but a topic filter."""
    hot = Watcher(daemon, "-V", version, "-t",
                  "$match/temperature>25|$value=end/zb/+")
    either = Watcher(daemon, "-V", version, "-t",
                     "$match/battery<20|$value=offline|$value=end/zb/#")
    publish(daemon, *HOUSE, ("zb/x", "end"))
    equal(hot.got(), [f"{t} {p}" for t, p in (HOUSE[0], HOUSE[4])])
    equal(either.got(), [f"{t} {p}" for t, p in (HOUSE[1], HOUSE[2])])


def by_property(daemon):
    """MQTT 5: for each filter of the SUBSCRIBE."""
    watcher = Watcher(daemon, "-V", "5", "-D", "subscribe", "user-property",
                      "match", "$user.room=a/b+c|$value=end",
                      "-t", "zb/+", "-t", "other/#")
    property_ = ("-V", "5", "-D", "publish", "user-property", "room")
    publish(daemon, *HOUSE,
            (*property_, "a/b+c", "-t", "zb/hall", "-m", "one"),
            (*property_, "a/b", "-t", "zb/hall", "-m", "two"),
            (*property_, "a/b+c", "-t", "other/x", "-m", "three"),
            ("zb/x", "end"))
    equal(watcher.got(), ["zb/hall one", "other/x three"])


def retained(daemon):
    publish(daemon, ("-r", "-t", "kept/a", "-m", "3"),
            ("-r", "-t", "kept/b", "-m", "30"),
            ("-r", "-t", "kept/c", "-m", "end"))
    equal(Watcher(daemon, "-t", "$match/$value>10|$value=end/kept/+").got(),
          ["kept/b 30"])


def shared(daemon):
    """Two workers who want different jobs: each gets only what it wants."""
    first = Watcher(daemon, "-t", "$share/w/$match/n<5/jobs", "-t", "jobs-end")
    second = Watcher(daemon, "-t", "$share/w/$match/n>=5/jobs", "-t",
                     "jobs-end")
    publish(daemon, *[("jobs", '{"n":%d}' % n) for n in range(10)],
            ("jobs-end", "end"))
    equal(first.got(), ['jobs {"n":%d}' % n for n in range(5)])
    equal(second.got(), ['jobs {"n":%d}' % n for n in range(5, 10)])


def refused(daemon, version):
    """The reason and its place, to the client where it can be told, and in the
    log."""
    with mqtt.client(daemon.mqtt_port, version, f"wrong{version}") as conn:
        conn.send(mqtt.subscribe(version, 3, ("$match/temp>warm/zb/+", 0),
                                 ("zb/+", 0)))
        answer = conn.expect(mqtt.SUBACK)
        equal(answer.reasons,
              [FILTER_INVALID if version == V5 else 0x80, 0])
        why = b"predicate, byte 6: < <= > >= compare with a number"
        equal(why in answer.body, version == V5)
    hub.until("the log to say so", lambda: any(
        f"wrong{version}: predicate temp>warm refused: byte 6" in line
        for line in daemon.logged()))


def over_a_kill(daemon):
    """What an absent client subscribed to survives the plug with its predicate;
    only what fits has waited for it."""
    with mqtt.client(daemon.mqtt_port, V5, "away", clean=False,
                     properties=EXPIRY) as conn:
        conn.send(mqtt.subscribe(V5, 1, ("hot/+", 1),
                                 properties=match_property("v>25")))
        equal(conn.expect(mqtt.SUBACK).reasons, [1])
        conn.disconnect()
    for restart in range(2):
        with mqtt.client(daemon.mqtt_port, V5, "pub") as pub:
            for v in (20, 30):
                pub.send(mqtt.publish(V5, "hot/x", b'{"v":%d}' % v, 1, v))
                # 0x10: nobody wants it.
                equal(pub.expect(mqtt.PUBACK).reason, 0x10 if v < 25 else 0)
        if not restart:
            daemon.kill()
            daemon.start(new_ports=False)
    listed = daemon.rest("GET", "/clients/away/subscriptions")
    assert "$match/v>25/hot/+" in str(listed), listed
    with mqtt.Conn(daemon.mqtt_port, V5) as conn:
        assert conn.connect("away", clean=False, properties=EXPIRY).present
        equal([conn.expect(mqtt.PUBLISH).payload for _ in range(2)],
              [b'{"v":30}', b'{"v":30}'])
        equal([p.kind for p in conn.ping()], [])
        conn.send(mqtt.unsubscribe(V5, 2, "$match/v>25/hot/+"))
        equal(conn.expect(mqtt.UNSUBACK).reasons, [0])


def main():
    with hub.Hub(config=hub.PLAIN) as daemon:
        daemon.open_to_all()
        for name in ("mqttv31", "mqttv311", "mqttv5"):
            cases.case(f"mosquitto_sub, {name}", by_text, daemon, name)
        cases.case("mosquitto_sub with the user property", by_property, daemon)
        cases.case("retained messages", retained, daemon)
        cases.case("workers of one group", shared, daemon)
        for version in (V31, V311, V5):
            cases.case(f"a malformed one, {VERSION_NAMES[version]}", refused,
                       daemon, version)
        cases.case("over kill -9", over_a_kill, daemon)
        cases.case("and it ends cleanly", lambda: equal(daemon.stop(), 0))
    cases.end()


if __name__ == "__main__":
    sys.exit(main())
