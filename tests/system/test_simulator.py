"""The simulated board: what happens by itself and what goes wrong, as the house
sees it, with Debian's clients."""
import json
import subprocess
import sys

import hub
import mqtt
from cases import Cases, equal
from mqtt import V311

cases = Cases()
BOARD = hub.PLAIN.replace("backend = off", "backend = sim")


def topic(rest):
    return f"hearth/test/{rest}"


class Watcher(hub.Process):
    """mosquitto_sub on one topic; every message is a line."""

    def __init__(self, daemon, rest):
        super().__init__(["stdbuf", "-oL", "mosquitto_sub", "-h", "127.0.0.1",
                          "-p", str(daemon.mqtt_port), "-t", topic(rest)])

    def heard(self, what, condition):
        hub.until(f"{what}, heard: {self.lines}", lambda: condition(self.lines))


def retained(daemon, rest):
    with mqtt.client(daemon.mqtt_port, V311, "retained") as conn:
        conn.send(mqtt.subscribe(V311, 1, (topic(rest), 0)))
        found = [p.payload.decode() for p in conn.ping()
                 if p.kind == mqtt.PUBLISH and p.retain]
        return found[0] if found else None


def pub(daemon, rest, message):
    subprocess.run(["mosquitto_pub", "-h", "127.0.0.1", "-p",
                    str(daemon.mqtt_port), "-t", topic(rest), "-m", message],
                   check=True, timeout=hub.DEADLINE, capture_output=True)


def put(daemon, name, **fields):
    daemon.rest("PUT", f"/pins/{name}", fields)
    hub.until("the board to have it", lambda: not daemon.rest(
        "GET", "/pins")["pending"])


def line(daemon, number):
    return next(one for one in daemon.rest("GET", "/pins")["lines"]
                if one["line"] == number)


def simulate(daemon, number, **what):
    """Told, and until the board says that it has it."""
    daemon.rest("POST", f"/sim/lines/{number}", what)
    for key, value in what.items():
        hub.until(f"{key} {value}", lambda key=key, value=value: line(
            daemon, number)[key] == (None if value == "none" else value))


def a_door(daemon):
    put(daemon, "door", dir="in", line=22, kind="contact")
    watcher = Watcher(daemon, "in/door")
    watcher.heard("its rest", lambda lines: lines == ["ON"])
    simulate(daemon, 22, scenario="door")
    watcher.heard("it to move", lambda lines: lines[:3] == ["ON", "OFF", "ON"])
    simulate(daemon, 22, scenario="none")
    watcher.end()


def a_noisy_button(daemon):
    """Debounced, each time is one click, however the contacts chatter."""
    put(daemon, "bell", dir="in", line=24, kind="button", active_low=True,
        debounce_ms=20)
    watcher = Watcher(daemon, "in/bell/event")
    simulate(daemon, 24, scenario="noisy_button")
    watcher.heard("two clicks", lambda lines: len(
        [one for one in lines if "single" in one]) == 2)
    equal([one for one in watcher.lines if "double" in one], [])
    simulate(daemon, 24, scenario="none")
    watcher.end()


def a_flow_meter(daemon):
    put(daemon, "water", dir="in", line=25, kind="counter", interval=1,
        active_low=True)
    watcher = Watcher(daemon, "in/water/count")
    simulate(daemon, 25, scenario="flow_meter")
    watcher.heard("forty pulses", lambda lines: lines[-1:] == ["40"])
    simulate(daemon, 25, scenario="none")
    watcher.end()


def bounces(daemon):
    put(daemon, "raw", dir="in", line=6, debounce_ms=0)
    watcher = Watcher(daemon, "in/raw")
    watcher.heard("its rest", lambda lines: lines == ["ON"])
    simulate(daemon, 6, fault="bounce")
    daemon.rest("POST", "/sim/lines/6", {"level": 0})
    watcher.heard("seven changes", lambda lines: lines == [
        "ON", "OFF", "ON", "OFF", "ON", "OFF", "ON", "OFF"])
    simulate(daemon, 6, fault="none")
    watcher.end()


def lost_edges(daemon):
    watcher = Watcher(daemon, "error")
    before = int(retained(daemon, "in/water/count"))
    simulate(daemon, 25, fault="lost_events")
    daemon.rest("POST", "/sim/lines/25", {"press_ms": 5})

    def told(lines):
        return [one for one in lines if "came too fast" in one]
    hub.until("it to be told", lambda: told(watcher.lines))
    assert json.loads(told(watcher.lines)[0])["topic"] == topic("in/water")
    hub.until("all pulses", lambda: int(
        retained(daemon, "in/water/count")) == before + 3)
    simulate(daemon, 25, fault="none")
    watcher.end()


def an_io_error(daemon):
    """It is not said to be on, and is shown as what does not answer."""
    put(daemon, "pump", dir="out", line=17)
    hub.until("it", lambda: retained(daemon, "out/pump/status") == "online")
    simulate(daemon, 17, fault="io_error")
    pub(daemon, "out/pump/set", "ON")
    hub.until("the fault", lambda: retained(
        daemon, "out/pump/status") == "offline")
    equal(retained(daemon, "out/pump"), "OFF")
    simulate(daemon, 17, fault="none")
    pub(daemon, "out/pump/set", "ON")
    hub.until("its end", lambda: retained(
        daemon, "out/pump/status") == "online")
    equal(retained(daemon, "out/pump"), "ON")


def a_busy_line(daemon):
    simulate(daemon, 27, fault="busy")
    equal(line(daemon, 27)["consumer"], "another program")
    try:
        daemon.rest("PUT", "/pins/late", {"dir": "out", "line": 27})
        raise AssertionError("a line of another program was given")
    except hub.Refused as refused:
        equal(refused.status, 409)
    simulate(daemon, 27, fault="none")
    put(daemon, "late", dir="out", line=27)
    hub.until("it", lambda: retained(daemon, "out/late/status") == "online")


def main():
    with hub.Hub(config=BOARD) as daemon:
        daemon.open_to_all()
        hub.until("online", lambda: retained(daemon, "status") == "online")
        cases.case("a door opens and closes by itself", a_door, daemon)
        cases.case("a noisy button is one click a time", a_noisy_button, daemon)
        cases.case("a flow meter counts", a_flow_meter, daemon)
        cases.case("a contact bounces", bounces, daemon)
        cases.case("lost edges are told, and counted", lost_edges, daemon)
        cases.case("a line that fails is offline", an_io_error, daemon)
        cases.case("a line of another program is not given", a_busy_line,
                   daemon)
        equal(daemon.stop(), 0)
    cases.end()


if __name__ == "__main__":
    sys.exit(main())
