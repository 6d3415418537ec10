"""Sensors, covers and lights of a simulated board, set up over REST, with Debian's
clients."""
import json
import os
import sys

import hub
from cases import Cases, equal
from test_pins import NODE, Watcher, gpiod_pid, pub, retained, topic

cases = Cases()


def sysfs(daemon, path):
    """A file of the simulated /sys, wherever hearth-gpiod keeps it."""
    for where, _, _ in os.walk(daemon.scratch):
        if os.path.basename(where) == "sysfs-sim":
            return os.path.join(where, path)
    raise FileNotFoundError("sysfs-sim")


def put(daemon, name, **fields):
    daemon.rest("PUT", f"/devices/{name}", fields)
    settled(daemon)


def settled(daemon):
    hub.until("the board to have it", lambda: not daemon.rest(
        "GET", "/pins")["pending"])


def state(daemon, rest):
    return retained(daemon, topic(rest)).get(topic(rest))


def becomes(daemon, rest, value):
    hub.until(f"{rest} {value}", lambda: state(daemon, rest) == value)


def sensors(daemon):
    """Offered, set up, read, silent, and gone again."""
    offered = daemon.rest("GET", "/devices")["sources"]
    source = next(s["source"] for s in offered if s["kind"] == "ds18b20")
    put(daemon, "boiler", kind="ds18b20", source=source, interval=1)
    put(daemon, "air", kind="iio", source="bme280/in_pressure", interval=1)
    becomes(daemon, "sensor/boiler", "23.125")
    becomes(daemon, "sensor/air", "1013.25")
    # The demo's own.
    becomes(daemon, "sensor/cellar", "23.125")
    units = {d["name"]: d["measured_in"]
             for d in daemon.rest("GET", "/devices")["devices"]}
    equal((units["air"], units["boiler"]), ("hPa", "°C"))
    where = sysfs(daemon, f"bus/w1/devices/{source}/w1_slave")
    with open(where, "w", encoding="ascii") as file:
        file.write("72 01 4b 46 7f ff 0e 10 57 : crc=57 NO\n")
    hub.until("its value to be taken away",
              lambda: state(daemon, "sensor/boiler") is None)
    # The report follows.
    hub.until("the reason", lambda: [
        (e["pin"], e["message"])
        for e in daemon.rest("GET", "/pins")["errors"]] ==
            [("boiler", "its checksum is wrong")])
    daemon.rest("DELETE", "/devices/boiler")
    daemon.rest("DELETE", "/devices/air")
    hub.until("the air to be gone",
              lambda: state(daemon, "sensor/air") is None)


def cover(daemon):
    """Two interlocked outputs, found its end, half open, stopped by safety."""
    daemon.rest("PUT", "/pins/up", {"dir": "out", "line": 5,
                                    "interlock": "blind", "dead_ms": 50})
    daemon.rest("PUT", "/pins/down", {"dir": "out", "line": 6,
                                      "interlock": "blind"})
    put(daemon, "blind", kind="cover", up="up", down="down", up_time=4,
        down_time=4, end_time=0.2)
    becomes(daemon, "cover/blind", "stopped")
    pub(daemon, topic("cover/blind/set"), "CLOSE", "-q", "1")
    becomes(daemon, "cover/blind", "closed")
    equal(state(daemon, "cover/blind/position"), "0")
    pub(daemon, topic("cover/blind/set"), '{"position":50}', "-q", "1")
    becomes(daemon, "cover/blind", "open")
    assert abs(int(state(daemon, "cover/blind/position")) - 50) < 45
    equal((state(daemon, "out/up"), state(daemon, "out/down")),
          ("OFF", "OFF"))
    # What drives it cannot go.
    try:
        daemon.rest("DELETE", "/pins/up")
        raise AssertionError("its output went")
    except hub.Refused as refused:
        equal(refused.status, 409)


def light(daemon):
    """Dimmed on what the simulated PWM chip holds; safe at the end."""
    # The demo's own.
    hub.until("the shelf's light", lambda: json.loads(
        state(daemon, "light/shelf") or "{}").get("color_mode") == "rgb")
    put(daemon, "desk_lamp", kind="light", outputs="pwm:sim.pwm:3", gamma=1)
    watcher = Watcher(daemon, topic("light/desk_lamp"))
    hub.until("its state", lambda: watcher.process.lines)
    pub(daemon, topic("light/desk_lamp/set"),
        '{"state":"ON","brightness":51}', "-q", "1")
    hub.until("it to be on", lambda: '"ON"' in watcher.process.lines[-1])
    equal(json.loads(watcher.process.lines[-1].split(" ", 1)[1]),
          {"state": "ON", "brightness": 51, "color_mode": "brightness"})
    watcher.end()
    equal(duty(daemon), 200000)


def duty(daemon):
    with open(sysfs(daemon, "class/pwm/pwmchip0/pwm3/duty_cycle"),
              encoding="ascii") as file:
        return int(file.read().split()[0])


def safe_at_the_end(daemon):
    daemon.stop()
    equal(duty(daemon), 0)


def main():
    with hub.Hub(args=["--node", NODE]) as daemon:
        hub.until("hearth-gpiod", lambda: gpiod_pid(daemon))
        hub.until("its report", lambda: daemon.rest(
            "GET", "/devices")["sources"])
        cases.case("sensors are offered, read, and silent with a reason",
                   sensors, daemon)
        cases.case("a cover finds its end and its place", cover, daemon)
        cases.case("a light is dimmed", light, daemon)
        cases.case("and is safe when hearth ends", safe_at_the_end, daemon)
    cases.end()


if __name__ == "__main__":
    sys.exit(main())
