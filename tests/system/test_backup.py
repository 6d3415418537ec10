"""Backups of a hub that works: taken away, taken back, refused when damaged."""
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading

import hub
import mqtt
from cases import Cases, equal
from mqtt import V311
from programs import ctl, ctl_json

cases = Cases()
PASSPHRASE = "correct horse battery staple"
CHUNK = 65536 + 20  # of the file, behind a head of 80 bytes


def conf_hub(extra=""):
    daemon = hub.Hub(config=hub.PLAIN + extra)
    daemon.start()
    daemon.open_to_all()
    return daemon


def path(daemon, name):
    return os.path.join(daemon.scratch, name)


def write(where, text):
    with open(where, "w", encoding="utf-8") as out:
        out.write(text)
    return where


def retained(daemon):
    """topic: payload of all that is kept, as a new client is told."""
    found = {}
    with mqtt.client(daemon.mqtt_port, V311, "looker") as conn:
        conn.subscribe(("load/#", 0), ("last/#", 0))
        for packet in conn.ping():
            found[packet.topic] = packet.payload
    return found


class Load(threading.Thread):
    """Publishes retained numbers at QoS 1, each acknowledged before the next."""

    def __init__(self, daemon):
        super().__init__(daemon=True)
        self.conn = mqtt.client(daemon.mqtt_port, V311, "load")
        self.acknowledged = -1
        self.sent = -1
        self.enough = threading.Event()

    def run(self):
        number = 0
        while not self.enough.is_set():
            self.sent = number
            self.conn.send(mqtt.publish(
                V311, f"load/{number % 50}", str(number).encode(), qos=1,
                packet_id=number % 65535 + 1, retain=True))
            self.conn.expect(mqtt.PUBACK)
            self.acknowledged = number
            number += 1

    def finish(self):
        self.enough.set()
        self.join()
        self.conn.close()


def one_commit(found, first, last):
    """Exactly the numbers 0 to some n of Load, n from first to last: each topic has
    the newest that it had then."""
    n = max(int(p) for p in found.values())
    assert first <= n <= last, (first, n, last)
    for i in range(min(50, n + 1)):
        wanted = n - (n - i) % 50
        equal(found[f"load/{i}"], str(wanted).encode(), f"load/{i} of {n}")


def begun_anew(daemon, times=1):
    """The same process, ready again."""
    def look():
        ready = [e for e in daemon.process.errors if " runs as node " in e]
        return len(ready) > times
    hub.until("the hub to begin anew", look)
    equal(daemon.process.running(), True)


def under_load(daemon, backup):
    """What comes back is the state at one commit, with all that had been
    acknowledged before the backup was asked for."""
    load = Load(daemon)
    load.start()
    hub.until("some load", lambda: load.acknowledged > 200)
    first = load.acknowledged
    secret = write(path(daemon, "secret"), PASSPHRASE + "\n")
    ctl(daemon, "backup", backup, "--passphrase-file", secret)
    last = load.sent
    hub.until("more load", lambda: load.acknowledged > last + 200)
    load.finish()
    equal(os.stat(backup).st_mode & 0o777, 0o600)
    ctl(daemon, "user", "add", "late", "--device")
    out = ctl(daemon, "restore", backup, "--passphrase-file", secret, "--yes")
    assert "node test" in out and "state.db" in out, out
    begun_anew(daemon)
    one_commit(retained(daemon), first, last)
    # The users are those of then, too.
    users = [u["name"] for u in ctl_json(daemon, "user", "list")["users"]]
    assert "late" not in users, users
    aside = [f for f in os.listdir(daemon.data) if f.startswith("before-")]
    equal(len(aside), 1)
    kept = sqlite3.connect(os.path.join(daemon.data, aside[0], "config.db"))
    equal(kept.execute("SELECT count(*) FROM users WHERE name = 'late'")
          .fetchone(), (1,))
    changes = kept.execute("SELECT what FROM audit ORDER BY id").fetchall()
    assert re.fullmatch(r"backup of \d{8}T\d{6}Z restored", changes[-1][0])
    kept.close()


def refused(daemon, file, words, *args):
    """By the hub that works and by hearthd --restore, and nothing changes."""
    before = retained(daemon)
    err = subprocess.run(
        [hub.program("hearthctl"), "--url",
         f"http://127.0.0.1:{daemon.web_port}", "--user", daemon.auth[0],
         "restore", file, "--yes", *args],
        env=dict(os.environ, HEARTH_PASSWORD=daemon.auth[1]), text=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, timeout=hub.DEADLINE, check=False)
    equal(err.returncode, 1, err.stderr)
    assert words in err.stderr, (words, err.stderr)
    equal(retained(daemon), before)
    found = offline(daemon, file, *args, data=path(daemon, "elsewhere"))
    equal(found.returncode, 1, found.stderr)
    assert words in found.stderr, (words, found.stderr)
    assert "nothing has been changed" in found.stderr, found.stderr
    left = os.listdir(path(daemon, "elsewhere"))
    equal([f for f in left if f != "lock"], [])


def offline(daemon, file, *args, data):
    """hearthd --restore into a data directory."""
    conf = write(path(daemon, "offline.conf"), daemon.config.format(
        data=data, mqtt=1, web=1))
    return subprocess.run(
        [hub.program("hearthd"), "-c", conf, "--restore", file, *args],
        text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        timeout=hub.DEADLINE, check=False)


def damaged(daemon, backup):
    secret = ("--passphrase-file", path(daemon, "secret"))
    wrong = write(path(daemon, "wrong"), "correct horse battery stable")
    with open(backup, "rb") as file:
        whole = file.read()
    copy = path(daemon, "copy")

    def give(data, words, *args):
        with open(copy, "wb") as out:
            out.write(data)
        refused(daemon, copy, words, *args)

    give(whole, "the passphrase is wrong", "--passphrase-file", wrong)
    give(whole, "a passphrase is needed")
    give(b"PK\3\4" + whole, "this is no backup of hearth", *secret)
    for at in (20, 70, 90, len(whole) // 2, len(whole) - 1):
        give(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1:],
             "is damaged", *secret)
    for at in list(range(80, len(whole), CHUNK)) + [len(whole) - 1]:
        give(whole[:at], "is cut off", *secret)
    give(whole + b"x", "it goes on after its end", *secret)
    give(whole[:9] + b"\2" + whole[10:], "written by a newer hearth", *secret)


def on_a_new_card(daemon, backup):
    """A directory with nothing in it, and no hub."""
    new = path(daemon, "new")
    secret = path(daemon, "secret")
    found = offline(daemon, backup, "--passphrase-file", secret, data=new)
    equal(found.returncode, 0, found.stderr)
    assert "restored: the backup of 20" in found.stdout, found.stdout
    aside = [f for f in os.listdir(new) if f.startswith("before-")]
    # What the machine itself must decide on.
    assert "restored-hearth.conf" in os.listdir(os.path.join(new, aside[0]))
    daemon.stop()
    shutil.move(daemon.data, path(daemon, "old"))
    shutil.move(new, daemon.data)
    daemon.start(new_ports=False)
    assert len(retained(daemon)) == 50
    # While it runs, nobody else may.
    found = offline(daemon, backup, "--passphrase-file", secret,
                    data=daemon.data)
    equal(found.returncode, 1)
    assert "in use by another hearthd" in found.stderr, found.stderr


def kept_ones(daemon):
    equal(ctl_json(daemon, "backups", "list")["backups"], [])
    equal(ctl(daemon, "backups", "make").strip(), "1")
    with mqtt.client(daemon.mqtt_port, V311, "last") as conn:
        conn.send(mqtt.publish(V311, "last/x", b"after", qos=1, packet_id=1,
                               retain=True))
        conn.expect(mqtt.PUBACK)
    for number in (2, 3, 4):
        equal(ctl(daemon, "backups", "make").strip(), str(number))
    found = ctl_json(daemon, "backups", "list")
    equal([b["number"] for b in found["backups"]], [4, 3, 2])
    equal(found["last"]["ok"], True)
    equal(found["nightly"]["keep"], 3)
    taken = path(daemon, "taken")
    ctl(daemon, "backups", "get", "2", taken)
    equal(os.path.getsize(taken), found["backups"][2]["bytes"])
    ctl(daemon, "backups", "get", "1", path(daemon, "none"), status=1)
    equal(os.path.exists(path(daemon, "none")), False)
    # An existing file is not overwritten.
    ctl(daemon, "backup", taken, status=2)
    ctl(daemon, "restore", "--kept", "2", "--yes")
    begun_anew(daemon)
    equal(retained(daemon)["last/x"], b"after")
    # Nobody has said yes.
    ctl(daemon, "restore", "--kept", "2", status=1)
    equal([f for f in os.listdir(daemon.data) if f.startswith("restore-")], [])


def cut_while_restoring(daemon):
    """Killed between saying yes and the new start: it goes on."""
    with mqtt.client(daemon.mqtt_port, V311, "last") as conn:
        conn.send(mqtt.publish(V311, "last/x", b"newer", qos=1, packet_id=1,
                               retain=True))
        conn.expect(mqtt.PUBACK)
    ctl(daemon, "restore", "--kept", "4", "--yes")
    daemon.kill()
    daemon.start(new_ports=False)
    equal(retained(daemon)["last/x"], b"after")


def main():
    daemon = conf_hub()
    backup = path(daemon, "house.hearth")
    try:
        if cases.case("a backup under load is the state at one commit",
                      under_load, daemon, backup):
            cases.case("damage, truncation and wrong passphrases are refused",
                       damaged, daemon, backup)
            cases.case("a new card gets everything back", on_a_new_card,
                       daemon, backup)
        equal(daemon.stop(signal.SIGTERM), 0)
    finally:
        daemon.close()
    daemon = conf_hub("\n[backup]\nkeep = 3\n")
    try:
        cases.case("backups are kept, taken away and taken back", kept_ones,
                   daemon)
        cases.case("a cut while restoring is gone on from",
                   cut_while_restoring, daemon)
        equal(daemon.stop(signal.SIGTERM), 0)
    finally:
        daemon.close()
    cases.end()


if __name__ == "__main__":
    sys.exit(main())
