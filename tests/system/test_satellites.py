#!/usr/bin/env python3
"""A second board whose hub is elsewhere: joined by TLS, configured from the hub,
safe without it, confined to its own topics, and gone when it is removed."""
import os
import signal

import hub
import mqtt
from cases import Cases, equal
from mqtt import V5
from programs import ctl
from test_tls import make_pki

CONF = """\
[hearth]
data_dir = {data}
node = house

[listener plain]
port = {mqtt}

[listener tls]
type = tls
port = TLS
tls_cert = PKI/chain.crt
tls_key = PKI/server.key

[web]
port = {web}

[gpio]
backend = sim
"""


def make_chain(pki):
    make_pki(pki)
    with open(os.path.join(pki, "chain.crt"), "w", encoding="ascii") as out:
        for name in ("server", "ca"):
            with open(os.path.join(pki, f"{name}.crt"),
                      encoding="ascii") as one:
                out.write(one.read())


class House:
    """A hub with a listener for TLS, and a place for satellites."""

    def __init__(self):
        (self.tls_port,) = hub.free_ports(1)
        self.hub = hub.Hub()
        self.pki = os.path.join(self.hub.scratch, "pki")
        self.satellites = []
        make_chain(self.pki)
        self.hub.config = CONF.replace("TLS", str(self.tls_port)).replace(
            "PKI", self.pki)

    def __enter__(self):
        self.hub.start()
        self.hub.claim()
        return self

    def __exit__(self, *unused):
        for satellite in self.satellites:
            satellite.process.process.kill()
            satellite.process.wait()
        self.hub.close()

    def add(self, name):
        return self.hub.rest("PUT", f"/nodes/{name}", {
            "hub": f"mqtts://127.0.0.1:{self.tls_port}"})

    def node(self, name):
        for node in self.hub.rest("GET", "/nodes")["nodes"]:
            if node["name"] == name:
                return node
        return None

    def online(self, name, wanted=True):
        hub.until(f"{name} to be {'on' if wanted else 'off'}line",
                  lambda: self.node(name)["online"] == wanted)

    def watch(self, name):
        conn = mqtt.client(self.hub.mqtt_port, V5, name,
                           user=self.hub.auth[0], password=self.hub.auth[1])
        return conn

    def retained(self, filter_):
        with self.watch("retained") as conn:
            conn.send(mqtt.subscribe(V5, 1, (filter_, 0)))
            return {p.topic: p.payload.decode() for p in conn.ping()
                    if p.kind == mqtt.PUBLISH and p.retain}

    def say(self, topic, payload):
        self.hub.rest("POST", "/publish", {"topic": topic,
                                           "payload": payload})


class Satellite:
    """A real hearth-gpiod on a simulated board, in a directory of its own."""

    def __init__(self, house, name, join):
        self.directory = os.path.join(house.hub.scratch, name)
        self.file = os.path.join(self.directory, "join")
        os.makedirs(self.directory, exist_ok=True)
        self.write(join)
        self.process = None
        self.start()
        house.satellites.append(self)

    def write(self, join, mode=0o600):
        with open(self.file, "w", encoding="utf-8") as out:
            out.write(join)
        os.chmod(self.file, mode)

    def start(self):
        self.process = hub.Process([
            hub.program("hearth-gpiod"), "--join", self.file, "--backend",
            "sim", "--state-dir", self.directory])

    def line(self, pattern):
        return hub.find_line(self.process, pattern)


def value_of(house, topic):
    return house.retained(topic).get(topic)


def switch(house, node, name, state):
    topic = f"hearth/{node}/out/{name}"

    def done():
        house.say(topic + "/set", state)
        return value_of(house, topic) == state
    hub.until(f"{topic} {state}", done)


def joins_and_is_configured(house):
    answer = house.add("garage")
    equal(answer["user"], "gpio/garage")
    assert answer["password"] in answer["join"]
    satellite = Satellite(house, "garage", answer["join"])
    house.online("garage")
    house.hub.rest("PUT", "/pins/pump?node=garage",
                   {"dir": "out", "line": 17, "failsafe": 1})
    # The same name and line on the hub's own board is another pin.
    house.hub.rest("PUT", "/pins/pump", {"dir": "out", "line": 17})
    hub.until("the pins to be taken",
              lambda: not house.node("garage")["pending"])
    equal(house.node("garage")["pins"], 1)
    equal(house.node("garage")["backend"], "sim")
    hub.until("the hub's own pump",
              lambda: value_of(house, "hearth/house/out/pump") == "OFF")
    switch(house, "garage", "pump", "ON")
    equal(value_of(house, "hearth/house/out/pump"), "OFF")
    equal([p["name"] for p in
           house.hub.rest("GET", "/pins?node=garage")["pins"]], ["pump"])
    return satellite


def keeps_nothing_but_its_state(satellite):
    known = {"gpio.state", "gpio.memory", "gpio.counts", "gpio.covers"}

    def kept():
        return {name for name in os.listdir(satellite.directory)
                if name not in ("join", "sysfs-sim")}
    # One may be on its way to its place, under the name it has meanwhile.
    hub.until(f"only {known}", lambda: kept() <= known)
    for name in kept() & known:
        with open(os.path.join(satellite.directory, name),
                  encoding="utf-8") as file:
            assert "password" not in file.read(), name


def is_confined(house, answer):
    """Whoever has its credential may be this board, and nothing else."""
    with mqtt.client(house.hub.mqtt_port, V5, "thief", user=answer["user"],
                     password=answer["password"]) as conn:
        for topic in ("hearth/house/out/pump/set", "hearth/house/status",
                      "hearth/shed/out/x/set", "$hearth/gpio/house/report",
                      "$hearth/gpio/garage/config", "anything"):
            conn.send(mqtt.publish(V5, topic, b"ON", qos=1, packet_id=7))
            equal(conn.expect(mqtt.PUBACK).reason, 0x87, topic)
        conn.send(mqtt.publish(V5, "hearth/garage/error", b"x", qos=1,
                               packet_id=8))
        assert conn.expect(mqtt.PUBACK).reason < 0x80
        # Granted as a filter, judged by each message: of others' come none.
        conn.send(mqtt.subscribe(V5, 9, ("#", 0), ("$hearth/#", 0)))
        conn.expect(mqtt.SUBACK)
        house.say("hearth/house/out/pump/set", "OFF")
        house.say("anything", "else")
        house.say("hearth/garage/out/last/set", "OFF")
        while True:
            came = conn.expect(mqtt.PUBLISH).topic
            assert "garage" in came or came == "homeassistant/status", came
            if came == "hearth/garage/out/last/set":
                break
    equal(value_of(house, "hearth/house/out/pump"), "OFF")


def is_safe_without_the_hub(house, satellite):
    switch(house, "garage", "pump", "ON")
    seen = len(satellite.process.errors)
    os.kill(house.hub.pid, signal.SIGSTOP)
    try:
        hub.until("the silence to be noticed", lambda: any(
            "hub: gone" in line for line in satellite.process.errors[seen:]))
    finally:
        os.kill(house.hub.pid, signal.SIGCONT)
    hub.until("the pump to be found safe", lambda: value_of(
        house, "hearth/garage/out/pump") == "OFF")
    house.hub.kill()
    # It starts without it, too, from what it has kept.
    satellite.process.end()
    satellite.start()
    satellite.line(r"1 pins from gpio.state")
    house.hub.start(new_ports=False)
    house.online("garage")
    hub.until("its state", lambda: value_of(
        house, "hearth/garage/out/pump") == "OFF")
    switch(house, "garage", "pump", "ON")


def one_that_does_not_come_back_is_offline(house, satellite):
    """Both die: what was said last is not so any more."""
    house.hub.kill()
    satellite.process.end(signal.SIGKILL)
    house.hub.start(new_ports=False)
    house.online("garage", False)
    hub.until("it to be said to all", lambda: value_of(
        house, "hearth/garage/status") == "offline")
    satellite.start()
    house.online("garage")


def another_authority_is_not_believed(house, satellite):
    satellite.process.end()
    house.online("garage", False)
    with open(satellite.file, encoding="utf-8") as file:
        right = file.read()
    other = os.path.join(house.hub.scratch, "other-pki")
    make_pki(other)
    with open(os.path.join(other, "ca.crt"), encoding="ascii") as file:
        wrong = right[:right.index("-----BEGIN")] + file.read()
    satellite.write(wrong)
    satellite.start()
    satellite.line(r"hub: not there: its certificate is not to be believed")
    assert not house.node("garage")["online"]
    satellite.process.end()
    # Nor by a file that others may read, or a name that is not the hub's.
    satellite.write(right, 0o644)
    satellite.start()
    satellite.line(r"chmod 600")
    assert satellite.process.wait() != 0
    satellite.write(right.replace("password", "server-name = other.example\n"
                                  "password", 1))
    satellite.start()
    satellite.line(r"not to be believed: hostname mismatch")
    satellite.process.end()
    satellite.write(right)
    satellite.start()
    house.online("garage")


def another_credential_ends_the_old_one(house, satellite):
    answer = house.hub.rest("POST", "/nodes/garage/credential", {
        "hub": f"mqtts://localhost:{house.tls_port}"})
    hub.until("it to be refused", lambda: any(
        "refuses us" in line for line in satellite.process.errors))
    house.online("garage", False)
    satellite.process.end()
    satellite.write(answer["join"])
    satellite.start()
    house.online("garage")


def is_gone_when_removed(house, satellite):
    assert house.retained("hearth/garage/#")
    house.hub.rest("DELETE", "/nodes/garage")
    hub.until("nothing to be left of it", lambda: not (
        house.retained("hearth/garage/#") or
        house.retained("$hearth/gpio/garage/#") or
        house.retained("+/device/hearth_garage/config")))
    equal(house.node("garage"), None)
    hub.until("it to be refused", lambda: any(
        "refuses us" in line for line in satellite.process.errors))
    assert satellite.process.running()
    # The hub's own board is what it was.
    equal(value_of(house, "hearth/house/status"), "online")
    equal(len(house.hub.rest("GET", "/pins")["pins"]), 1)
    # One of the same name begins with nothing.
    house.add("garage")
    equal(house.hub.rest("GET", "/pins?node=garage")["pins"], [])
    house.hub.rest("DELETE", "/nodes/garage")


def refusals(house):
    def refused(status, *args):
        try:
            house.hub.rest(*args)
        except hub.Refused as error:
            equal(error.status, status, args)
        else:
            raise AssertionError(f"not refused: {args}")
    good = {"hub": "mqtts://127.0.0.1:1"}
    for name in ("Shed", "a_b", "-a", "a%2fb", "x" * 33):
        refused(422, "PUT", f"/nodes/{name}", good)
    refused(409, "PUT", "/nodes/house", good)
    refused(404, "DELETE", "/nodes/house")
    refused(404, "DELETE", "/nodes/nowhere")
    refused(404, "POST", "/nodes/nowhere/credential", good)
    refused(404, "GET", "/pins?node=nowhere")
    refused(404, "PUT", "/pins/x?node=nowhere", {"dir": "in", "line": 4})
    for bad in ("mqtt://h", "mqtts://", "mqtts://h\nnode = x",
                "mqtts://h x", "mqtts://" + "h" * 300):
        refused(422, "PUT", "/nodes/shed", {"hub": bad})
    # By 127.0.0.1 nobody else finds it.
    refused(422, "PUT", "/nodes/shed", {})
    equal([n["name"] for n in house.hub.rest("GET", "/nodes")["nodes"]],
          ["house"])


def by_the_command_line(house):
    """hearthctl makes one, sets up its pins, renews and removes it."""
    at = f"mqtts://127.0.0.1:{house.tls_port}"
    daemon = house.hub
    join = ctl(daemon, "node", "add", "shed", "--hub", at)
    satellite = Satellite(house, "shed", join)
    house.online("shed")
    ctl(daemon, "pin", "set", "lamp", "dir=out", "line=17", "--node", "shed")
    switch(house, "shed", "lamp", "ON")
    assert "lamp" in ctl(daemon, "pin", "list", "--node", "shed")
    assert "lamp" not in ctl(daemon, "pin", "list")
    assert "gpio/shed" in ctl(daemon, "node", "list")
    satellite.process.end()
    satellite.write(ctl(daemon, "node", "renew", "shed", "--hub", at))
    satellite.start()
    house.online("shed")
    ctl(daemon, "pin", "del", "lamp", "--node", "shed")
    equal(house.node("shed")["pins"], 0)
    ctl(daemon, "node", "del", "shed")
    equal(house.node("shed"), None)
    satellite.process.end()


def one_made_after_a_reload_knows_what_counts(house):
    other = os.path.join(house.hub.scratch, "reload-pki")
    make_chain(other)
    house.hub.write((house.pki, other))
    ctl(house.hub, "reload")
    satellite = Satellite(house, "shed", house.add("shed")["join"])
    house.online("shed")
    satellite.process.end()
    house.hub.write(("type = tls", "type = tls\nusers = admin"))
    ctl(house.hub, "reload")
    equal(house.hub.rest("GET", "/nodes")["can_add"], False)
    house.hub.write()
    ctl(house.hub, "reload")
    equal(house.hub.rest("GET", "/nodes")["can_add"], True)
    house.hub.rest("DELETE", "/nodes/shed")


def its_number_is_limited(house):
    room = 16 + 1 - len(house.hub.rest("GET", "/nodes")["nodes"])
    for i in range(room):
        house.add(f"n{i}")
    try:
        house.add("one-more")
    except hub.Refused as error:
        equal(error.status, 409)
        assert "16" in error.body["detail"], error.body
    else:
        raise AssertionError("a seventeenth")
    for i in range(room):
        house.hub.rest("DELETE", f"/nodes/n{i}")


def another_name_takes_the_old_topics_away(house):
    """hearth.conf calls the hub's own board otherwise."""
    hub.until("its state", lambda: value_of(house, "hearth/house/out/pump"))
    house.hub.stop()
    house.hub.config = house.hub.config.replace("node = house",
                                                "node = villa")
    house.hub.start(new_ports=False)
    hub.until("the new name",
              lambda: value_of(house, "hearth/villa/out/pump"))
    hub.until("the old one to go", lambda: not (
        house.retained("hearth/house/#") or
        house.retained("$hearth/gpio/house/#") or
        house.retained("+/device/hearth_house/config")))
    equal(len(house.hub.rest("GET", "/pins")["pins"]), 1)


def main():
    cases = Cases()
    with House() as house:
        cases.case("what cannot be is refused", refusals, house)
        found = []
        if cases.case("a board joins by TLS and is set up from the hub",
                      lambda: found.append(joins_and_is_configured(house))):
            satellite = found[0]
            cases.case("it keeps its state, and no more",
                       keeps_nothing_but_its_state, satellite)
            with open(satellite.file, encoding="utf-8") as file:
                password = [line.split(" = ")[1].strip() for line in file
                            if line.startswith("password")][0]
            cases.case("it is confined to its own topics", is_confined, house,
                       {"user": "gpio/garage", "password": password})
            cases.case("without its hub it is safe, and comes back",
                       is_safe_without_the_hub, house, satellite)
            cases.case("one that does not come back is offline",
                       one_that_does_not_come_back_is_offline, house,
                       satellite)
            cases.case("another authority, name or mode is not believed",
                       another_authority_is_not_believed, house, satellite)
            cases.case("another credential ends the old one at once",
                       another_credential_ends_the_old_one, house, satellite)
            cases.case("removed, it is cut off and nothing is left of it",
                       is_gone_when_removed, house, satellite)
        cases.case("by the command line as well", by_the_command_line, house)
        cases.case("one made after a reload knows the new certificate",
                   one_made_after_a_reload_knows_what_counts, house)
        cases.case("there is a limit", its_number_is_limited, house)
        cases.case("another name in hearth.conf leaves nothing behind",
                   another_name_takes_the_old_topics_away, house)
    cases.end()


if __name__ == "__main__":
    main()
