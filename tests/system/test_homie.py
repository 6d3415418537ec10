"""The board as a Homie 5 device, as Debian's mosquitto_sub and Paho see it."""
import json
import signal
import sys

import hub
import smarthome
from cases import Cases, equal
from smarthome import BOARD, Controller, kill_board

cases = Cases()
SPOKEN = BOARD + "homie = yes\n"
DEVICE = "homie/5/test/"
PINS = {
    "pump": {"dir": "out", "line": 17},
    "bell": {"dir": "in", "line": 24, "kind": "button", "active_low": True},
    "gas": {"dir": "in", "line": 25, "kind": "counter", "unit": "m³",
            "per_unit": 100},
    "up": {"dir": "out", "line": 5, "interlock": "blind"},
    "down": {"dir": "out", "line": 6, "interlock": "blind"}}


def controller_of(daemon):
    return Controller(daemon, DEVICE + "#")


def retained(daemon):
    return {topic.removeprefix(DEVICE): payload for topic, payload in
            smarthome.retained(daemon, DEVICE + "#").items()}


def ready(daemon):
    hub.until("ready", lambda: retained(daemon).get("$state") == "ready")


def all_of_it(daemon):
    """What is there when all nodes are and nothing more is to come: None before.
    The state says so; the values follow the description."""
    there = retained(daemon)
    about = json.loads(there.get("$description", "{}"))
    return there if there.get("$state") == "ready" and about.get(
        "nodes", {}).keys() >= {"pump", "bell", "gas", "blind"} else None


def described(daemon):
    there = hub.until("all nodes", lambda: all_of_it(daemon))
    about = json.loads(there["$description"])
    equal(about["homie"], "5.0")
    equal(about["nodes"]["pump"]["properties"]["state"],
          {"datatype": "boolean", "settable": True})
    # Whatever is described as retained has a value, and nothing else has.
    values = {f"{node}/{name}" for node, one in about["nodes"].items()
              for name, its in one["properties"].items()
              if its.get("retained", True)}
    # A cover's position is not known yet.
    equal({leaf for leaf in there if leaf[0] != "$"},
          values - {"blind/position"})


def it_is_set(daemon):
    controller = controller_of(daemon)
    controller.wait(DEVICE + "pump/state", "false")
    seen = controller.seen()
    controller.say(DEVICE + "pump/state/set", "true")
    controller.wait(DEVICE + "pump/state", "true", seen)
    # On a connection of its own.
    hub.until("ON", lambda: smarthome.retained(
        daemon, "hearth/test/out/pump") == {"hearth/test/out/pump": "ON"})
    seen = controller.seen()
    controller.say(DEVICE + "pump/state/set", "maybe")
    controller.say(DEVICE + "pump/state/set", "false")
    controller.wait(DEVICE + "pump/state", "false", seen)
    daemon.rest("POST", "/sim/lines/24", {"press_ms": 50})
    controller.wait(DEVICE + "bell/event", "press", seen)
    assert not any(kept for topic, _, kept in controller.heard
                   if topic.endswith("/event"))
    controller.end()


def a_cover_goes(daemon):
    controller = controller_of(daemon)
    blind = DEVICE + "blind/"
    controller.wait(blind + "state", "stopped")
    controller.say(blind + "position/set", "30")
    controller.wait(blind + "position/$target", "30")
    controller.wait(blind + "state", "closing")
    seen = controller.seen()
    controller.say(blind + "action/set", "stop")
    controller.wait(blind + "state", "stopped", seen)
    controller.end()


def killed_is_lost(daemon):
    controller = controller_of(daemon)
    controller.wait(DEVICE + "$state", "ready")
    seen = controller.seen()
    kill_board(daemon)
    controller.wait(DEVICE + "$state", "lost", seen)
    controller.wait(DEVICE + "$state", "ready", seen)
    controller.end()


def stopped_is_disconnected(daemon):
    """Not lost: the hub is up, and hearth-gpiod says goodbye."""
    controller = controller_of(daemon)
    controller.wait(DEVICE + "$state", "ready")
    seen = controller.seen()
    smarthome.signal_board(daemon, signal.SIGTERM)
    controller.wait(DEVICE + "$state", "disconnected", seen)
    controller.wait(DEVICE + "$state", "ready", seen)
    assert (DEVICE + "$state", "lost", False) not in controller.heard[seen:]
    controller.end()


def what_is_removed_is_taken_away(daemon):
    daemon.rest("DELETE", "/pins/gas")
    hub.until("it to be gone", lambda: "gas" not in json.loads(
        retained(daemon)["$description"])["nodes"])
    daemon.rest("DELETE", "/devices/blind")
    hub.until("their values too", lambda: not [
        leaf for leaf in retained(daemon)
        if leaf.startswith(("gas/", "blind/"))])


def what_is_stale_is_taken_away(daemon):
    """Whatever a board said that knows nothing of it any more."""
    smarthome.keep(daemon, DEVICE + "attic/state", b"true")
    kill_board(daemon)
    hub.until("it to be gone", lambda: "attic/state" not in retained(daemon))
    ready(daemon)


def off_leaves_nothing(daemon):
    smarthome.restart(daemon, BOARD)
    hub.until("nothing", lambda: not retained(daemon))


def main():
    with smarthome.running(SPOKEN, PINS) as daemon:
        daemon.rest("PUT", "/devices/blind", {
            "kind": "cover", "up": "up", "down": "down", "up_time": 600,
            "down_time": 600})
        ready(daemon)
        cases.case("everything is described and has its value", described,
                   daemon)
        cases.case("a controller sets and hears it", it_is_set, daemon)
        cases.case("a cover goes where it is to be", a_cover_goes, daemon)
        cases.case("a killed board is lost, and ready again", killed_is_lost,
                   daemon)
        cases.case("a stopped board is disconnected", stopped_is_disconnected,
                   daemon)
        cases.case("what is removed is taken away",
                   what_is_removed_is_taken_away, daemon)
        cases.case("what is stale is taken away", what_is_stale_is_taken_away,
                   daemon)
        cases.case("homie = no leaves nothing", off_leaves_nothing, daemon)
        equal(daemon.stop(), 0)
    cases.end()


if __name__ == "__main__":
    sys.exit(main())
