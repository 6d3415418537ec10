"""Real processes for the tests: hearthd on free ports in a scratch directory.

Nothing here waits a fixed time: every wait is for a condition and ends with a
generous deadline, so that a loaded machine makes a test slow but not wrong.
"""
import base64
import http.client
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
import urllib.error
import urllib.request

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ.get("HEARTH_BUILD", os.path.join(TOP, "build"))
DEADLINE = float(os.environ.get("HEARTH_DEADLINE", "30"))


def program(name):
    """Where a program of ours is; HEARTHD and so on override."""
    override = os.environ.get(name.upper().replace("-", "_"))
    return override or os.path.join(BUILD, name)


def until(what, condition, deadline=DEADLINE, pause=0.01):
    """Poll condition until it is true and return its value."""
    end = time.monotonic() + deadline
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise TimeoutError(f"waited {deadline:.0f} s in vain for {what}")
        time.sleep(pause)


# Names in the abstract namespace, which hold our ports for as long as we run.
_held = []


def hold(port):
    """False: another test has it, even if nobody listens there just now."""
    s = socket.socket(socket.AF_UNIX)
    try:
        s.bind(f"\0hearth-test-port-{port}")
    except OSError:
        s.close()
        return False
    _held.append(s)
    return True


def free_ports(count):
    """Ports nobody uses now, and no other test until we end: a hub comes back on
    them. Somebody else may be faster: Hub.start() tries again."""
    sockets, ports = [], []
    while len(ports) < count:
        s = socket.socket()
        s.bind(("127.0.0.1", 0))
        sockets.append(s)
        if hold(s.getsockname()[1]):
            ports.append(s.getsockname()[1])
    for s in sockets:
        s.close()
    return ports


def listening(port):
    with socket.socket() as s:
        s.settimeout(5)
        return s.connect_ex(("127.0.0.1", port)) == 0


# A broker and nothing else, for clients without a password.
PLAIN = """\
[hearth]
data_dir = {data}
node = test

[listener mqtt]
type = tcp
address = 127.0.0.1
port = {mqtt}
anonymous = yes

[web]
address = 127.0.0.1
port = {web}

[gpio]
backend = off
"""


class Process:
    """A child whose standard output and error are kept line by line."""

    def __init__(self, argv, **options):
        self.argv = argv
        self.lines = []
        self.errors = []
        self.process = subprocess.Popen(
            argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True, errors="replace", **options)
        self.readers = [
            threading.Thread(target=self._read, args=pair, daemon=True)
            for pair in ((self.process.stdout, self.lines),
                         (self.process.stderr, self.errors))]
        for reader in self.readers:
            reader.start()

    @staticmethod
    def _read(stream, lines):
        for line in stream:
            lines.append(line.rstrip("\n"))
        stream.close()

    @property
    def pid(self):
        return self.process.pid

    def running(self):
        return self.process.poll() is None

    def wait(self, deadline=DEADLINE):
        """The exit status; what it wrote is then complete."""
        status = self.process.wait(deadline)
        for reader in self.readers:
            reader.join(deadline)
        return status

    def end(self, how=signal.SIGTERM):
        if self.running():
            self.process.send_signal(how)
        try:
            return self.wait()
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise

    def text(self):
        return "\n".join(self.lines + self.errors)


def find_line(process, pattern, deadline=DEADLINE):
    """The match of pattern in a line of output, now or soon."""
    def find():
        for line in process.lines + process.errors:
            match = re.search(pattern, line)
            if match:
                return match
        return None

    def look():
        match = find()
        if match or process.running():
            return match
        # Its last words may have come since.
        process.wait()
        match = find()
        if not match:
            raise RuntimeError(f"{process.argv[0]} ended with "
                               f"{process.process.returncode}, without "
                               f"{pattern!r}:\n{process.text()}")
        return match
    return until(f"{pattern!r} from {process.argv[0]}", look, deadline)


class Refused(Exception):
    """An answer of the REST API that is not 2xx."""

    def __init__(self, status, body):
        super().__init__(f"{status}: {body}")
        self.status = status
        self.body = body


def request(port, method, path, body=None, headers=None, auth=None):
    """(status, headers, body) of one HTTP request; body as JSON if it is any."""
    data = None if body is None else json.dumps(body).encode()
    req = urllib.request.Request(f"http://127.0.0.1:{port}{path}", data=data,
                                 method=method, headers=headers or {})
    if data is not None:
        req.add_header("Content-Type", "application/json")
    if auth:
        req.add_header("Authorization", "Basic " + base64.b64encode(
            ":".join(auth).encode()).decode())
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(req, timeout=DEADLINE) as answer:
            status, found, raw = answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as error:
        status, found, raw = error.code, error.headers, error.read()
    if "json" in (found.get("Content-Type") or ""):
        return status, found, json.loads(raw)
    return status, found, raw


class Hub:
    """One hearthd. With config it runs that file, else --demo."""

    def __init__(self, config=None, args=(), env=None, affinity=None):
        self.scratch = tempfile.mkdtemp(prefix="hearth-test-")
        self.data = os.path.join(self.scratch, "data")
        self.config = config
        self.args = list(args)
        self.env = dict(os.environ, **(env or {}))
        self.affinity = affinity
        self.process = None
        self.mqtt_port = self.web_port = None
        self.auth = None
        self.log = []

    def move(self, parent):
        """Before the start: the scratch directory into another one."""
        shutil.rmtree(self.scratch)
        self.scratch = tempfile.mkdtemp(prefix="hearth-test-", dir=parent)
        self.data = os.path.join(self.scratch, "data")

    def _argv(self):
        if self.config is None:
            return [program("hearthd"), "--demo", "--data", self.data,
                    "--mqtt-port", str(self.mqtt_port),
                    "--web-port", str(self.web_port)] + self.args
        return [program("hearthd"), "-c", self.write()] + self.args

    def write(self, *changes):
        """hearth.conf, with some texts replaced. Returns its path."""
        text = self.config
        for old, new in changes:
            assert old in text, old
            text = text.replace(old, new)
        path = os.path.join(self.scratch, "hearth.conf")
        with open(path, "w", encoding="utf-8") as out:
            out.write(text.format(data=self.data, mqtt=self.mqtt_port,
                                  web=self.web_port))
        return path

    def _pin(self):
        os.sched_setaffinity(0, self.affinity)

    def start(self, new_ports=True):
        """Start, or start again after kill() on the same data and ports."""
        for attempt in range(5):
            if self.mqtt_port is None or new_ports and attempt:
                self.mqtt_port, self.web_port = free_ports(2)
            self.process = Process(
                self._argv(), env=self.env,
                preexec_fn=self._pin if self.affinity else None)
            try:
                until("hearthd to listen", self._ready)
            except RuntimeError:
                if "in use" in self.process.text() and attempt < 4:
                    continue
                raise
            if self.config is None:
                self._read_login()
            return self
        return self

    def _ready(self):
        if not self.process.running():
            self.process.wait()
            raise RuntimeError("hearthd ended with "
                               f"{self.process.process.returncode}:\n"
                               f"{self.process.text()}")
        return listening(self.mqtt_port) and listening(self.web_port)

    def _read_login(self):
        """--demo prints the address and the login, one line each."""
        find_line(self.process, rf"http://\S+:{self.web_port}")
        login = find_line(self.process,
                          r"(?i)login\W+(?:user\s+)?([\w.-]+)\s*"
                          r"(?:/|,|:|\s)\s*(?:password\s+)?(\S+)")
        self.auth = (login.group(1), login.group(2))

    @property
    def pid(self):
        return self.process.pid

    def kill(self):
        """The plug is pulled, as far as a process can tell."""
        self.process.end(signal.SIGKILL)
        self.log += self.process.errors

    def stop(self, how=signal.SIGINT):
        """The exit status. What a sanitizer has found is an exception."""
        status = self.process.end(how)
        self.log += self.process.errors
        for at, line in enumerate(self.log):
            if "Sanitizer" in line or ": runtime error: " in line:
                raise RuntimeError("\n".join(self.log[at:at + 40]))
        return status

    def close(self):
        if self.process and self.process.running():
            self.process.process.kill()
            self.process.wait()
        shutil.rmtree(self.scratch, ignore_errors=True)

    def __enter__(self):
        return self.start()

    def __exit__(self, *unused):
        self.close()

    def rest(self, method, path, body=None, auth=None):
        """The body of a 2xx answer of /api/v1, else Refused."""
        try:
            status, _, found = request(self.web_port, method,
                                       "/api/v1" + path, body,
                                       auth=auth or self.auth)
        except (OSError, http.client.HTTPException) as error:
            error.add_note(self.last_words())
            raise
        if not 200 <= status < 300:
            raise Refused(status, found)
        return found

    def last_words(self):
        """What one should know when it does not answer."""
        status = self.process.process.poll()
        return "\n".join([f"hearthd: {status}, None is running; it said:"] +
                         self.logged()[-20:])

    def inside(self, name):
        """Where a file of the data directory is for us."""
        return os.path.join(self.data, name)

    def claim(self, user="admin", password="correct horse battery"):
        """Make a box that runs from a configuration file ours."""
        with open(self.inside("claim-token"), encoding="utf-8") as file:
            token = file.read().strip()
        self.rest("POST", "/claim", {"token": token, "user": user,
                                     "password": password})
        self.auth = (user, password)

    def open_to_all(self):
        """Claim it and let everybody do everything."""
        self.claim()
        self.rest("POST", "/acl", {"user": "*", "filter": "#",
                                   "action": "readwrite", "effect": "allow"})

    def logged(self):
        return self.log + self.process.errors


def memory(pid):
    """Kilobytes from smaps_rollup: Rss, Pss, Private_Dirty, Anonymous."""
    found = {}
    with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
        for line in file:
            match = re.match(r"(\w+):\s+(\d+) kB", line)
            if match:
                found[match.group(1)] = int(match.group(2))
    return found


def sanitized():
    """Built with a sanitizer, whose own memory is no measure."""
    with open(program("hearthd"), "rb") as file:
        return re.search(rb"__[at]san_init", file.read()) is not None


def descriptors(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))
