"""A damaged database: the house goes on, and people are told, in the log and by
REST."""
import os
import re
import sys

import hub
import mqtt
from cases import Cases, equal
from mqtt import V5

cases = Cases()


def kinds(daemon):
    return [n["kind"] for n in daemon.rest("GET", "/notices")["notices"]]


def away(daemon, name, filter_):
    """A durable session whose client has gone."""
    with mqtt.Conn(daemon.mqtt_port, V5) as conn:
        conn.send(mqtt.connect(V5, name, clean=False,
                               properties=b"\x11\0\0\x0e\x10"))
        equal(conn.expect(mqtt.CONNACK).reason, 0, "CONNACK")
        conn.subscribe((filter_, 1))


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


def main():
    cases.case("a damaged file is set aside, told, and deleted", damaged)
    cases.end()


if __name__ == "__main__":
    sys.exit(main())
