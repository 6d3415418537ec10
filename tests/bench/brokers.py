"""The brokers that are measured, each in a scratch directory of its own."""
import os
import shutil
import signal
import subprocess
import tempfile

import hub

PLAIN, TLS, WEBSOCKET = range(3)  # bench-load's --channel

# Everything else is as Debian ships it; without these two it drops messages.
MOSQUITTO_CONF = """\
listener {port} 127.0.0.1
allow_anonymous true
max_queued_messages 0
max_inflight_messages 1000
"""
MOSQUITTO_TLS = """\
listener {port} 127.0.0.1
certfile {dir}/tls.crt
keyfile {dir}/tls.key
"""
MOSQUITTO_KEEP = """\
persistence true
persistence_location {dir}/kept/
"""
HEARTH_MORE = """\
[listener tls]
address = 127.0.0.1
port = {port}
tls_cert = {dir}/tls.crt
tls_key = {dir}/tls.key
anonymous = yes

[listener ws]
type = ws
address = 127.0.0.1
port = {ws}
anonymous = yes

[web]
"""
# Of one absent client, who is usually not sent so much in a second.
HEARTH_KEEP = """
[limits]
queue_messages = 1000000
queue_bytes = 268435456
queue_bytes_total = 268435456
"""


def make_certificate(directory):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                    "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                    "-subj", "/CN=localhost", "-keyout",
                    os.path.join(directory, "tls.key"), "-out",
                    os.path.join(directory, "tls.crt")],
                   check=True, capture_output=True)


def cores():
    have = sorted(os.sched_getaffinity(0))
    return ({have[0]}, {have[1]}) if len(have) > 1 else (None, None)


BROKER_CORE, LOAD_CORE = cores()

# Where files lie that are to be kept: /tmp may be in memory.
DISK = "/var/tmp"


class Card:
    """A slow one, simulated in front of files that lie in memory."""
    LIBRARY = os.path.join(hub.BUILD, "tests", "bench", "libslow_card.so")
    DIRECTORY = "/dev/shm"
    SYNC_MS, MB_PER_SECOND = 10, 20

    def __init__(self):
        # What the library counts: struct card_count.
        self.fd, self.path = tempfile.mkstemp(prefix="hearth-card-",
                                              dir=self.DIRECTORY)
        os.ftruncate(self.fd, 4096)
        os.chmod(self.path, 0o666)
        self.env = {"LD_PRELOAD": self.LIBRARY, "SLOW_CARD": self.path,
                    "SLOW_CARD_MS": str(self.SYNC_MS),
                    "SLOW_CARD_MBS": str(self.MB_PER_SECOND)}

    @classmethod
    def available(cls):
        """Not beside a sanitizer, which is itself preloaded."""
        return os.path.exists(cls.LIBRARY)

    def end(self):
        os.close(self.fd)
        os.unlink(self.path)


class Hearth:
    """With more listeners only where they are measured: they take memory."""
    name = "hearthd"
    saves = False  # at a signal: it has written before

    def __init__(self, more=False, keep=False, card=None):
        self.card = card
        self.hub = hub.Hub(config=hub.PLAIN + (HEARTH_KEEP if keep else ""),
                           env=card.env if card else None,
                           affinity=BROKER_CORE)
        if keep:
            self.hub.move(card.DIRECTORY if card else DISK)
        self.ports = {}
        if more:
            tls, websocket = hub.free_ports(2)
            self.ports = {TLS: tls, WEBSOCKET: websocket}
            make_certificate(self.hub.scratch)
            self.hub.config = hub.PLAIN.replace("[web]\n", HEARTH_MORE.format(
                port=tls, ws=websocket, dir=self.hub.scratch))
        self.hub.start()
        self.hub.open_to_all()
        self.ports[PLAIN], self.pid = self.hub.mqtt_port, self.hub.pid

    def end(self):
        self.hub.stop()
        self.hub.close()
        if self.card:
            self.card.end()


class Mosquitto:
    name = "mosquitto"

    def __init__(self, more=False, keep=False, card=None):
        self.card, self.saves = card, keep
        self.dir = tempfile.mkdtemp(
            prefix="hearth-bench-",
            dir=card.DIRECTORY if card else DISK if keep else None)
        # Started as root it becomes a user of its own, who reads the key.
        os.chmod(self.dir, 0o755)
        port, tls = hub.free_ports(2)
        # Debian builds it without WebSocket.
        self.ports = {PLAIN: port, TLS: tls}
        path = os.path.join(self.dir, "mosquitto.conf")
        with open(path, "w", encoding="ascii") as out:
            out.write(MOSQUITTO_CONF.format(port=port))
            if more:
                make_certificate(self.dir)
                os.chmod(os.path.join(self.dir, "tls.key"), 0o644)
                out.write(MOSQUITTO_TLS.format(port=tls, dir=self.dir))
            if keep:
                os.mkdir(os.path.join(self.dir, "kept"))
                os.chmod(os.path.join(self.dir, "kept"), 0o777)
                out.write(MOSQUITTO_KEEP.format(dir=self.dir))
        with open(os.path.join(self.dir, "log"), "w", encoding="ascii") as log:
            self.process = subprocess.Popen(
                [shutil.which("mosquitto") or "/usr/sbin/mosquitto", "-c", path],
                stdout=log, stderr=log, cwd=self.dir,
                env=dict(os.environ, **(card.env if card else {})),
                preexec_fn=lambda: BROKER_CORE and
                os.sched_setaffinity(0, BROKER_CORE))
        self.pid = self.process.pid
        hub.until("mosquitto to listen", lambda: hub.listening(port))

    def end(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(hub.DEADLINE)
        shutil.rmtree(self.dir, ignore_errors=True)
        if self.card:
            self.card.end()


def written(broker):
    """Bytes of pages that the process has made dirty, of files on a disk."""
    with open(f"/proc/{broker.pid}/io", encoding="ascii") as file:
        return next(int(line.split()[1]) for line in file
                    if line.startswith("write_bytes"))
