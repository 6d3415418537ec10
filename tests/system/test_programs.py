"""The programs as a person uses them: configuration, first start, command line."""
import os
import signal
import socket
import stat
import sys
import tempfile

import hub
import mqtt
from cases import Cases, equal
from mqtt import V311, V5
from programs import ctl, ctl_json, run

cases = Cases()


# ---- hearth.conf ----------------------------------------------------------

LISTENER = "[listener lan]\nport = 1883\n"
GOOD = "[hearth]\ndata_dir = /var/lib/hearth\n" + LISTENER

# What is wrong, the file, and (line, part of the message) of each error wanted.
BAD = [
    ("an unknown key", GOOD + "colour = red\n", [(5, "colour")]),
    ("an unknown section", GOOD + "[light]\n", [(5, "light")]),
    ("a port out of range", "[listener lan]\nport = 70000\n", [(2, "65535")]),
    ("a port that is no number", "[listener lan]\nport = many\n",
     [(2, "port")]),
    ("an address that is none", GOOD + "address = kitchen\n",
     [(5, "address")]),
    ("a key given twice", GOOD + "port = 1884\n", [(5, "port")]),
    ("a listener twice", GOOD + "[listener lan]\nport = 1884\n", [(5, "lan")]),
    ("neither yes nor no", GOOD + "anonymous = perhaps\n", [(5, "yes")]),
    ("a limit of 0 (CVE-2026-42209)", GOOD + "[limits]\npacket_size = 0\n",
     [(6, "packet_size")]),
    ("a relative data directory", "[hearth]\ndata_dir = x\n" + LISTENER,
     [(2, "data_dir")]),
    ("a certificate without key", GOOD + "[web]\ntls_cert = /c.pem\n",
     [(0, "tls_key")]),
    ("a node that is two levels", "[hearth]\nnode = a/b\n" + LISTENER,
     [(2, "node")]),
    ("no listener", "[hearth]\nnode = a\n", [(0, "listener")]),
    ("several at once", "[hearth]\nnode = a+b\nx = 1\n[listener lan]\n"
     "port = 0x7\n", [(2, "node"), (3, "x"), (5, "port")]),
    ("a line that is none", GOOD + "what is this\n", [(5, "")]),
    ("a key outside a section", "port = 1\n" + GOOD, [(1, "")]),
]


def check_file(text):
    with tempfile.NamedTemporaryFile("w", suffix=".conf") as file:
        file.write(text)
        file.flush()
        done = run("hearthd", "-c", file.name, "--check")
        return done, file.name


def good_config(text):
    done, _ = check_file(text)
    equal(done.returncode, 0, done.stderr)


def bad_config(text, errors):
    done, name = check_file(text)
    equal(done.returncode, 2, done.stderr)
    lines = [line for line in (done.stderr + done.stdout).splitlines()
             if name in line]
    for number, part in errors:
        wanted = f"{name}:{number}" if number else name
        found = [line for line in lines if wanted in line and part in line]
        assert found, f"no line with {wanted} and {part!r} in {lines}"
    assert len(lines) == len(errors), lines
    # It is not served either.
    with tempfile.NamedTemporaryFile("w", suffix=".conf") as file:
        file.write(text)
        file.flush()
        equal(run("hearthd", "-c", file.name).returncode, 2)


def configuration():
    with open(os.path.join(hub.TOP, "etc", "hearth.conf"),
              encoding="utf-8") as file:
        shipped = file.read()
    cases.case("the shipped hearth.conf is valid", good_config, shipped)
    cases.case("the smallest one is valid", good_config, GOOD)
    for name, text, errors in BAD:
        cases.case(f"hearth.conf with {name}", bad_config, text, errors)
    cases.case("a missing file", lambda: equal(
        run("hearthd", "-c", "/nowhere/hearth.conf", "--check").returncode, 2))


def options():
    for name in ("hearthd", "hearth-gpiod", "hearthctl"):
        equal(run(name, "--help").returncode, 0, name)
        version = run(name, "--version")
        equal(version.returncode, 0, name)
        assert "0." in version.stdout or "1." in version.stdout, version
        equal(run(name, "--no-such-option").returncode, 2, name)
    equal(run("hearthd").returncode, 2, "hearthd alone")
    equal(run("hearthd", "--demo", "--mqtt-port", "99999").returncode, 2)


# ---- ports and directories ------------------------------------------------

def port_in_use(which):
    """Told in words, exit 1, and nothing left behind."""
    with socket.socket() as taken, hub.Hub() as daemon:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        with tempfile.TemporaryDirectory() as data:
            ports = {"--mqtt-port": "0", "--web-port": "0", which: port}
            done = run("hearthd", "--demo", "--data", os.path.join(data, "d"),
                       *[word for pair in ports.items() for word in pair])
        equal(done.returncode, 1, done.stderr)
        lines = [line for line in done.stderr.splitlines()
                 if port in line and "in use" in line]
        assert len(lines) == 1, done.stderr
        assert daemon.process.running()


def same_data_twice():
    """Two hearthd on one data directory would spoil it."""
    with hub.Hub() as daemon:
        done = run("hearthd", "--demo", "--data", daemon.data, "--mqtt-port",
                   "0", "--web-port", "0")
        equal(done.returncode, 1, done.stderr)
        assert daemon.data in done.stderr, done.stderr
        assert daemon.rest("GET", "/status")["store"]["state"] == "ok"


def modes():
    """CVE-2017-9868: nothing in the data directory is for others to read."""
    old = os.umask(0)
    try:
        with hub.Hub() as daemon:
            conn = mqtt.client(daemon.mqtt_port, V311, "modes", clean=False)
            conn.disconnect()
            found = {".": os.stat(daemon.data)}
            for name in os.listdir(daemon.data):
                found[name] = os.lstat(os.path.join(daemon.data, name))
    finally:
        os.umask(old)
    assert "state.db" in found and "config.db" in found
    for name, info in found.items():
        mode = stat.S_IMODE(info.st_mode)
        allowed = 0o660 if stat.S_ISSOCK(info.st_mode) else 0o700
        assert not mode & ~allowed, f"{name} has {mode:o}"


def same_login_again():
    with hub.Hub() as daemon:
        first = daemon.auth
        equal(daemon.stop(), 0)
        daemon.start(new_ports=False)
        equal(daemon.auth, first)
        equal(daemon.rest("GET", "/session")["user"], first[0])


# ---- first start ----------------------------------------------------------

def refused_connect(port, version, **options_):
    conn = mqtt.Conn(port, version)
    conn.send(mqtt.connect(version, "early", **options_))
    got = conn.until_closed()
    conn.close()
    assert not got or (got[0].kind == mqtt.CONNACK and got[0].reason), got


def unclaimed(daemon):
    """Nobody's box: MQTT is closed, REST says so, the page is served."""
    for version in mqtt.VERSIONS:
        refused_connect(daemon.mqtt_port, version)
        refused_connect(daemon.mqtt_port, version, user="admin", password="x")
    for method, path in (("GET", "/status"), ("GET", "/users"),
                         ("GET", "/pins"), ("GET", "/topics?filter=%23"),
                         ("POST", "/publish"), ("PUT", "/users/a")):
        status, _, body = hub.request(
            daemon.web_port, method, "/api/v1" + path,
            {} if method != "GET" else None, auth=("admin", "admin"))
        equal(status, 403, path)
        assert body["type"].endswith("unclaimed"), body
    status, _, page = hub.request(daemon.web_port, "GET", "/")
    equal(status, 200)
    assert b"<html" in page.lower()
    session = daemon.rest("GET", "/session")
    assert not session["claimed"] and not session["authenticated"], session


def token_of(daemon):
    path = os.path.join(daemon.data, "claim-token")
    equal(stat.S_IMODE(os.stat(path).st_mode), 0o600)
    with open(path, encoding="ascii") as file:
        return file.read().strip()


def claim(daemon):
    token = token_of(daemon)
    hub.find_line(daemon.process, token)
    user = {"user": "anna", "password": "a long enough one"}
    for wrong in ("", "x" * len(token), token[:-1]):
        status, _, _ = hub.request(daemon.web_port, "POST", "/api/v1/claim",
                                   {**user, "token": wrong})
        assert status in (403, 422, 429), status
    done = run("hearthctl", "--url", f"http://127.0.0.1:{daemon.web_port}",
               "claim", "anna", "--token-file",
               os.path.join(daemon.data, "claim-token"),
               "--new-password-file", "-", stdin=user["password"] + "\n")
    equal(done.returncode, 0, done.stderr)
    daemon.auth = ("anna", user["password"])
    assert daemon.rest("GET", "/session")["claimed"]
    # Once only, and the secret is gone.
    status, _, _ = hub.request(daemon.web_port, "POST", "/api/v1/claim",
                               {**user, "token": token})
    equal(status, 409)
    assert not os.path.exists(os.path.join(daemon.data, "claim-token"))


def open_after_claim(daemon):
    """The administrator by MQTT at once; nobody without a password."""
    for version in mqtt.VERSIONS:
        conn = mqtt.client(daemon.mqtt_port, version, "anna",
                           user="anna", password=daemon.auth[1])
        equal(conn.subscribe(("#", 0)), [0])
        conn.disconnect()
        refused_connect(daemon.mqtt_port, version)
        refused_connect(daemon.mqtt_port, version, user="anna", password="no")
        refused_connect(daemon.mqtt_port, version, user="eve", password="no")
    conn = mqtt.Conn(daemon.mqtt_port, V5)
    conn.send(mqtt.connect(V5, "eve", user="eve", password="no"))
    equal(conn.until_closed()[0].reason, 0x86)
    conn.close()


CLOSED = hub.PLAIN.replace("anonymous = yes\n", "")


def first_start():
    with hub.Hub(config=CLOSED) as daemon:
        cases.case("an unclaimed box is closed", unclaimed, daemon)
        cases.case("kill -9 keeps the token", keep_token, daemon)
        cases.case("the holder of the token claims it", claim, daemon)
        cases.case("then it is open to its users", open_after_claim, daemon)
        cases.case("hearthctl", hearthctl, daemon)
        cases.case("rights given and taken by hearthctl", rights, daemon)
        cases.case("users, rules and messages after a restart", restart,
                   daemon)
        cases.case("exit codes of hearthctl", exit_codes, daemon)


def keep_token(daemon):
    token = token_of(daemon)
    daemon.kill()
    daemon.start(new_ports=False)
    equal(token_of(daemon), token)


# ---- hearthctl ------------------------------------------------------------

def hearthctl(daemon):
    equal(ctl_json(daemon, "status")["node"], "test")
    assert "test" in ctl(daemon, "status")
    ctl(daemon, "user", "add", "ben", "--new-password-file", "-",
        stdin="another long one\n")
    names = [u["name"] for u in ctl_json(daemon, "user", "list")["users"]]
    assert {"anna", "ben"} <= set(names), names
    ctl(daemon, "pub", "ctl/hello", "grüß dich", "--retain", "--qos", "1")
    equal(ctl(daemon, "get", "ctl/hello").strip(), "grüß dich")
    client = mqtt.client(daemon.mqtt_port, V311, "ctl-client", user="anna",
                         password=daemon.auth[1])
    listed = ctl_json(daemon, "clients")
    assert any(c["id"] == "ctl-client" and c["connected"] for c in listed)
    ctl(daemon, "disconnect", "ctl-client")
    client.until_closed()
    client.close()


def device(daemon):
    """A device's user, and the password that was made for it."""
    answer = ctl_json(daemon, "user", "add", "sensor", "--device")
    return answer["password"]


def rights(daemon):
    """Nothing at first; then what a rule allows, at once and without a restart;
    then nothing again, also for a subscription made before."""
    password = device(daemon)
    conn = mqtt.client(daemon.mqtt_port, V5, "sensor", user="sensor",
                       password=password)
    equal(conn.subscribe(("home/#", 1)), [0x87])
    conn.send(mqtt.publish(V5, "home/temp", b"1", 1, 1))
    equal(conn.expect(mqtt.PUBACK).reason, 0x87)
    added = ctl_json(daemon, "acl", "add", "sensor", "readwrite", "home/#")
    equal(conn.subscribe(("home/#", 1)), [1])
    conn.send(mqtt.publish(V5, "home/temp", b"2", 1, 2))
    got = [conn.recv(), conn.recv()]
    equal(sorted(p.kind for p in got), [mqtt.PUBLISH, mqtt.PUBACK])
    equal([p.reason for p in got if p.kind == mqtt.PUBACK], [0])
    ctl(daemon, "acl", "test", "sensor", "write", "home/temp")
    ctl(daemon, "acl", "test", "sensor", "write", "other", status=1)
    ctl(daemon, "acl", "del", str(added["id"]))
    ctl(daemon, "pub", "home/temp", "3")
    equal([p for p in conn.ping() if p.kind == mqtt.PUBLISH], [])
    ctl(daemon, "user", "disable", "sensor")
    conn.until_closed()
    conn.close()
    refused_connect(daemon.mqtt_port, V5, user="sensor", password=password)
    ctl(daemon, "user", "enable", "sensor")
    ctl(daemon, "acl", "add", "sensor", "read", "home/%u/#")
    daemon.sensor = password


def restart(daemon):
    equal(daemon.stop(signal.SIGTERM), 0)
    daemon.start(new_ports=False)
    equal(ctl(daemon, "get", "ctl/hello").strip(), "grüß dich")
    conn = mqtt.client(daemon.mqtt_port, V5, "sensor", user="sensor",
                       password=daemon.sensor)
    equal(conn.subscribe(("home/sensor/#", 0), ("home/other/#", 0)),
          [0, 0x87])
    conn.disconnect()


def exit_codes(daemon):
    ctl(daemon, "status", user=("anna", "wrong"), status=4)
    ctl(daemon, "user", "list", user=("ben", "another long one"), status=4)
    ctl(daemon, "user", "del", "nobody", status=1)
    ctl(daemon, "user", "del", "anna", status=1)  # the last administrator
    ctl(daemon, "no-such-command", status=2)
    port = hub.free_ports(1)[0]
    done = run("hearthctl", "--url", f"http://127.0.0.1:{port}", "-u", "a",
               "status", env={"HEARTH_PASSWORD": "x"})
    equal(done.returncode, 3, done.stderr)


def main():
    configuration()
    cases.case("options and their errors", options)
    cases.case("the MQTT port is in use", port_in_use, "--mqtt-port")
    cases.case("the web port is in use", port_in_use, "--web-port")
    cases.case("a data directory is in use", same_data_twice)
    cases.case("modes of the data directory", modes)
    cases.case("the demo's login stays the same", same_login_again)
    first_start()
    cases.end()


if __name__ == "__main__":
    sys.exit(main())
