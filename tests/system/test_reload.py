"""hearth.conf read anew while everything runs: all of it or nothing."""
import os
import signal
import ssl
import sys

import hub
import mqtt
from cases import Cases, equal
from mqtt import V5
from programs import ctl
from test_tls import issue, make_pki

cases = Cases()

CONF = hub.PLAIN + """
[listener tls]
address = 127.0.0.1
port = TLS
anonymous = yes
tls_cert = PKI/server.crt
tls_key = PKI/server.key

[limits]
message_rate = 0
"""


def peak(daemon):
    """How many connections fit, by trying one more than two."""
    conns = [mqtt.Conn(daemon.mqtt_port, V5) for _ in range(3)]
    fit = 0
    for number, conn in enumerate(conns):
        try:
            conn.send(mqtt.connect(V5, f"peak{number}"))
            fit += conn.expect(mqtt.CONNACK).reason == 0
        except (mqtt.Closed, OSError):
            pass
    for conn in conns:
        conn.close()
    return fit


def limits(daemon):
    """In force at once, for new connections; who is in stays in."""
    inside = mqtt.client(daemon.mqtt_port, V5, "inside")
    equal(peak(daemon), 3)
    daemon.write(("message_rate = 0", "flapping = 77"),
                 ("anonymous = yes\n\n[web]",
                  "anonymous = yes\nmax_connections = 2\n\n[web]"))
    told = ctl(daemon, "reload").splitlines()
    equal(sorted(told), ["[limits] flapping",
                         "[listener mqtt] max_connections"])
    equal(peak(daemon), 1)
    equal(inside.ping(), [])
    # What was taken is what counts from now on.
    equal(ctl(daemon, "reload"), "")
    daemon.write()
    equal(sorted(ctl(daemon, "reload").splitlines()), sorted(told))
    equal(peak(daemon), 3)
    inside.disconnect()


def by_signal(daemon):
    daemon.write(("message_rate = 0", "message_rate = 5"))
    os.kill(daemon.pid, signal.SIGHUP)
    hub.until("the reload", lambda: any(
        "[limits] message_rate has changed" in x for x in daemon.logged()))
    daemon.write()
    equal(ctl(daemon, "reload"), "[limits] message_rate\n")


def nothing_of_it(daemon, what, changes, wanted):
    """Every mistake is told with its line, and what was right in the same file is
    not taken either."""
    daemon.write(("message_rate = 0", "message_rate = 1"), *changes)
    done = ctl(daemon, "reload", status=1)
    for text in wanted:
        assert text in done, (what, done)
    hub.until("the log to tell", lambda: any(
        "nothing has changed" in x for x in daemon.logged()))
    daemon.write()
    equal(ctl(daemon, "reload"), "")


REFUSED = [
    ("a mistake", [("anonymous = yes\n\n[web]", "anonymous = maybe\n\n[web]")],
     ["line 9: anonymous = maybe: expected yes or no"]),
    ("two mistakes", [("anonymous = yes\n\n[web]", "anonymous = maybe\n\n[web]"),
                      ("message_rate = 1", "colour = red")],
     ["line 9: ", "line 26: colour"]),
    ("another port", [("port = {mqtt}", "port = 1")],
     ["[listener mqtt] port: a change needs a restart"]),
    ("a mount point", [("port = {mqtt}", "port = {mqtt}\nmount_point = a/")],
     ["[listener mqtt] mount_point: a change needs a restart"]),
    ("another node", [("node = test", "node = attic")],
     ["line 3: [hearth] node: a change needs a restart"]),
    ("a larger database", [("[limits]", "[store]\nstate_mb = 600\n\n[limits]")],
     ["[store] state_mb: a change needs a restart"]),
    ("a listener more", [("[limits]", "[listener more]\nport = 0\n\n[limits]")],
     ["[listener more]: a new one needs a restart"]),
    ("a listener less", [("[listener tls]", "[listener other]")],
     ["[listener other]: a new one", "[listener tls]: to take it away"]),
    ("a certificate that is none", [("server.crt", "server.key")],
     ["[listener tls]: its certificate cannot be used"]),
    ("a key that is not there", [("server.key", "none.key")],
     ["[listener tls]: its certificate cannot be used"]),
]


def serial(port):
    """A TLS connection that stays, and the serial number it was shown."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    conn = mqtt.Conn(port, V5)
    conn.socket = context.wrap_socket(conn.socket)
    der = conn.socket.getpeercert(binary_form=True)
    return conn, der


def certificates(daemon, port, pki):
    """New ones for new connections; those that are in go on with the old."""
    old, first = serial(port)
    old.connect("old")
    issue(pki, "server", "/CN=hub", "subjectAltName=DNS:localhost\n")
    equal(ctl(daemon, "reload"), "")
    new, second = serial(port)
    assert first != second
    new.connect("new")
    equal(old.ping(), [])
    with open(os.path.join(pki, "server.crt"), "w", encoding="ascii") as out:
        out.write("this is none\n")
    ctl(daemon, "reload", status=1)
    third, still = serial(port)
    equal(still, second)
    for conn in (old, new, third):
        conn.close()
    issue(pki, "server", "/CN=hub", "subjectAltName=DNS:localhost\n")


def main():
    port = hub.free_ports(1)[0]
    daemon = hub.Hub(CONF)
    pki = os.path.join(daemon.scratch, "pki")
    make_pki(pki)
    daemon.config = CONF.replace("TLS", str(port)).replace("PKI", pki)
    with daemon:
        daemon.open_to_all()
        cases.case("limits", limits, daemon)
        cases.case("by SIGHUP", by_signal, daemon)
        for what, changes, wanted in REFUSED:
            cases.case(f"refused whole: {what}", nothing_of_it, daemon, what,
                       changes, wanted)
        cases.case("certificates", certificates, daemon, port, pki)
        equal(daemon.stop(), 0)
    cases.end()


if __name__ == "__main__":
    sys.exit(main())
