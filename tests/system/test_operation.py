"""Running a hub from day to day: who is kept out, and how that is seen."""
import sys

import hub
import mqtt
from cases import Cases, equal
from mqtt import V311, V5
from programs import ctl, ctl_json

cases = Cases()


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


def main():
    with hub.Hub(hub.PLAIN) as daemon:
        daemon.open_to_all()
        cases.case("a banned client", banned_client, daemon)
        cases.case("a banned address", banned_address, daemon)
        cases.case("a banned user", banned_user, daemon)
        equal(daemon.stop(), 0)
    cases.end()


if __name__ == "__main__":
    sys.exit(main())
