"""What becomes of the disk while hearthd runs and before it starts: full, read-only,
damaged. The house goes on, nothing is acknowledged that is not kept, and people are
told: in the log, in $SYS, by REST."""
import os
import re
import subprocess
import sys

import hub
import mqtt
from cases import Cases, equal
from mqtt import V5
from test_pins import NODE, Watcher, pub, switch_to, topic

QUOTA_EXCEEDED = 0x97

cases = Cases()


class TinyDisk(hub.Hub):
    """A hub whose data is on a disk of its own, that nobody else sees."""

    def __init__(self, megabytes, config=None, args=(), read_only=False):
        super().__init__(config, args)
        os.mkdir(self.data)
        self.megabytes = megabytes
        self.read_only = read_only

    def _argv(self):
        how = ["unshare", "-m"] if os.getuid() == 0 else ["unshare", "-Urm"]
        mount = (f"mount -t tmpfs -o size={self.megabytes}m,mode=700 tiny "
                 f"{self.data}")
        if self.read_only:
            mount += f" && mount -o remount,ro tiny {self.data}"
        return how + ["sh", "-c", mount + ' && exec "$@"', "sh"] + \
            super()._argv()

    def inside(self, name):
        return f"/proc/{self.pid}/root{self.data}/{name}"

    def fill(self):
        block = bytes(65536)
        with open(self.inside("big"), "wb", buffering=0) as out:
            try:
                while out.write(block):
                    pass
            except OSError:
                pass

    def make_room(self):
        os.unlink(self.inside("big"))


def can_have_disks():
    return subprocess.run(
        ["unshare", "-m" if os.getuid() == 0 else "-Urm", "mount", "-t",
         "tmpfs", "tiny", "/mnt"], capture_output=True, check=False
    ).returncode == 0


def store_state(daemon):
    return daemon.rest("GET", "/status")["store"]["state"]


def kinds(daemon):
    return [n["kind"] for n in daemon.rest("GET", "/notices")["notices"]]


def healthy(daemon):
    return hub.request(daemon.web_port, "GET", "/healthz")[0] == 200


def away(daemon, name, filter_):
    """A durable session whose client has gone."""
    with mqtt.Conn(daemon.mqtt_port, V5) as conn:
        conn.send(mqtt.connect(V5, name, clean=False,
                               properties=b"\x11\0\0\x0e\x10"))
        equal(conn.expect(mqtt.CONNACK).reason, 0, "CONNACK")
        conn.subscribe((filter_, 1))


def answer(conn, where, payload, packet_id, retain=False):
    conn.send(mqtt.publish(V5, where, payload, 1, packet_id, retain=retain))
    return conn.expect(mqtt.PUBACK).reason


def fill_until_refused(daemon, conn):
    """The publishes that were acknowledged before the first was not."""
    for number in range(1, 200):
        if answer(conn, "kept", b"%06d" % number + bytes(4000), number):
            return number - 1
    raise AssertionError("never refused")


def waiting(daemon):
    """What the one who was away gets now."""
    with mqtt.Conn(daemon.mqtt_port, V5) as conn:
        conn.send(mqtt.connect(V5, "away", clean=False,
                               properties=b"\x11\0\0\x0e\x10"))
        assert conn.expect(mqtt.CONNACK).present, "the session is gone"
        found = []
        for packet in conn.ping():
            if packet.kind == mqtt.PUBLISH:
                found.append(int(packet.payload[:6]))
                conn.send(mqtt.ack(mqtt.PUBACK, packet.id))
        conn.disconnect()
        return found


def full_and_room_again():
    with TinyDisk(96, hub.PLAIN) as daemon:
        daemon.open_to_all()
        away(daemon, "away", "kept")
        equal(store_state(daemon), "ok", "the store at first")
        daemon.fill()
        with mqtt.client(daemon.mqtt_port, V5, "pub") as conn:
            count = fill_until_refused(daemon, conn)
            assert count > 0, "nothing was acknowledged"
            equal(store_state(daemon), "refusing", "REST")
            assert not healthy(daemon), "/healthz says that all is well"
            assert "refusing" in kinds(daemon), kinds(daemon)
            hub.find_line(daemon.process, "the ballast is given up")
            hub.find_line(daemon.process, "is refused from now on")
            others_go_on(daemon, conn)

            daemon.make_room()
            hub.until("the store to take again",
                      lambda: store_state(daemon) == "ok")
            equal(answer(conn, "kept", b"%06d" % (count + 1), 60001), 0,
                  "with room again")
        assert os.path.exists(daemon.inside("ballast")), "no new ballast"
        equal(waiting(daemon), list(range(1, count + 2)), "what was kept")
        equal(daemon.stop(), 0, "the end")


def others_go_on(daemon, conn):
    """QoS 0, and QoS 1 to those who are there; the dashboard."""
    with mqtt.client(daemon.mqtt_port, V5, "there") as there:
        there.subscribe(("live/#", 1))
        conn.send(mqtt.publish(V5, "live/0", b"zero"))
        equal(there.expect(mqtt.PUBLISH).payload, b"zero", "QoS 0")
        equal(answer(conn, "live/1", b"one", 60002), 0, "QoS 1 to the living")
        equal(there.expect(mqtt.PUBLISH).payload, b"one", "QoS 1")
    equal(answer(conn, "retained", b"x", 60003, retain=True), QUOTA_EXCEEDED,
          "a retained value")
    assert daemon.rest("GET", "/clients") is not None


def pins_go_on():
    with TinyDisk(24, args=["--node", NODE]) as daemon:
        switch_to(daemon, "heater", "ON")
        watcher = Watcher(daemon, topic("out/#"))
        watcher.wait(topic("out/heater ON"))
        daemon.fill()
        # Something to be kept, so that the store notices.
        provoker = provoke(daemon)
        hub.until("the store to refuse",
                  lambda: store_state(daemon) == "refusing")
        for state in ("OFF", "ON", "OFF"):
            seen = len(watcher.process.lines)
            pub(daemon, topic("out/heater/set"), state)
            watcher.wait(topic(f"out/heater {state}"), seen)
        watcher.end()
        daemon.make_room()
        provoker.expect(mqtt.PUBACK)
        provoker.close()
        hub.until("the store to take again",
                  lambda: store_state(daemon) == "ok")


def provoke(daemon):
    """Something to be kept: whoever meets the full disk first gets no answer."""
    conn = mqtt.Conn(daemon.mqtt_port, V5)
    conn.connect("provoker")
    conn.send(mqtt.publish(V5, "kept", b"x" * 5000, 1, 1, retain=True))
    return conn


def read_only():
    with TinyDisk(24, hub.PLAIN, read_only=True) as daemon:
        hub.find_line(daemon.process, "serving from memory")
        assert not healthy(daemon), "/healthz says that all is well"
        status, _, _ = hub.request(daemon.web_port, "GET", "/")
        equal(status, 200, "the dashboard")
        equal(daemon.stop(), 0, "the end")


def damaged():
    with hub.Hub(hub.PLAIN) as daemon:
        daemon.open_to_all()
        away(daemon, "away", "kept")
        equal(daemon.stop(), 0, "the first end")
        with open(os.path.join(daemon.data, "state.db"), "r+b") as file:
            file.seek(4096)
            file.write(b"\xa5" * 2048)
        daemon.start()
        hub.find_line(daemon.process, r"state.db: is damaged: set aside as "
                                      r"state.db.corrupt-\d+T\d+Z")
        (notice,) = daemon.rest("GET", "/notices")["notices"]
        equal((notice["kind"], notice["file"], notice["why"],
               notice["instead"]),
              ("set_aside", "state.db", "damaged", "empty"), "the notice")
        daemon.rest("DELETE", "/notices/" + notice["subject"])
        equal(kinds(daemon), [], "after it was deleted")
        assert not re.search("corrupt", " ".join(os.listdir(daemon.data)))
        try:
            daemon.rest("DELETE", "/notices/state.db")
            raise AssertionError("state.db itself was deleted")
        except hub.Refused as error:
            equal(error.status, 404, "what was not set aside")
        equal(daemon.stop(), 0, "the second end")


def at_its_cap():
    """[store] state_mb: state.db is full, the disk is not."""
    with hub.Hub(config=hub.PLAIN + "[store]\nstate_mb = 16\nballast_mb = 1\n"
                 ) as daemon:
        daemon.open_to_all()
        equal(os.path.getsize(os.path.join(daemon.data, "ballast")), 1 << 20)
        with mqtt.client(daemon.mqtt_port, V5, "pub") as conn:
            count, reason = 0, 0
            while reason < 0x80 and count < 400:
                count += 1
                conn.send(mqtt.publish(V5, f"value/{count}", bytes(60000), 1,
                                       count, retain=True))
                reason = conn.expect(mqtt.PUBACK).reason
            equal(reason, QUOTA_EXCEEDED, f"publish {count}")
            assert 100 < count < 300, f"{count} of 60000 bytes in 16 MB"
            equal(store_state(daemon), "refusing", "REST")
            others_go_on(daemon, conn)
        size = os.path.getsize(os.path.join(daemon.data, "state.db"))
        assert size <= 16 << 20, f"state.db has {size} bytes"


def main():
    cases.case("state.db at its cap: what is new is refused", at_its_cap)
    cases.case("a damaged file is set aside, told, and deleted", damaged)
    if can_have_disks():
        cases.case("a full disk: what is acknowledged is kept, all else goes "
                   "on", full_and_room_again)
        cases.case("a full disk: pins go on", pins_go_on)
        cases.case("a disk that is read-only at the start", read_only)
    cases.end()


if __name__ == "__main__":
    sys.exit(main())
