"""The board's pins over MQTT with Debian's clients, and hearth-gpiod killed."""
import json
import os
import signal
import subprocess
import sys
import time

import hub
import mqtt
from cases import Cases, equal
from mqtt import V5, V311

cases = Cases()
NODE = "testnode"


def topic(rest):
    return f"hearth/{NODE}/{rest}"


class Watcher:
    """mosquitto_sub -v on a filter; what it printed so far."""

    def __init__(self, daemon, *filters, args=()):
        argv = ["mosquitto_sub", "-h", "127.0.0.1", "-p",
                str(daemon.mqtt_port), "-v", *args]
        for one in filters:
            argv += ["-t", one]
        self.process = hub.Process(["stdbuf", "-oL"] + argv)

    def has(self, line, after=0):
        return line in self.process.lines[after:]

    def wait(self, line, after=0):
        hub.until(f"mosquitto_sub to print {line!r}, printed: "
                  f"{self.process.lines[after:]}",
                  lambda: self.has(line, after))

    def end(self):
        self.process.end()


def pub(daemon, where, message, *args):
    subprocess.run(["mosquitto_pub", "-h", "127.0.0.1", "-p",
                    str(daemon.mqtt_port), "-t", where, "-m", message, *args],
                   check=True, timeout=hub.DEADLINE, capture_output=True)


def retained(daemon, filter_):
    with mqtt.client(daemon.mqtt_port, V311, "retained") as conn:
        conn.send(mqtt.subscribe(V311, 1, (filter_, 0)))
        return {p.topic: p.payload.decode() for p in conn.ping()
                if p.kind == mqtt.PUBLISH and p.retain}


def switch_to(daemon, name, state):
    """Until the board says so. A command that comes before hearth-gpiod has
    subscribed reaches nobody, as commands are not retained."""
    def done():
        pub(daemon, topic(f"out/{name}/set"), state)
        return any(retained(daemon, topic(f"out/{name}")) ==
                   {topic(f"out/{name}"): state} for _ in range(50))
    hub.until(f"{name} {state}", done)


def gpiod_pid(daemon):
    """hearthd's child, by /proc, or None."""
    try:
        with open(f"/proc/{daemon.pid}/task/{daemon.pid}/children",
                  encoding="ascii") as file:
            children = [int(pid) for pid in file.read().split()]
    except OSError:
        return None
    for pid in children:
        try:
            with open(f"/proc/{pid}/comm", encoding="ascii") as file:
                if file.read().strip() == "hearth-gpiod":
                    return pid
        except OSError:
            pass
    return None


# ---- switching ------------------------------------------------------------

def states_are_shown(daemon):
    watcher = Watcher(daemon, "hearth/#")
    for line in (topic("status") + " online", topic("out/heater") + " OFF",
                 topic("out/pump") + " OFF", topic("in/motion") + " OFF"):
        watcher.wait(line)
    watcher.end()


def switch(daemon):
    watcher = Watcher(daemon, "hearth/#")
    watcher.wait(topic("out/heater") + " OFF")
    for state in ("ON", "OFF", "ON"):
        seen = len(watcher.process.lines)
        pub(daemon, topic("out/heater/set"), state)
        watcher.wait(topic(f"out/heater {state}"), seen)
        hub.until("the result", lambda at=seen: any(
            line.startswith(topic("out/heater/result")) and
            json.loads(line.split(" ", 1)[1])["applied"]
            for line in watcher.process.lines[at:]))
        equal(retained(daemon, topic("out/heater")),
              {topic("out/heater"): state})
    watcher.end()
    switch_to(daemon, "heater", "OFF")


def toggle_and_json(daemon):
    watcher = Watcher(daemon, topic("out/pump"))
    watcher.wait(topic("out/pump OFF"))
    pub(daemon, topic("out/pump/set"), "TOGGLE", "-q", "2", "-V", "mqttv5")
    watcher.wait(topic("out/pump ON"))
    seen = len(watcher.process.lines)
    pub(daemon, topic("out/pump/set"), '{"state":"OFF"}', "-q", "1")
    watcher.wait(topic("out/pump OFF"), seen)
    watcher.end()


def on_time_ends(daemon):
    watcher = Watcher(daemon, topic("out/pump"))
    watcher.wait(topic("out/pump OFF"))
    pub(daemon, topic("out/pump/set"), '{"state":"ON","on_time":1}')
    watcher.wait(topic("out/pump ON"))
    seen = watcher.process.lines.index(topic("out/pump ON"))
    watcher.wait(topic("out/pump OFF"), seen)
    watcher.end()


def interlocked(daemon):
    """Set up by REST, kept by hearth-gpiod: the light goes off, then the pump on,
    and a locked one does not move."""
    def change(name, **fields):
        daemon.rest("PUT", f"/pins/{name}", fields)

    change("heater", interlock="water", dead_ms=100)
    change("pump", interlock="water")
    hub.until("the board to have it", lambda: not daemon.rest(
        "GET", "/pins")["pending"])
    equal(daemon.rest("GET", "/pins")["errors"], [], "no mistakes")
    switch_to(daemon, "heater", "ON")
    watcher = Watcher(daemon, topic("out/+"))
    watcher.wait(topic("out/heater ON"))
    pub(daemon, topic("out/pump/set"), "ON", "-q", "1")
    watcher.wait(topic("out/pump ON"))
    lines = watcher.process.lines
    equal(lines.index(topic("out/heater OFF")) <
          lines.index(topic("out/pump ON")), True, "first off, then on")
    watcher.end()
    change("pump", locked=True)
    hub.until("the board to have it", lambda: not daemon.rest(
        "GET", "/pins")["pending"])
    watcher = Watcher(daemon, topic("out/pump/result"))
    hub.until("a refusal", lambda: pub(
        daemon, topic("out/pump/set"), "OFF", "-q", "1") or any(
            "it is locked" in line for line in watcher.process.lines))
    watcher.end()
    change("pump", locked=False, interlock="")
    change("heater", interlock="", dead_ms=0)
    switch_to(daemon, "pump", "OFF")


def nonsense_is_refused(daemon):
    """With a reason, and the state stays what it is."""
    for where, message in (("out/heater/set", "MAYBE"),
                           ("out/heater/set", "{"),
                           ("out/heater/set", '{"state":"ON","on_time":-1}'),
                           ("out/nothing/set", "ON"),
                           ("out/heater/set", " ")):
        watcher = Watcher(daemon, topic("error"), topic("out/heater"))
        watcher.wait(topic("out/heater OFF"))
        pub(daemon, topic(where), message)
        hub.until(f"an error for {message!r}", lambda w=watcher: any(
            line.startswith(topic("error {")) and
            json.loads(line.split(" ", 1)[1])["reason"]
            for line in w.process.lines))
        assert not watcher.has(topic("out/heater ON"))
        watcher.end()


def simulated_input(daemon):
    watcher = Watcher(daemon, topic("in/#"))
    watcher.wait(topic("in/door ON"))
    pins = {p["name"]: p for p in daemon.rest("GET", "/pins")["pins"]}
    daemon.rest("POST", f"/sim/lines/{pins['door']['line']}", {"level": 0})
    watcher.wait(topic("in/door OFF"))
    seen = len(watcher.process.lines)
    daemon.rest("POST", f"/sim/lines/{pins['door']['line']}", {"level": 1})
    watcher.wait(topic("in/door ON"), seen)
    daemon.rest("POST", f"/sim/lines/{pins['button']['line']}",
                {"press_ms": 50})
    hub.until("the click", lambda: any(
        line.startswith(topic("in/button/event")) and "single" in line
        for line in watcher.process.lines))
    watcher.end()


def impostors(daemon):
    """Nobody but hearth-gpiod says what the board's state is; a client that may
    not is told so, and its retained message is not kept."""
    before = retained(daemon, topic("out/heater"))
    with mqtt.client(daemon.mqtt_port, V5, "impostor") as conn:
        conn.send(mqtt.publish(V5, "$hearth/gpio/x/config", b"{}", 1, 1, True))
        puback = conn.expect(mqtt.PUBACK)
        assert puback.reason == 0x87, hex(puback.reason)
        conn.send(mqtt.publish(V5, "$SYS/broker/uptime", b"1", 1, 2))
        assert conn.expect(mqtt.PUBACK).reason == 0x87
    equal(retained(daemon, topic("out/heater")), before)


# ---- a dead gpiod ---------------------------------------------------------

def kill_gpiod(daemon, times):
    """Offline is known at once, and it comes back with all states. The time is
    measured: the fastest of the kills must be within the promised two seconds,
    which a busy machine may make of one of them, but not of all."""
    switch_to(daemon, "hall", "ON")
    before = retained(daemon, topic("#"))
    took = []
    for _ in range(times):
        pid = gpiod_pid(daemon)
        assert pid, "no hearth-gpiod"
        with mqtt.client(daemon.mqtt_port, V311, "status-watch") as conn:
            conn.subscribe((topic("status"), 1))
            first = conn.expect(mqtt.PUBLISH)
            equal(first.payload, b"online")
            start = time.monotonic()
            os.kill(pid, signal.SIGKILL)
            gone = conn.expect(mqtt.PUBLISH)
            took.append(time.monotonic() - start)
            equal(gone.payload, b"offline")
            equal(conn.expect(mqtt.PUBLISH).payload, b"online")
        hub.until("another process", lambda old=pid: gpiod_pid(daemon)
                  not in (None, old))
        hub.until("all states", lambda: retained(daemon, topic("#")).keys() >=
                  before.keys())
    print(f"# offline after {', '.join(f'{t * 1000:.0f} ms' for t in took)}")
    assert min(took) < 2, took
    switch_to(daemon, "hall", "OFF")


def frozen_gpiod(daemon):
    """A stopped process is not a switched lamp: no state is made up. It is killed
    when it has said nothing for some seconds, and another takes its place."""
    pid = gpiod_pid(daemon)
    before = retained(daemon, topic("out/heater"))
    os.kill(pid, signal.SIGSTOP)
    pub(daemon, topic("out/heater/set"), "ON", "-q", "1")
    hub.until("another process", lambda: gpiod_pid(daemon)
              not in (None, pid))
    hub.find_line(daemon.process, "has said nothing for 5000 ms")
    equal(retained(daemon, topic("out/heater")), before)
    hub.until("online", lambda: retained(daemon, topic("status")) ==
              {topic("status"): "online"})
    switch_to(daemon, "heater", "ON")
    switch_to(daemon, "heater", "OFF")


def no_orphan(daemon):
    """hearthd killed: its hearth-gpiod does not go on alone and in the way."""
    pid = gpiod_pid(daemon)
    daemon.kill()
    hub.until("hearth-gpiod to end", lambda: not alive(pid))
    daemon.start(new_ports=False)
    hub.until("online", lambda: retained(daemon, topic("status")) ==
              {topic("status"): "online"})


def orphan_from_the_first():
    """hearthd killed before its hearth-gpiod could ask to be told of it."""
    parent = subprocess.Popen(["true"])
    parent.wait()
    ran = subprocess.run([hub.program("hearth-gpiod"), "--hub",
                          "unix:/nonexistent", "--backend", "sim",
                          "--die-with-parent", str(parent.pid)],
                         timeout=hub.DEADLINE, check=False,
                         stderr=subprocess.PIPE, text=True)
    equal(ran.returncode, 1)
    assert "No such process" in ran.stderr, ran.stderr


def alive(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as file:
            return file.read().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def states_survive(daemon):
    """kill -9 of hearthd: retained states are there before anything answers."""
    switch_to(daemon, "desk", "ON")
    daemon.kill()
    daemon.start(new_ports=False)
    hub.until("a state for desk", lambda: topic("out/desk") in
              retained(daemon, topic("out/desk")))
    hub.until("online", lambda: retained(daemon, topic("status")) ==
              {topic("status"): "online"})


WITH_BOARD = hub.PLAIN.replace("backend = off", "backend = sim")


def no_ghost():
    """kill -9 takes the will along: a board that does not come back is offline
    all the same, and was so from the first moment on."""
    with hub.Hub(config=WITH_BOARD) as daemon:
        daemon.open_to_all()
        status = "hearth/test/status"
        hub.until("online", lambda: retained(daemon, status) ==
                  {status: "online"})
        daemon.kill()
        daemon.config = WITH_BOARD + "program = none\n"
        daemon.start(new_ports=False)
        equal(retained(daemon, status), {status: "offline"})
        states = retained(daemon, "hearth/test/out/#")
        equal(daemon.stop(), 0)
        daemon.config = WITH_BOARD
        daemon.start(new_ports=False)
        hub.until("online", lambda: retained(daemon, status) ==
                  {status: "online"})
        assert retained(daemon, "hearth/test/out/#").keys() >= states.keys()
        equal(daemon.stop(), 0)


def clean_end(daemon, how):
    pid = gpiod_pid(daemon)
    equal(daemon.stop(how), 0, "exit status")
    assert not alive(pid), "hearth-gpiod is still there"
    left = [name for name in os.listdir(daemon.data) if name.endswith("-wal")]
    assert not left, left
    assert not hub.listening(daemon.mqtt_port)
    # One was made to hang.
    errors = [line for line in daemon.logged()
              if " error " in line and "it hangs: killed" not in line]
    assert not errors, errors


def main():
    with hub.Hub(args=["--node", NODE]) as daemon:
        hub.until("hearth-gpiod", lambda: gpiod_pid(daemon))
        cases.case("mosquitto_sub shows the states", states_are_shown, daemon)
        cases.case("mosquitto_pub switches: retained state and result",
                   switch, daemon)
        cases.case("TOGGLE and JSON at QoS 1 and 2", toggle_and_json, daemon)
        cases.case("on_time switches off by itself", on_time_ends, daemon)
        cases.case("outputs are interlocked and locked", interlocked, daemon)
        cases.case("nonsense is refused with a reason", nonsense_is_refused,
                   daemon)
        cases.case("a simulated input is read", simulated_input, daemon)
        cases.case("system topics are not for everybody", impostors, daemon)
        cases.case("kill -9 of hearth-gpiod: offline, then back with states",
                   kill_gpiod, daemon, 3)
        cases.case("a frozen hearth-gpiod makes no state up and is replaced", frozen_gpiod,
                   daemon)
        cases.case("kill -9 of hearthd leaves no hearth-gpiod behind",
                   no_orphan, daemon)
        cases.case("nor one whose parent is gone when it begins",
                   orphan_from_the_first)
        cases.case("states are there after kill -9 of hearthd",
                   states_survive, daemon)
        cases.case("a board that does not come back is offline", no_ghost)
        cases.case("SIGINT ends both cleanly", clean_end, daemon,
                   signal.SIGINT)
        daemon.start(new_ports=False)
        hub.until("hearth-gpiod", lambda: gpiod_pid(daemon))
        cases.case("SIGTERM ends both cleanly", clean_end, daemon,
                   signal.SIGTERM)
    cases.end()


if __name__ == "__main__":
    sys.exit(main())
