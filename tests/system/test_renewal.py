"""Certificates renewed while the house is busy: nobody is dropped, nothing is lost,
and whoever comes is shown one or the other, never neither."""
import os
import shutil
import signal
import ssl
import sys
import threading

import hub
import mqtt
from cases import Cases, equal
from mqtt import V5
from test_tls import issue, make_pki

cases = Cases()

CONF = hub.PLAIN + """
[listener tls]
address = 127.0.0.1
port = 0
anonymous = yes
tls_cert = PKI/server.crt
tls_key = PKI/server.key
"""
RENEWALS = 20
READERS = 12
BURST = 25


class House:
    def __init__(self):
        self.daemon = hub.Hub()
        self.pki = os.path.join(self.daemon.scratch, "pki")
        make_pki(self.pki)
        self.serials = []
        for name in ("first", "second"):
            issue(self.pki, name, f"/CN={name}",
                  "subjectAltName=IP:127.0.0.1\n")
        self.install("first")
        self.daemon.config = CONF.replace("PKI", self.pki)
        self.daemon.start()
        self.daemon.open_to_all()
        self.port = int(hub.find_line(self.daemon.process,
                                      r"tls: on \S+ port (\d+)").group(1))
        self.context = ssl.create_default_context(
            cafile=os.path.join(self.pki, "ca.crt"))
        self.stop = threading.Event()
        self.errors = []
        self.bursts = self.visits = 0

    def install(self, name):
        """As a renewal does: each file at once, one after the other."""
        for end in ("key", "crt"):
            copy = os.path.join(self.pki, f"new.{end}")
            shutil.copy(os.path.join(self.pki, f"{name}.{end}"), copy)
            os.replace(copy, os.path.join(self.pki, f"server.{end}"))

    def visit(self, name):
        """A connection whose certificate was checked, and its name."""
        conn = mqtt.Conn(self.port, V5)
        conn.socket = self.context.wrap_socket(conn.socket,
                                               server_hostname="127.0.0.1")
        conn.connect(name)
        shown = dict(pair[0] for pair in conn.socket.getpeercert()["subject"])
        return conn, shown["commonName"]

    def run(self, function):
        """In a thread, until it is told to stop; what goes wrong is kept."""
        def loop():
            try:
                function()
            except Exception as error:  # pylint: disable=broad-except
                self.errors.append(error)
        thread = threading.Thread(target=loop)
        thread.start()
        return thread

    def traffic(self):
        """All readers get each message of each burst, in order."""
        readers = [self.visit(f"reader{n}")[0] for n in range(READERS)]
        for conn in readers:
            equal(conn.subscribe(("busy/#", 1)), [1])
        writer = self.visit("writer")[0]
        while not self.stop.is_set():
            first = self.bursts * BURST
            writer.send(*[mqtt.publish(V5, "busy/a", b"%d" % (first + at), 1,
                                       at + 1) for at in range(BURST)])
            equal([writer.expect(mqtt.PUBACK).id for _ in range(BURST)],
                  list(range(1, BURST + 1)))
            for conn in readers:
                packets = [conn.expect(mqtt.PUBLISH) for _ in range(BURST)]
                equal([int(p.payload) for p in packets],
                      list(range(first, first + BURST)))
                conn.send(*[mqtt.ack(mqtt.PUBACK, p.id) for p in packets])
            self.bursts += 1
        for conn in readers + [writer]:
            conn.disconnect()

    def visitors(self):
        while not self.stop.is_set():
            conn, name = self.visit("visitor")
            assert name in ("first", "second"), name
            conn.disconnect()
            self.visits += 1

    def check(self):
        assert not self.errors, self.errors


def renew(house, turn):
    """The new one is shown, while at least one burst and one visit go through."""
    name = ("second", "first")[turn % 2]
    bursts, visits = house.bursts, house.visits
    house.install(name)
    os.kill(house.daemon.pid, signal.SIGHUP)

    def shown():
        house.check()
        conn, found = house.visit("watcher")
        conn.disconnect()
        return found == name
    hub.until(f"certificate {turn}", shown)
    hub.until("the others to go on", lambda: house.errors or
              (house.bursts > bursts and house.visits > visits))
    house.check()


def spoil(house):
    """A renewal that went wrong: the last good one stays."""
    with open(os.path.join(house.pki, "server.crt"), "w",
              encoding="ascii") as out:
        out.write("half of a file")
    before = len(house.daemon.logged())
    os.kill(house.daemon.pid, signal.SIGHUP)
    hub.until("the refusal", lambda: any(
        "nothing has changed" in line
        for line in house.daemon.logged()[before:]))
    conn, name = house.visit("watcher")
    equal(name, "first")
    conn.disconnect()


def under_load(house):
    fds = hub.descriptors(house.daemon.pid)
    threads = [house.run(house.traffic), house.run(house.visitors)]
    try:
        hub.until("the first burst", lambda: house.errors or house.bursts)
        renew(house, 0)
        renew(house, 1)
        before = hub.memory(house.daemon.pid)["Private_Dirty"]
        for turn in range(2, RENEWALS):
            renew(house, turn)
        spoil(house)
        grown = hub.memory(house.daemon.pid)["Private_Dirty"] - before
        assert grown < 4096 or hub.sanitized(), f"{grown} KiB"
    finally:
        house.stop.set()
        for thread in threads:
            thread.join()
    house.check()
    print(f"# {RENEWALS} renewals, {house.bursts * BURST * READERS} messages, "
          f"{house.visits} visitors, {grown} KiB")
    hub.until("descriptors to be given back",
              lambda: hub.descriptors(house.daemon.pid) <= fds)


def main():
    house = House()
    try:
        cases.case(f"{RENEWALS} certificates under load", under_load, house)
        cases.case("and it ends cleanly",
                   lambda: equal(house.daemon.stop(), 0))
    finally:
        house.daemon.close()
    cases.end()


if __name__ == "__main__":
    sys.exit(main())
