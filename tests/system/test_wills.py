"""The hub is killed while clients with wills are connected: who does not come back
has its will published after half a minute, who does has not, and a stop says
nothing about anybody."""
import os
import sqlite3
import sys
import time

import hub
import mqtt
from cases import Cases, equal
from mqtt import V311

cases = Cases()
GRACE = 30  # LIMIT_WILL_GRACE


def come(daemon, name):
    conn = mqtt.Conn(daemon.mqtt_port, V311)
    conn.send(mqtt.connect(V311, name, will=(f"will/{name}", b"gone", 1, True)))
    equal(conn.expect(mqtt.CONNACK).reason, 0)
    return conn


def on_disk(daemon):
    with sqlite3.connect(os.path.join(daemon.data, "state.db"), 10) as db:
        rows = db.execute("SELECT client FROM wills ORDER BY client").fetchall()
    db.close()
    return [row[0] for row in rows]


def killed(daemon):
    lost, back = come(daemon, "lost"), come(daemon, "back")
    hub.until("both wills to be on disk",
              lambda: on_disk(daemon) == ["back", "lost"])
    daemon.kill()
    begun = time.monotonic()
    daemon.start(new_ports=False)
    lost.close()
    back.close()
    back = come(daemon, "back")
    with mqtt.client(daemon.mqtt_port, V311, "watcher", keep_alive=0) as watcher:
        equal(watcher.subscribe(("will/#", 1)), [1])
        got = []
        hub.until("the will", lambda: got.extend(
            p for p in watcher.ping() if p.kind == mqtt.PUBLISH) or got,
                  GRACE + hub.DEADLINE, 0.2)
        equal([(p.topic, p.payload) for p in got], [("will/lost", b"gone")])
        assert time.monotonic() - begun >= GRACE, "it came too early"
        watcher.send(mqtt.ack(mqtt.PUBACK, got[0].id))
        watcher.disconnect()
    hub.until("its row to be gone", lambda: on_disk(daemon) == ["back"])
    back.send(mqtt.disconnect(V311))
    back.close()
    hub.until("the other row to be gone", lambda: on_disk(daemon) == [])


def stopped(daemon):
    stays = come(daemon, "stays")
    hub.until("the will to be on disk", lambda: on_disk(daemon) == ["stays"])
    equal(daemon.stop(), 0)
    stays.close()
    equal(on_disk(daemon), [])
    daemon.start(new_ports=False)


def main():
    with hub.Hub(config=hub.PLAIN) as daemon:
        daemon.open_to_all()
        cases.case("killed: the will of who stays away", killed, daemon)
        cases.case("stopped: nobody has died", stopped, daemon)
        cases.case("and it ends cleanly", lambda: equal(daemon.stop(), 0))
    cases.end()


if __name__ == "__main__":
    sys.exit(main())
