"""What hearthd tells systemd, and that its clients are told, too, when it stops."""
import os
import queue
import signal
import socket
import sys
import tempfile
import threading

import hub
import mqtt
from cases import Cases, equal
from mqtt import V311, V5

cases = Cases()


class Manager:
    """systemd's end of the notification socket: it reads all the time."""

    def __init__(self):
        self.dir = tempfile.mkdtemp(prefix="hearth-notify-")
        self.path = os.path.join(self.dir, "notify")
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.path)
        self.states = queue.Queue()
        self.feedings = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        while True:
            text = self.socket.recv(4096).decode()
            found = dict(x.split("=", 1) for x in text.splitlines())
            (self.feedings if "WATCHDOG" in found else self.states).put(found)

    def next(self):
        return self.states.get(timeout=hub.DEADLINE)

    def fed(self):
        for _ in range(3):
            self.feedings.get(timeout=hub.DEADLINE)

    def close(self):
        os.unlink(self.path)
        os.rmdir(self.dir)


def ready(daemon, manager):
    found = manager.next()
    equal(found["READY"], "1")
    assert "node test" in found["STATUS"], found


def reload(daemon, manager):
    """Also one that changes nothing, for what it cannot read, ends."""
    os.kill(daemon.pid, signal.SIGHUP)
    found = manager.next()
    equal(found["RELOADING"], "1")
    assert int(found["MONOTONIC_USEC"]) > 0
    equal(manager.next()["READY"], "1")


def stop(daemon, manager):
    """Clients of 5.0 are told why; no will is published, as nobody has died; and
    everything that was acknowledged is there again."""
    five = mqtt.client(daemon.mqtt_port, V5, "five",
                       will=("will/five", b"dead", 1, True))
    three = mqtt.client(daemon.mqtt_port, V311, "three")
    five.send(mqtt.publish(V5, "kept", b"value", 1, 3, retain=True))
    equal(five.expect(mqtt.PUBACK).reason, 0x10)
    equal(daemon.stop(signal.SIGTERM), 0)
    equal(five.expect(mqtt.DISCONNECT).reason, 0x8B)
    five.until_closed()
    three.until_closed()
    equal(manager.next()["STOPPING"], "1")
    daemon.start(new_ports=False)
    manager.next()
    reader = mqtt.client(daemon.mqtt_port, V5, "reader")
    reader.subscribe(("#", 0))
    got = reader.expect(mqtt.PUBLISH)
    equal((got.topic, got.payload), ("kept", b"value"))
    equal(reader.ping(), [])
    reader.disconnect()


def main():
    manager = Manager()
    env = {"NOTIFY_SOCKET": manager.path, "WATCHDOG_USEC": "200000"}
    with hub.Hub(hub.PLAIN, env=env) as daemon:
        cases.case("READY", ready, daemon, manager)
        cases.case("the watchdog is fed", manager.fed)
        cases.case("RELOADING and READY", reload, daemon, manager)
        daemon.open_to_all()
        cases.case("a graceful stop", stop, daemon, manager)
        equal(daemon.stop(), 0)
    manager.close()
    cases.end()


if __name__ == "__main__":
    sys.exit(main())
