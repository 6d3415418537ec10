"""Running a hub from day to day: who is kept out, and how that is seen."""
import os
import sys
import time

import hub
import mqtt
from cases import Cases, equal
from mqtt import V311, V5
from programs import ctl, ctl_json

cases = Cases()

FLAPPING = 5
CONFIG = hub.PLAIN + f"""
[limits]
flapping = {FLAPPING}
"""


def reason(daemon, name, version=V5, **options):
    """What a CONNECT is answered; None: the door is shut at once."""
    conn = mqtt.Conn(daemon.mqtt_port, version)
    try:
        conn.send(mqtt.connect(version, name, **options))
        return conn.expect(mqtt.CONNACK).reason
    except (mqtt.Closed, OSError):
        return None
    finally:
        conn.close()


def banned_client(daemon):
    """Thrown out at once, kept out over a restart, and let in again."""
    noisy = mqtt.client(daemon.mqtt_port, V5, "noisy")
    quiet = mqtt.client(daemon.mqtt_port, V5, "quiet")
    made = ctl(daemon, "ban", "add", "client", "noisy", "--reason",
               "fills the log").strip()
    equal(noisy.expect(mqtt.DISCONNECT).reason, 0x98)
    noisy.until_closed()
    noisy.close()
    equal(quiet.ping(), [])
    quiet.disconnect()
    equal(reason(daemon, "noisy"), 0x8A)
    equal(reason(daemon, "noisy", V311), 5)
    equal(daemon.stop(), 0)
    daemon.start(new_ports=False)
    equal(reason(daemon, "noisy"), 0x8A)
    equal(reason(daemon, "quiet"), 0)
    found = ctl_json(daemon, "ban", "list")["bans"]
    equal([(b["what"], b["reason"], b["by"]) for b in found],
          [("noisy", "fills the log", "admin")])
    ctl(daemon, "ban", "del", made)
    equal(reason(daemon, "noisy"), 0)
    ctl(daemon, "ban", "del", made, status=1)


def banned_address(daemon):
    """Not a byte is exchanged; the dashboard stays open, so that nobody locks
    himself out; and it is over when its time has come."""
    inside = mqtt.client(daemon.mqtt_port, V5, "inside")
    ctl(daemon, "ban", "add", "address", "127.0.0.0/8", "--for", "3600")
    equal(inside.expect(mqtt.DISCONNECT).reason, 0x98)
    inside.close()
    equal(reason(daemon, "x"), None)
    # The same again, for a shorter time.
    ctl(daemon, "ban", "add", "address", "127.0.0.1/8", "--for", "1")
    hub.until("the ban to end", lambda: reason(daemon, "x") == 0)
    equal(ctl_json(daemon, "ban", "list")["bans"], [])


def banned_user(daemon):
    auth = daemon.auth
    conn = mqtt.client(daemon.mqtt_port, V5, "phone", user=auth[0],
                       password=auth[1])
    made = ctl(daemon, "ban", "add", "user", auth[0]).strip()
    equal(conn.expect(mqtt.DISCONNECT).reason, 0x98)
    conn.close()
    equal(reason(daemon, "phone", user=auth[0], password=auth[1]), 0x8A)
    equal(reason(daemon, "phone"), 0)
    ctl(daemon, "ban", "del", made)
    equal(reason(daemon, "phone", user=auth[0], password=auth[1]), 0)


def notices(daemon, kind):
    return [n for n in ctl_json(daemon, "notices")["notices"]
            if n["kind"] == kind]


def flapping(daemon):
    """Told once, with where it comes from, and no line for each coming and
    going any more."""
    for _ in range(12):
        mqtt.client(daemon.mqtt_port, V311, "flapper").disconnect()
    hub.until("the notice", lambda: [n for n in notices(daemon, "flapping")
                                     if n["count"] == 12])
    found = notices(daemon, "flapping")[0]
    equal(found["subject"], "flapper")
    assert found["from"].startswith("127.0.0.1:"), found
    hub.until("the log to tell", lambda: any(
        "flapper" in x and "flapping" in x for x in daemon.logged()))
    lines = [x for x in daemon.logged() if "flapper" in x]
    equal(len([x for x in lines if "flapping" in x]), 1, lines)
    equal(len([x for x in lines if "connected as" in x]), FLAPPING, lines)


def fight(daemon):
    """Two of one identifier: both addresses are named, once."""
    addresses, open_now = [], []
    for _ in range(12):
        conn = mqtt.client(daemon.mqtt_port, V5, "twin")
        addresses.append(conn.address)
        open_now.append(conn)
    found = notices(daemon, "takeovers")
    equal([n["subject"] for n in found], ["twin"])
    equal((found[0]["from"], found[0]["other"]),
          (addresses[-1], addresses[-2]))
    told = hub.until("the log to tell", lambda: [
        x for x in daemon.logged() if "take it from each other" in x])
    equal(len(told), 1, told)
    assert addresses[FLAPPING] in told[0], told
    assert addresses[FLAPPING - 1] in told[0], told
    for conn in open_now:
        conn.close()


def damaged_file(daemon):
    """Set aside at the start, and told until somebody takes it away."""
    equal(daemon.stop(), 0)
    with open(os.path.join(daemon.data, "history.db"), "r+b") as file:
        file.write(b"\xff" * 512)
    daemon.start(new_ports=False)
    found = notices(daemon, "set_aside")
    equal(len(found), 1, found)
    assert found[0]["subject"].startswith("history.db.corrupt-"), found
    name, password = daemon.auth
    tool = mqtt.client(daemon.mqtt_port, V5, "tool", user=name,
                       password=password)
    tool.subscribe(("$SYS/broker/hearth/files set aside", 0))
    equal(tool.expect(mqtt.PUBLISH).payload, b"1")
    tool.disconnect()
    os.unlink(os.path.join(daemon.data, found[0]["subject"]))


def trace(daemon):
    """Of a client from its CONNECT on, without its password, in a file that only
    the hub may read; one at a time, the last eight kept."""
    name, password = daemon.auth
    path = ctl(daemon, "trace", "client", "traced", "--for", "60").strip()
    ctl(daemon, "trace", "topic", "#", status=1)
    conn = mqtt.client(daemon.mqtt_port, V5, "traced", user=name,
                       password=password)
    conn.subscribe(("in/#", 1))
    conn.send(mqtt.publish(V5, "in/here", b"21.5", 1, 7))
    equal(sorted(p.kind for p in (conn.recv(), conn.recv())),
          [mqtt.PUBLISH, mqtt.PUBACK])
    conn.disconnect()
    found = ctl_json(daemon, "trace", "show")["traces"][0]
    equal((found["running"], found["what"], found["file"]),
          (True, "traced", path))
    ctl(daemon, "trace", "stop")
    ctl(daemon, "trace", "stop", status=1)
    with open(path, encoding="utf-8") as file:
        lines = []

        def ended():
            lines.extend(file.readlines())
            return any("end: stopped" in line for line in lines)
        hub.until("the end of the trace", ended)
    text = "".join(lines)
    for wanted in ("CONNECT MQTT 5.0", "password given", "SUBSCRIBE id 1 in/#",
                   "> PUBLISH qos 1 id 7 in/here 4 bytes: 21.5",
                   "< PUBACK id 7", "DISCONNECT"):
        assert wanted in text, (wanted, text)
    assert password not in text
    equal(os.stat(path).st_mode & 0o777, 0o600)
    for _ in range(9):
        ctl(daemon, "trace", "topic", "home/#", "--max", "2048")
        ctl(daemon, "trace", "stop")
    kept = os.listdir(os.path.dirname(path))
    equal(len(kept), 8)
    assert os.path.basename(path) not in kept


RATED = hub.PLAIN + """
[limits]
message_rate = 50
"""


def held_back(daemon):
    """A sender of too much keeps its connection and loses nothing; it takes the
    time that its rate gives it, and others are as quick as ever."""
    name, password = daemon.auth
    receiver = mqtt.client(daemon.mqtt_port, V311, "receiver", user=name,
                           password=password)
    receiver.subscribe(("flood", 0), ("calm", 0))
    sender = mqtt.client(daemon.mqtt_port, V311, "sender")
    begin = time.monotonic()
    sender.send(*[mqtt.publish(V311, "flood", b"%d" % n) for n in range(150)])
    calm = mqtt.client(daemon.mqtt_port, V311, "calm")
    calm.send(mqtt.publish(V311, "calm", b"now"))
    got = [receiver.expect(mqtt.PUBLISH) for _ in range(151)]
    took = time.monotonic() - begin
    equal([p.payload for p in got if p.topic == "flood"],
          [b"%d" % n for n in range(150)])
    # 50 at once, then 100 at 50 a second: never sooner.
    assert took >= 1.9, took
    assert [p.topic for p in got].index("calm") < 150
    hub.until("the log to tell", lambda: any(
        "held back" in x and "sender" in x for x in daemon.logged()))
    sender.disconnect()


def main():
    with hub.Hub(CONFIG) as daemon:
        daemon.open_to_all()
        cases.case("a banned client", banned_client, daemon)
        cases.case("a banned address", banned_address, daemon)
        cases.case("a banned user", banned_user, daemon)
        cases.case("a client that comes and goes", flapping, daemon)
        cases.case("two clients of one identifier", fight, daemon)
        cases.case("a trace", trace, daemon)
        cases.case("a damaged file", damaged_file, daemon)
        equal(daemon.stop(), 0)
    with hub.Hub(RATED) as daemon:
        daemon.open_to_all()
        cases.case("a client that sends too much", held_back, daemon)
        equal(daemon.stop(), 0)
    cases.end()


if __name__ == "__main__":
    sys.exit(main())
