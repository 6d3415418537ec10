"""Home Assistant's discovery, as a client of the hub sees it: Debian's
mosquitto_sub, and what stays behind as retained."""
import json
import os
import subprocess
import sys

import hub
import smarthome
from cases import Cases, equal
from smarthome import BOARD, USER, retained

cases = Cases()
PREFIX = "homeassistant"
CONFIG = f"{PREFIX}/device/hearth_test/config"
with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..",
                       "gpio", "homeassistant.json"), encoding="utf-8") as file:
    SCHEMA = json.load(file)


class Watcher(hub.Process):
    """mosquitto_sub on one topic; every message is a line."""

    def __init__(self, daemon, topic):
        super().__init__(["stdbuf", "-oL", "mosquitto_sub", "-h", "127.0.0.1",
                          "-p", str(daemon.mqtt_port), "-u", USER[0], "-P",
                          USER[1], "-t", topic])


def document(daemon, topic=CONFIG):
    text = retained(daemon, topic).get(topic)
    return json.loads(text) if text else None


def components(daemon):
    return (document(daemon) or {}).get("cmps", {})


def pub(daemon, topic, message):
    subprocess.run(["mosquitto_pub", "-h", "127.0.0.1", "-p",
                    str(daemon.mqtt_port), "-u", USER[0], "-P", USER[1],
                    "-t", topic, "-m", message],
                   check=True, timeout=hub.DEADLINE, capture_output=True)


def whole_words(object_):
    return {SCHEMA["abbreviations"].get(key, key): value
            for key, value in object_.items()}


def put(daemon, name, **fields):
    daemon.rest("PUT", f"/pins/{name}", fields)
    hub.until("the board to have it", lambda: not daemon.rest(
        "GET", "/pins")["pending"])
    equal(daemon.rest("GET", "/pins")["errors"], [], "no mistakes")


def everything_is_told(daemon):
    put(daemon, "pump", dir="out", line=17, label="Well pump")
    put(daemon, "desk", dir="out", line=23, kind="light")
    put(daemon, "door", dir="in", line=22, kind="contact")
    put(daemon, "bell", dir="in", line=24, kind="button",
        active_low=True)
    put(daemon, "gas", dir="in", line=25, kind="counter", unit="m³",
        per_unit=100)
    hub.until("all components", lambda: {
        "switch_gpio17", "light_gpio23", "binary_sensor_gpio22",
        "event_gpio24", "device_automation_gpio24_single", "sensor_gpio25",
        "sensor_gpio25_rate"} <= components(daemon).keys())
    for name, one in components(daemon).items():
        one = whole_words(one)
        platform = one["platform"]
        if platform == "device_automation":
            known = SCHEMA["device_automation"]
        else:
            known = {**SCHEMA["entity"], **SCHEMA["platforms"][platform]}
        assert one.keys() <= known.keys(), (name, one.keys() - known.keys())
        for key, kind in known.items():
            assert "!" not in kind or key in one, (name, key)


def its_topics_work(daemon):
    """What it was told to publish, published, does what it was told to expect."""
    pump = components(daemon)["switch_gpio17"]
    watcher = Watcher(daemon, pump["stat_t"])
    hub.until("the state", lambda: watcher.lines)
    pub(daemon, pump["cmd_t"], "ON")
    hub.until("ON", lambda: "ON" in watcher.lines)
    watcher.end()
    desk = components(daemon)["light_gpio23"]
    watcher = Watcher(daemon, desk["stat_t"])
    pub(daemon, desk["cmd_t"], '{"state":"ON"}')
    hub.until("the light", lambda: any(
        json.loads(line)["state"] == "ON" for line in watcher.lines))
    watcher.end()
    for one in pump["avty"]:
        equal(retained(daemon, one["t"]), {one["t"]: "online"})
    trigger = components(daemon)["device_automation_gpio24_single"]
    watcher = Watcher(daemon, trigger["t"])

    def clicked():
        daemon.rest("POST", "/sim/lines/24", {"press_ms": 50})
        return any(json.loads(line)["event_type"] == trigger["pl"]
                   for line in watcher.lines)
    hub.until("the click", clicked, pause=0.5)
    watcher.end()


def a_new_name_is_the_same_thing(daemon):
    before = components(daemon)["switch_gpio17"]
    put(daemon, "pump", dir="out", line=17, label="Garden pump")
    hub.until("the new name", lambda: components(daemon)[
        "switch_gpio17"]["name"] == "Garden pump")
    equal(components(daemon)["switch_gpio17"]["uniq_id"], before["uniq_id"])


def what_is_removed_is_taken_away(daemon):
    watcher = Watcher(daemon, CONFIG)
    hub.until("the document", lambda: watcher.lines)
    daemon.rest("DELETE", "/pins/desk")
    hub.until("its end", lambda: any(
        json.loads(line)["cmps"].get("light_gpio23") == {"p": "light"}
        for line in watcher.lines))
    hub.until("it to be gone", lambda: "light_gpio23" not in
              components(daemon))
    watcher.end()
    equal([topic for topic in retained(daemon, "#") if "desk" in topic], [])


def birth_is_answered(daemon):
    watcher = Watcher(daemon, CONFIG)
    hub.until("the document", lambda: watcher.lines)
    seen = len(watcher.lines)
    pub(daemon, f"{PREFIX}/status", "online")
    hub.until("it once more", lambda: len(watcher.lines) > seen)
    equal(json.loads(watcher.lines[-1]), document(daemon))
    watcher.end()


def restart(daemon, config):
    smarthome.restart(daemon, config)
    hub.until("online", lambda: retained(daemon, "hearth/test/status") ==
              {"hearth/test/status": "online"})


def another_prefix(daemon):
    restart(daemon, BOARD + "homeassistant_prefix = ha\n")
    hub.until("the new place", lambda: document(
        daemon, "ha/device/hearth_test/config"))
    equal(retained(daemon, f"{PREFIX}/#"), {})


def off_leaves_nothing(daemon):
    restart(daemon, BOARD + "homeassistant_prefix = ha\nhomeassistant = no\n")
    hub.until("nothing", lambda: not retained(daemon, "ha/#"))
    equal([topic for topic in retained(daemon, "#") if "/device/" in topic],
          [])


def main():
    # Rights for us, and not for all: hearth-gpiod has its own.
    with smarthome.running(BOARD) as daemon:
        hub.until("online", lambda: retained(daemon, "hearth/test/status") ==
                  {"hearth/test/status": "online"})
        cases.case("everything there is, as its schemas have it",
                   everything_is_told, daemon)
        cases.case("the topics it is told do what they should",
                   its_topics_work, daemon)
        cases.case("a new name is the same thing", a_new_name_is_the_same_thing,
                   daemon)
        cases.case("what is removed is taken away",
                   what_is_removed_is_taken_away, daemon)
        cases.case("Home Assistant's birth is answered", birth_is_answered,
                   daemon)
        cases.case("another prefix leaves nothing at the first one",
                   another_prefix, daemon)
        cases.case("homeassistant = no leaves nothing", off_leaves_nothing,
                   daemon)
        equal(daemon.stop(), 0)
    cases.end()


if __name__ == "__main__":
    sys.exit(main())
