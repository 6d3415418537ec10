"""The broker's thread never waits for the disk, whatever it is asked to keep."""
import os
import sys

import hub
import mqtt
from cases import Cases, equal
from mqtt import V311

cases = Cases()
# Not built with sanitizers, as the clock of test_clock.py.
SHIM = os.path.join(hub.BUILD, "tests", "system", "libsync_threads.so")


class Syncs:
    """What the preloaded library has noted since it was asked last."""

    def __init__(self, daemon):
        self.daemon = daemon
        self.path = os.path.join(daemon.scratch, "syncs")
        self.seen = 0
        daemon.env.update(LD_PRELOAD=SHIM, SYNC_THREADS=self.path)

    def new(self):
        with open(self.path, encoding="ascii") as lines:
            found = lines.read().split()
        new, self.seen = found[self.seen:], len(found)
        return new


def everything(port):
    """Something of all that a broker promises, twice over."""
    for turn in range(2):
        away = mqtt.Conn(port, V311)
        away.connect("away", clean=False)
        equal(away.subscribe(("a/#", 2), ("b", 1)), [2, 1])
        away.close()
        with mqtt.client(port, V311, "talker",
                         will=("a/will", "gone", 1, True)) as talker:
            for number in range(1, 60):
                qos = number % 2 + 1
                talker.send(mqtt.publish(V311, f"a/{number % 5}", b"x" * number,
                                         qos, number, retain=number % 3 == 0))
                talker.expect(mqtt.PUBACK if qos == 1 else mqtt.PUBREC)
                if qos == 2:
                    talker.send(mqtt.ack(mqtt.PUBREL, number))
                    talker.expect(mqtt.PUBCOMP)
            talker.send(mqtt.publish(V311, "a/0", b"", 1, 100, retain=True))
            talker.expect(mqtt.PUBACK)
        away = mqtt.Conn(port, V311)
        assert away.connect("away", clean=False).present
        away.send(mqtt.unsubscribe(V311, 3, "b"))
        while away.recv().kind != mqtt.UNSUBACK:
            pass
        away.close()
        gone = mqtt.client(port, V311, "away", clean=bool(turn))
        gone.disconnect()


def threads(pid):
    """Their names."""
    tasks = f"/proc/{pid}/task"
    names = []
    for task in os.listdir(tasks):
        with open(f"{tasks}/{task}/comm", encoding="ascii") as comm:
            names.append(comm.read().strip())
    return names


def other_threads_sync(daemon, syncs):
    assert {"broker", "store"} <= set(threads(daemon.pid)), threads(daemon.pid)
    assert "hearthd" in syncs.new(), "the start is not seen to sync"
    everything(daemon.mqtt_port)
    new = syncs.new()
    assert "store" in new, f"the store is not seen to sync: {new}"
    assert "broker" not in new, "the broker's thread has waited for the disk"
    print(f"# {len(new)} syncs, none by the broker")


def main():
    daemon = hub.Hub(config=hub.PLAIN)
    syncs = Syncs(daemon)
    with daemon:
        daemon.open_to_all()
        cases.case("whatever is kept, other threads wait for it",
                   other_threads_sync, daemon, syncs)
        cases.case("hearthd ends cleanly", lambda: equal(daemon.stop(), 0))
    cases.end()


if __name__ == "__main__":
    sys.exit(main())
