"""The board as a Homie 5 device, as Debian's mosquitto_sub and Paho see it."""
import json
import os
import signal
import sys

import hub
import mqtt
from cases import Cases, equal
from mqtt import V311

cases = Cases()
BOARD = hub.PLAIN.replace("backend = off", "backend = sim")
SPOKEN = BOARD + "homie = yes\n"
# Where Debian keeps Paho.
DEBIAN_MODULES = "/usr/lib/python3/dist-packages"
USER = ("tester", "a long password")
DEVICE = "homie/5/test/"


class Controller:
    """A Homie controller: hears everything of the device, and sets."""

    def __init__(self, daemon):
        sys.path.append(DEBIAN_MODULES)
        # pylint: disable-next=import-outside-toplevel
        import paho.mqtt.client as paho
        version = getattr(paho, "CallbackAPIVersion", None)
        args = (version.VERSION1,) if version else ()
        self.heard = []
        self.client = paho.Client(*args)
        self.client.username_pw_set(*USER)
        self.client.on_message = lambda _c, _u, m: self.heard.append(
            (m.topic, m.payload.decode(), m.retain))
        self.client.on_connect = lambda c, *_: c.subscribe(DEVICE + "#", 1)
        self.client.connect("127.0.0.1", daemon.mqtt_port)
        self.client.loop_start()

    def wait(self, leaf, text, after=0):
        hub.until(f"{leaf} {text}, heard: {self.heard[after:]}", lambda: any(
            (topic, payload) == (DEVICE + leaf, text)
            for topic, payload, _ in self.heard[after:]))

    def set(self, leaf, text):
        self.client.publish(DEVICE + leaf + "/set", text, 1)

    def end(self):
        self.client.disconnect()
        self.client.loop_stop()


def retained(daemon, filter_=DEVICE + "#"):
    with mqtt.client(daemon.mqtt_port, V311, "retained", user=USER[0],
                     password=USER[1]) as conn:
        conn.send(mqtt.subscribe(V311, 1, (filter_, 0)))
        return {p.topic.removeprefix(DEVICE): p.payload.decode()
                for p in conn.ping() if p.kind == mqtt.PUBLISH and p.retain}


def gpiod_pid(daemon):
    with open(f"/proc/{daemon.pid}/task/{daemon.pid}/children",
              encoding="ascii") as file:
        for pid in file.read().split():
            with open(f"/proc/{pid}/comm", encoding="ascii") as comm:
                if comm.read().strip() == "hearth-gpiod":
                    return int(pid)
    return None


def ready(daemon):
    hub.until("ready", lambda: retained(daemon).get("$state") == "ready")


def described(daemon):
    hub.until("all nodes", lambda: json.loads(retained(daemon).get(
        "$description", "{}")).get("nodes", {}).keys() >= {
            "pump", "bell", "gas"})
    there = retained(daemon)
    about = json.loads(there["$description"])
    equal(about["homie"], "5.0")
    equal(about["nodes"]["pump"]["properties"]["state"],
          {"datatype": "boolean", "settable": True})
    # Whatever is described as retained has a value, and nothing else has.
    values = {f"{node}/{name}" for node, one in about["nodes"].items()
              for name, its in one["properties"].items()
              if its.get("retained", True)}
    equal({leaf for leaf in there if leaf[0] != "$"}, values)


def it_is_set(daemon):
    controller = Controller(daemon)
    controller.wait("pump/state", "false")
    seen = len(controller.heard)
    controller.set("pump/state", "true")
    controller.wait("pump/state", "true", seen)
    equal(retained(daemon, "hearth/test/out/pump"),
          {"hearth/test/out/pump": "ON"})
    seen = len(controller.heard)
    controller.set("pump/state", "maybe")
    controller.set("pump/state", "false")
    controller.wait("pump/state", "false", seen)
    daemon.rest("POST", "/sim/lines/24", {"press_ms": 50})
    controller.wait("bell/event", "press", seen)
    assert not any(kept for topic, _, kept in controller.heard
                   if topic.endswith("/event"))
    controller.end()


def killed_is_lost(daemon):
    controller = Controller(daemon)
    controller.wait("$state", "ready")
    seen = len(controller.heard)
    os.kill(gpiod_pid(daemon), signal.SIGKILL)
    controller.wait("$state", "lost", seen)
    controller.wait("$state", "ready", seen)
    controller.end()


def stopped_is_disconnected(daemon):
    """Not lost: the hub is up, and hearth-gpiod says goodbye."""
    controller = Controller(daemon)
    controller.wait("$state", "ready")
    seen = len(controller.heard)
    os.kill(gpiod_pid(daemon), signal.SIGTERM)
    controller.wait("$state", "disconnected", seen)
    controller.wait("$state", "ready", seen)
    assert (DEVICE + "$state", "lost", False) not in controller.heard[seen:]
    controller.end()


def what_is_removed_is_taken_away(daemon):
    daemon.rest("DELETE", "/pins/gas")
    hub.until("it to be gone", lambda: "gas" not in json.loads(
        retained(daemon)["$description"])["nodes"])
    hub.until("its values too", lambda: not [
        leaf for leaf in retained(daemon) if leaf.startswith("gas/")])


def what_is_stale_is_taken_away(daemon):
    """Whatever a board said that knows nothing of it any more."""
    with mqtt.client(daemon.mqtt_port, V311, "stale", user=USER[0],
                     password=USER[1]) as conn:
        conn.send(mqtt.publish(V311, DEVICE + "attic/state", b"true", 1, 1,
                               True))
        conn.expect(mqtt.PUBACK)
    os.kill(gpiod_pid(daemon), signal.SIGKILL)
    hub.until("it to be gone", lambda: "attic/state" not in retained(daemon))
    ready(daemon)


def off_leaves_nothing(daemon):
    equal(daemon.stop(), 0)
    daemon.config = BOARD
    daemon.start(new_ports=False)
    hub.until("nothing", lambda: not retained(daemon))


def main():
    with hub.Hub(config=SPOKEN) as daemon:
        daemon.claim()
        daemon.rest("PUT", f"/users/{USER[0]}", {"password": USER[1],
                                                 "kind": "device"})
        daemon.rest("POST", "/acl", {"user": USER[0], "filter": "#",
                                     "action": "readwrite",
                                     "effect": "allow"})
        for name, pin in {
                "pump": {"dir": "out", "line": 17},
                "bell": {"dir": "in", "line": 24, "kind": "button",
                         "active_low": True},
                "gas": {"dir": "in", "line": 25, "kind": "counter",
                        "unit": "m³", "per_unit": 100}}.items():
            daemon.rest("PUT", f"/pins/{name}", pin)
        ready(daemon)
        cases.case("everything is described and has its value", described,
                   daemon)
        cases.case("a controller sets and hears it", it_is_set, daemon)
        cases.case("a killed board is lost, and ready again", killed_is_lost,
                   daemon)
        cases.case("a stopped board is disconnected", stopped_is_disconnected,
                   daemon)
        cases.case("what is removed is taken away",
                   what_is_removed_is_taken_away, daemon)
        cases.case("what is stale is taken away", what_is_stale_is_taken_away,
                   daemon)
        cases.case("homie = no leaves nothing", off_leaves_nothing, daemon)
        equal(daemon.stop(), 0)
    cases.end()


if __name__ == "__main__":
    sys.exit(main())
