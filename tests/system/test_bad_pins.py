"""Bad pins, made by tests/gpio/bad_pins.c: through the REST API of a hub, and as
configurations and commands for a hearth-gpiod whose hub is Debian's mosquitto,
which lets anybody send them. Each is refused by name, and nothing changes."""
import json
import os
import subprocess
import sys
import tempfile

import hub
import mqtt
from cases import Cases, equal
from mqtt import V5

cases = Cases()
NODE = "bad"
CONFIG = f"$hearth/gpio/{NODE}/config"
REPORT = f"$hearth/gpio/{NODE}/report"
COUNT = 230  # ten of each kind
GOOD = [{"name": "pump", "dir": "out", "line": 17},
        {"name": "door", "dir": "in", "line": 22}]


def made(what, first, count):
    """Lines of the program, as lists of bytes."""
    for where in ("tests/gpio", "../tests/gpio"):
        program = os.path.join(hub.BUILD, where, "bad_pins")
        if os.path.exists(program):
            break
    text = subprocess.run([program, what, str(first), str(count)], text=True,
                          check=True, capture_output=True).stdout
    return [[b"" if part == "-" else bytes.fromhex(part)
             for part in line.split()] for line in text.splitlines()]


def named(found, wanted):
    """A field too long for an error is told by its beginning."""
    return found == wanted or (len(found.encode()) >= 12 and
                               wanted.startswith(found))


# ---- REST -----------------------------------------------------------------

def through_rest(daemon):
    hub.until("the board", lambda: daemon.rest("GET", "/pins")["lines"])
    before = daemon.rest("GET", "/pins")["pins"]
    asked = 0
    for _, name, field, alone in made("configs", 0, COUNT):
        if not alone:
            continue
        body = json.loads(alone)
        del body["name"]
        status, _, answer = hub.request(
            daemon.web_port, "PUT", "/api/v1/pins/" + name.decode(), body,
            auth=daemon.auth)
        asked += 1
        if b"\\u0000" in alone:
            equal(status, 400, f"{alone}: {answer}")
            continue
        equal(status, 422, f"{alone}: {answer}")
        assert any(named(e["field"], field.decode()) and e["message"]
                   for e in answer["errors"]), (alone, answer)
    assert asked > 50, asked
    equal(daemon.rest("GET", "/pins")["pins"], before, "the pins")


# ---- a node ---------------------------------------------------------------

class Rig:
    """mosquitto, hearth-gpiod, and a client that hears and says it all."""

    def __init__(self, scratch):
        self.scratch = scratch
        port = hub.free_ports(1)[0]
        conf = os.path.join(scratch, "mosquitto.conf")
        with open(conf, "w", encoding="ascii") as file:
            file.write(f"listener {port} 127.0.0.1\nallow_anonymous true\n"
                       "max_queued_messages 0\n")
        self.broker = hub.Process(["mosquitto", "-c", conf])
        hub.until("mosquitto", lambda: hub.listening(port))
        self.node = hub.Process([
            hub.program("hearth-gpiod"), "--hub", f"127.0.0.1:{port}",
            "--node", NODE, "--backend", "sim", "--state-dir", scratch])
        self.conn = mqtt.Conn(port, V5)
        self.conn.connect("tester")
        self.conn.subscribe((REPORT, 0), (f"hearth/{NODE}/#", 0))

    def publish(self, topic, payload, retain=False):
        self.conn.send(mqtt.publish(V5, topic, payload, retain=retain))

    def next(self, topic):
        while True:
            packet = self.conn.expect(mqtt.PUBLISH)
            if packet.topic == topic:
                return json.loads(packet.payload)

    def configure(self, pins, revision):
        """Until a report has it; retained, as a hub does it."""
        self.publish(CONFIG, json.dumps({"revision": revision,
                                         "pins": pins}).encode(), True)
        while True:
            report = self.next(REPORT)
            if report["revision"] == revision:
                return report

    def state_file(self):
        path = os.path.join(self.scratch, "gpio.state")
        with open(path, "rb") as file:
            return os.stat(path).st_ino, file.read()

    def end(self):
        self.conn.close()
        status = self.node.end()
        self.broker.end()
        assert "Sanitizer" not in self.node.text(), self.node.text()
        equal(status, 0, "hearth-gpiod")


def configurations(rig):
    equal(rig.configure(GOOD, 1)["errors"], [], "errors")
    before = rig.state_file()
    for raw, pin, field, _ in made("configs", 0, COUNT):
        rig.publish(CONFIG, raw)
        errors = rig.next(REPORT)["errors"]
        assert any((e["pin"] or "") == pin.decode() and
                   named(e["field"] or "", field.decode()) and e["message"]
                   for e in errors), (raw[:500], errors)
    equal(rig.state_file(), before, "gpio.state")
    equal(rig.configure(GOOD, 2)["errors"], [], "errors")


def commands(rig):
    where = f"hearth/{NODE}/out/pump"
    rig.publish(where + "/set", b"ON")
    equal(rig.next(where + "/result"), {"applied": True, "state": "ON"})
    for count, (raw,) in enumerate(made("commands", 0, COUNT), 1):
        rig.publish(where + "/set", raw)
        error = rig.next(f"hearth/{NODE}/error")
        equal(error["count"], count, raw)
        equal(error["topic"], where + "/set")
        assert error["reason"]
        equal(rig.next(where + "/result")["applied"], False)
    rig.publish(where + "/set", b'{"state":"ON","id":"last"}')
    equal(rig.next(where + "/result"),
          {"applied": True, "state": "ON", "id": "last"})


def main():
    with hub.Hub(args=["--node", NODE]) as daemon:
        cases.case("REST refuses bad pins by field", through_rest, daemon)
        equal(daemon.stop(), 0, "exit status")
    with tempfile.TemporaryDirectory() as scratch:
        rig = Rig(scratch)
        cases.case("a node refuses bad configurations by pin and field",
                   configurations, rig)
        cases.case("a node refuses bad commands and counts them", commands,
                   rig)
        cases.case("and ends well", rig.end)
    cases.end()


if __name__ == "__main__":
    sys.exit(main())
