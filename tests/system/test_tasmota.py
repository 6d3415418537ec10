"""The board as a device with Tasmota, as Debian's mosquitto_pub and Paho see it.
hatasmota, by which Home Assistant knows such devices, is in no package that can be had
here: the fields it demands are in tests/gpio/test_tasmota.c."""
import json
import signal
import subprocess
import sys

import hub
import smarthome
from cases import Cases, equal
from smarthome import BOARD, USER, Controller, retained

cases = Cases()
SPOKEN = BOARD + "tasmota = yes\n"
T = "hearth_test"
LWT = f"tele/{T}/LWT"
RESULT = f"stat/{T}/RESULT"
PINS = {
    "pump": {"dir": "out", "line": 17, "label": "Well pump"},
    "up": {"dir": "out", "line": 5, "interlock": "blind"},
    "down": {"dir": "out", "line": 6, "interlock": "blind"},
    "door": {"dir": "in", "line": 22, "kind": "contact"},
    "bell": {"dir": "in", "line": 24, "kind": "button", "active_low": True,
             "double_ms": 0},
    "gas": {"dir": "in", "line": 25, "kind": "counter", "unit": "m³",
            "per_unit": 100}}


def found(daemon):
    """The two documents of discovery, by the end of their topics."""
    return {topic.rsplit("/", 1)[1]: json.loads(text) for topic, text in
            retained(daemon, "tasmota/discovery/+/+").items()}


def cmnd(daemon, command, text):
    subprocess.run(["mosquitto_pub", "-h", "127.0.0.1", "-p",
                    str(daemon.mqtt_port), "-u", USER[0], "-P", USER[1],
                    "-t", f"cmnd/{T}/{command}"] +
                   (["-m", text] if text else ["-n"]),
                   check=True, timeout=hub.DEADLINE, capture_output=True)


def controller_of(daemon):
    return Controller(daemon, f"stat/{T}/#", f"tele/{T}/#")


def number(daemon, label):
    return found(daemon)["config"]["fn"].index(label) + 1


def pump_is(daemon, state):
    """The board says it on another connection than what it says as Tasmota."""
    hub.until(f"the pump to be {state}", lambda: retained(
        daemon, "hearth/test/out/pump") == {"hearth/test/out/pump": state})


def it_is_found(daemon):
    hub.until("all of it", lambda: "Well pump" in found(daemon).get(
        "config", {}).get("fn", []) and 3 in found(daemon)["config"]["rl"])
    config = found(daemon)["config"]
    equal(config["t"], T)
    equal(config["swn"], ["door"])
    equal(config["btn"], [1])
    equal(sorted(config["rl"]), sorted([1, 3, 3] + [0] * (
        len(config["rl"]) - 3)))
    (topic,) = retained(daemon, "tasmota/discovery/+/config")
    equal(topic.split("/")[2], config["mac"])
    equal(found(daemon)["sensors"]["sn"]["COUNTER"], {"C1": 0})
    equal(retained(daemon, LWT), {LWT: "Online"})


def it_is_switched(daemon):
    n = number(daemon, "Well pump")
    controller = controller_of(daemon)
    for payload, state in (("ON", "ON"), ("TOGGLE", "OFF"), ("1", "ON"),
                           ("", "ON"), ("OFF", "OFF")):
        seen = controller.seen()
        cmnd(daemon, f"POWER{n}", payload)
        controller.wait(RESULT, f'{{"POWER{n}":"{state}"}}', seen)
        controller.wait(f"stat/{T}/POWER{n}", state, seen)
    pump_is(daemon, "OFF")
    controller.end()


def a_retained_command_is_old(daemon):
    n = number(daemon, "Well pump")
    for payload in (b"ON", b"OFF", b"ON"):
        smarthome.keep(daemon, f"cmnd/{T}/POWER{n}", payload)
        pump_is(daemon, payload.decode())
    cmnd(daemon, f"POWER{n}", "OFF")
    pump_is(daemon, "OFF")
    controller = Controller(daemon, "hearth/test/error", LWT)
    smarthome.kill_board(daemon)
    hub.until("it to be refused", lambda: any(
        json.loads(text)["reason"].startswith("a retained command")
        for topic, text, _ in controller.heard
        if topic == "hearth/test/error"))
    equal(retained(daemon, "hearth/test/out/pump"),
          {"hearth/test/out/pump": "OFF"})
    controller.end()
    smarthome.keep(daemon, f"cmnd/{T}/POWER{n}", b"")


def a_shutter_moves(daemon):
    controller = controller_of(daemon)
    cmnd(daemon, "ShutterClose1", "")
    controller.wait(RESULT, '{"Shutter1":{"Direction":-1,"Target":0}}')
    seen = controller.seen()
    cmnd(daemon, "ShutterStop1", "")
    controller.wait(RESULT, '{"Shutter1":{"Direction":0}}', seen)
    controller.end()


def what_is_asked_is_answered(daemon):
    controller = controller_of(daemon)
    seen = controller.seen()
    daemon.rest("POST", "/sim/lines/22", {"level": 0})
    controller.wait(RESULT, '{"door":{"Action":"OFF"}}', seen)
    daemon.rest("POST", "/sim/lines/24", {"press_ms": 50})
    controller.wait(RESULT, '{"Button1":{"Action":"SINGLE"}}', seen)
    cmnd(daemon, "STATUS", "10")
    hub.until("the sensors", lambda: any(
        json.loads(text)["StatusSNS"].get("door") == "OFF"
        for topic, text, _ in controller.heard[seen:]
        if topic == f"stat/{T}/STATUS10"))
    cmnd(daemon, "Nonsense", "1")
    controller.wait(RESULT, '{"Command":"Unknown"}', seen)
    controller.end()


def killed_is_offline(daemon):
    controller = controller_of(daemon)
    for number_of in (signal.SIGKILL, signal.SIGTERM):
        seen = controller.seen()
        smarthome.signal_board(daemon, number_of)
        controller.wait(LWT, "Offline", seen)
        controller.wait(LWT, "Online", seen)
    controller.end()


def what_is_removed_is_taken_away(daemon):
    n = number(daemon, "Well pump")
    daemon.rest("DELETE", "/pins/gas")
    daemon.rest("DELETE", "/pins/pump")
    hub.until("both to be gone", lambda: "Well pump" not in found(daemon)[
        "config"]["fn"] and "gas" not in found(daemon)["sensors"]["sn"])
    # Its number is nobody else's.
    daemon.rest("PUT", "/pins/fan", {"dir": "out", "line": 17})
    hub.until("the fan", lambda: "fan" in found(daemon)["config"]["fn"])
    assert number(daemon, "fan") != n


def another_name_takes_everything_along(daemon):
    """In every dialect."""
    smarthome.restart(daemon, SPOKEN + "homie = yes\n")
    hub.until("Homie", lambda: retained(daemon, "homie/5/test/$state") == {
        "homie/5/test/$state": "ready"})
    old = [*retained(daemon, "tasmota/discovery/+/config")]
    named = (f"tele/{T}/#", "homie/5/test/#", "+/device/hearth_test/config",
             "hearth/test/#")
    assert all(retained(daemon, one) for one in named)
    smarthome.restart(daemon, (SPOKEN + "homie = yes\n").replace(
        "node = test", "node = other"))
    hub.until("the new name", lambda: retained(
        daemon, "tele/hearth_other/LWT") == {"tele/hearth_other/LWT": "Online"})
    hub.until("nothing of the old one", lambda: not retained(
        daemon, *named, *old))
    hub.until("one board", lambda: len(retained(
        daemon, "tasmota/discovery/+/config")) == 1)


def off_leaves_nothing(daemon):
    smarthome.restart(daemon, BOARD)
    hub.until("nothing", lambda: not retained(
        daemon, "tasmota/#", "tele/#", "stat/#"))


def main():
    with smarthome.running(SPOKEN, PINS) as daemon:
        daemon.rest("PUT", "/devices/blind", {
            "kind": "cover", "up": "up", "down": "down", "up_time": 600,
            "down_time": 600})
        cases.case("it is found", it_is_found, daemon)
        cases.case("a relay is switched and said", it_is_switched, daemon)
        cases.case("a retained command is old", a_retained_command_is_old,
                   daemon)
        cases.case("a shutter moves", a_shutter_moves, daemon)
        cases.case("what is asked is answered", what_is_asked_is_answered,
                   daemon)
        cases.case("a board that is gone is offline", killed_is_offline,
                   daemon)
        cases.case("what is removed is taken away",
                   what_is_removed_is_taken_away, daemon)
        cases.case("another name takes everything along",
                   another_name_takes_everything_along, daemon)
        cases.case("tasmota = no leaves nothing", off_leaves_nothing, daemon)
        equal(daemon.stop(), 0)
    cases.end()


if __name__ == "__main__":
    sys.exit(main())
