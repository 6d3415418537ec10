"""What the tests of dialects have in common: a hub with a simulated board, and a user
who may do everything, as a home automation has."""
import contextlib
import os
import signal
import sys

import hub
import mqtt
from mqtt import V311

BOARD = hub.PLAIN.replace("backend = off", "backend = sim")
USER = ("tester", "a long password")
# Where Debian keeps Paho.
DEBIAN_MODULES = "/usr/lib/python3/dist-packages"


@contextlib.contextmanager
def running(config, pins=()):
    """A claimed hub; pins is a dictionary of them by name."""
    with hub.Hub(config=config) as daemon:
        daemon.claim()
        daemon.rest("PUT", f"/users/{USER[0]}", {"password": USER[1],
                                                 "kind": "device"})
        daemon.rest("POST", "/acl", {"user": USER[0], "filter": "#",
                                     "action": "readwrite",
                                     "effect": "allow"})
        for name, pin in dict(pins).items():
            daemon.rest("PUT", f"/pins/{name}", pin)
        yield daemon


def connect(daemon, client_id):
    return mqtt.client(daemon.mqtt_port, V311, client_id, user=USER[0],
                       password=USER[1])


def retained(daemon, *filters):
    """What is retained there, by topic."""
    with connect(daemon, "retained") as conn:
        conn.send(mqtt.subscribe(V311, 1, *((f, 0) for f in filters)))
        return {p.topic: p.payload.decode() for p in conn.ping()
                if p.kind == mqtt.PUBLISH and p.retain}


def keep(daemon, topic, payload):
    """Publish it, retained."""
    with connect(daemon, "keep") as conn:
        conn.send(mqtt.publish(V311, topic, payload, 1, 1, True))
        conn.expect(mqtt.PUBACK)


def signal_board(daemon, number):
    """To hearth-gpiod, which hearthd starts again."""
    with open(f"/proc/{daemon.pid}/task/{daemon.pid}/children",
              encoding="ascii") as file:
        for pid in file.read().split():
            with open(f"/proc/{pid}/comm", encoding="ascii") as comm:
                if comm.read().strip() == "hearth-gpiod":
                    os.kill(int(pid), number)
                    return
    raise AssertionError("no hearth-gpiod")


def kill_board(daemon):
    signal_board(daemon, signal.SIGKILL)


def restart(daemon, config):
    """With another hearth.conf, on the same ports."""
    status = daemon.stop()
    assert status == 0, f"the hub ended with {status}"
    daemon.config = config
    daemon.start(new_ports=False)


class Controller:
    """Paho's client: hears everything below some topics, and says. What is retained
    there it has heard from the beginning: no later seen() is before that."""

    def __init__(self, daemon, *filters):
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
        self.client.on_connect = lambda c, *_: c.subscribe(
            [(f, 1) for f in filters])
        subscribed = []
        self.client.on_subscribe = lambda *_: subscribed.append(True)
        self.client.connect("127.0.0.1", daemon.mqtt_port)
        self.client.loop_start()
        hub.until("the subscription", lambda: subscribed)
        # What is retained follows the answer; another answer follows that.
        self.client.subscribe("nothing/is/here")
        hub.until("what is retained", lambda: len(subscribed) > 1)

    def seen(self):
        return len(self.heard)

    def wait(self, topic, text, after=0):
        hub.until(f"{topic} {text}, heard: {self.heard[after:]}", lambda: any(
            (t, payload) == (topic, text)
            for t, payload, _ in self.heard[after:]))

    def say(self, topic, text):
        self.client.publish(topic, text, 1)

    def end(self):
        self.client.disconnect()
        self.client.loop_stop()
