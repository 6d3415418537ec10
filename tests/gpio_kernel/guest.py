"""What the tests in the guest share: the wires of the simulated chip, and the
kernel's own record of what was written to its lines and when."""
import json
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "system"))
os.environ["TMPDIR"] = "/mnt"
os.environ["HEARTH_BUILD"] = os.path.join(os.environ["BUILD"], "programs")
import hub  # noqa: E402, pylint: disable=wrong-import-position

TRACING = "/sys/kernel/tracing/"

# Like a Raspberry Pi, the simulator keeps the level of an output whose holder has
# gone; by itself it would go back to the pull.
PERSIST = "/sys/module/gpio_sim/parameters/persist"


def write(path, text):
    with open(path, "w", encoding="ascii") as file:
        file.write(text)


def time_jumps():
    with open("/proc/cmdline", encoding="ascii") as file:
        return "time-travel" in file.read()


# The kernel's number of the first line of the only chip (GPIO_DYNAMIC_BASE).
FIRST = 512


class Chip:
    """sim_gpioN of the simulator, and the trace of its lines."""

    def __init__(self, directory):
        self.directory = directory
        subprocess.run(["mount", "-t", "tracefs", "tracefs", TRACING],
                       check=True)
        write(TRACING + "trace_clock", "mono")
        write(TRACING + "events/gpio/gpio_value/enable", "1")

    def level(self, line):
        path = f"{self.directory}/sim_gpio{line}/value"
        with open(path, encoding="ascii") as file:
            return int(file.read())

    def pull(self, line, up):
        write(f"{self.directory}/sim_gpio{line}/pull",
              "pull-up" if up else "pull-down")

    def written(self, line, since=0.0):
        """[(when, level), ...] of all that was driven, even for a moment; when as
        time.monotonic()."""
        found = []
        with open(TRACING + "trace", encoding="ascii") as file:
            for row in file:
                match = re.search(r" (\d+\.\d+): gpio_value: (\d+) set (\d)",
                                  row)
                if match and int(match[2]) == FIRST + line and \
                        float(match[1]) >= since:
                    found.append((float(match[1]), int(match[3])))
        return found


class Node:
    """hearth-gpiod by itself, at a hub that is not ours, and what it says."""

    def __init__(self, address, state="/mnt/state", host="127.0.0.1"):
        os.makedirs(state, exist_ok=True)
        self.host = host
        self.state = state
        self.argv = [hub.program("hearth-gpiod"), "--hub", address, "--node",
                     "pi", "--backend", "gpiod", "--state-dir", state]
        self.process = None
        self.ears = hub.Process(["mosquitto_sub", "-h", host, "-v", "-t",
                                 "hearth/#", "-t", "$hearth/#"])

    def start(self):
        self.process = hub.Process(self.argv)
        return self

    def publish(self, topic, message, *more):
        subprocess.run(["mosquitto_pub", "-h", self.host, "-q", "1", "-t",
                        topic, "-m", message, *more], check=True)

    def configure(self, *pins):
        """The report that says it is applied."""
        said = len(self.ears.lines)
        self.publish("$hearth/gpio/pi/config", json.dumps(
            {"revision": said, "pins": pins}), "-r")
        report = self.hear(rf'^\$hearth/gpio/pi/report .*"revision":{said}\b',
                           said)
        return json.loads(report.split(" ", 1)[1])

    def hear(self, pattern, after=0):
        """The first line that matches, now or soon."""
        def look():
            for line in self.ears.lines[after:]:
                if re.search(pattern, line):
                    return line
            return None
        try:
            return hub.until(pattern, look)
        except TimeoutError as error:
            raise TimeoutError(f"{error}; heard {self.ears.lines[after:]}, "
                               f"log {self.process.errors[-20:]}") from error

    def heard(self, pattern, after=0):
        return [line for line in self.ears.lines[after:]
                if re.search(pattern, line)]

    def order(self, name, what):
        """What became of it."""
        said = len(self.ears.lines)
        self.publish(f"hearth/pi/out/{name}/set", what)
        line = self.hear(rf"^hearth/pi/out/{name}/result ", said)
        return json.loads(line.split(" ", 1)[1])

    def applied(self, name, what):
        answer = self.order(name, what)
        assert answer["applied"], answer


def mosquitto(host="127.0.0.1", inside=()):
    """Debian's broker as the hub; inside: of what it runs."""
    write("/mnt/mosquitto.conf", "allow_anonymous true\nuser root\n"
          "listener 0 /mnt/hub\nlistener 1883 0.0.0.0\n")
    process = hub.Process([*inside, "mosquitto", "-c", "/mnt/mosquitto.conf"])
    hub.until("mosquitto", lambda: subprocess.run(
        ["mosquitto_pub", "-h", host, "-t", "x", "-n"], check=False,
        capture_output=True).returncode == 0)
    return process
