"""Enhanced authentication as its users meet it: a device with the password the hub
made for it, a person's password where hearth.conf says so, by MQTT.js; and byte by
byte what nobody should learn."""
import base64
import hashlib
import hmac
import os
import subprocess

import hub
import mqtt
from cases import Cases, equal
from mqtt import V5

cases = Cases()

CLIENT = os.path.join(hub.TOP, "tests", "clients", "mqtt_js_scram.mjs")
METHOD = mqtt.text("SCRAM-SHA-256")
NONCE = "fyko+d2lbbFgONRv9qkxdawL"

SCRAM = hub.PLAIN.replace("node = test", "node = test\nscram = yes")


def mqtt_js(daemon, user, password, topic):
    done = subprocess.run(
        ["node", CLIENT, f"mqtt://127.0.0.1:{daemon.mqtt_port}", user, password,
         topic], capture_output=True, text=True, check=False,
        timeout=2 * hub.DEADLINE)
    equal(done.returncode, 0, done.stderr)
    return done.stdout.splitlines()


def made_device(daemon, name):
    """The password that the hub made."""
    return daemon.rest("PUT", f"/users/{name}", {"kind": "device"})["password"]


def a_device_proves_its_password(daemon):
    password = made_device(daemon, "lamp")
    lines = mqtt_js(daemon, "lamp", password, "lamp/state/of/the/hall")
    equal(lines[0], "connected")
    got = [line.split() for line in lines[1:-1]]
    equal([(line[1], line[2]) for line in got],
          [("lamp/state/of/the/hall", str(n)) for n in range(10)])
    # The first says what the number stands for.
    assert 1 <= int(got[0][3]) <= 10, got[0]
    equal(got[0][4], "22")
    equal([line[3:] for line in got[1:]], [[got[0][3], "0"]] * 9)
    equal(lines[-1], "end")


def a_wrong_password_is_refused(daemon):
    password = made_device(daemon, "fan")
    equal(mqtt_js(daemon, "fan", password + "x", "fan/x"), ["refused 135"])
    equal(mqtt_js(daemon, "nobody", password, "fan/x"), ["refused 135"])
    # The right one, the old way: it is the same password.
    conn = mqtt.Conn(daemon.mqtt_port, V5)
    conn.send(mqtt.connect(V5, "fan", user="fan", password=password))
    equal(conn.expect(mqtt.CONNACK).reason, 0)


def a_new_password_ends_the_old_proof(daemon):
    old = made_device(daemon, "pump")
    equal(mqtt_js(daemon, "pump", old, "pump/x")[0], "connected")
    daemon.rest("PUT", "/users/pump", {"password": "chosen by hand"})
    equal(mqtt_js(daemon, "pump", old, "pump/x"), ["refused 135"])


def first(daemon, user):
    """(connection, what client-first says of itself, the hub's challenge)"""
    bare = f"n={user},r={NONCE}"
    conn = mqtt.Conn(daemon.mqtt_port, V5)
    conn.send(mqtt.connect(V5, "raw", properties=b"\x15" + METHOD + b"\x16" +
                           mqtt.text(f"n,,{bare}")))
    return conn, bare, challenge_of(conn)


def challenge_of(conn, reason=0x18):
    body = conn.expect(mqtt.AUTH).body
    equal(body[0], reason)
    equal(body[2:3] + body[3:5 + len("SCRAM-SHA-256")], b"\x15" + METHOD)
    data = body[2 + 1 + len(METHOD):]
    equal(data[0], 0x16)
    return data[3:].decode()


def proof(password, bare, challenge):
    parts = dict(part.split("=", 1) for part in challenge.split(","))
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(),
                                 base64.b64decode(parts["s"]), int(parts["i"]))

    def mac(key, message):
        return hmac.new(key, message.encode(), "sha256").digest()
    without = f"c=biws,r={parts['r']}"
    key = mac(salted, "Client Key")
    signature = mac(hashlib.sha256(key).digest(),
                    f"{bare},{challenge},{without}")
    signed = bytes(a ^ b for a, b in zip(key, signature))
    return f"{without},p={base64.b64encode(signed).decode()}"


def auth(reason, data):
    raw = b"\x15" + METHOD + b"\x16" + mqtt.text(data)
    return mqtt.packet(mqtt.AUTH, 0, bytes([reason]) + mqtt.props(V5, raw))


def it_may_be_proven_again(daemon):
    password = made_device(daemon, "door")
    conn, bare, challenge = first(daemon, "door")
    conn.send(auth(0x18, proof(password, bare, challenge)))
    equal(conn.expect(mqtt.CONNACK).reason, 0)
    conn.send(auth(0x19, f"n,,{bare}"))
    challenge = challenge_of(conn)
    conn.send(mqtt.packet(mqtt.PINGREQ, 0, b""))
    conn.expect(mqtt.PINGRESP)
    conn.send(auth(0x18, proof(password, bare, challenge)))
    assert challenge_of(conn, 0).startswith("v=")
    conn.send(auth(0x19, f"n,,{bare}"))
    challenge = challenge_of(conn)
    conn.send(auth(0x18, proof(password + "x", bare, challenge)))
    equal(conn.expect(mqtt.DISCONNECT).body[0], 0x87)


def salt_of(daemon, user):
    conn, _, challenge = first(daemon, user)
    conn.close()
    return challenge.split(",")[1:]


def a_restart_tells_nobody_apart(daemon):
    made_device(daemon, "gate")
    before = [salt_of(daemon, name) for name in ("gate", "nobody")]
    equal(daemon.stop(), 0)
    daemon.start()
    equal([salt_of(daemon, name) for name in ("gate", "nobody")], before)


def a_person_chooses(daemon, wanted):
    daemon.rest("PUT", "/users/anna", {"password": "correct horse"})
    daemon.rest("POST", "/acl", {"user": "anna", "filter": "home/#",
                                 "action": "readwrite", "effect": "allow"})
    equal(mqtt_js(daemon, "anna", "correct horse", "home/hall")[0], wanted)


def a_person_from_before(daemon):
    daemon.rest("PUT", "/users/ben", {"password": "battery staple"})
    daemon.rest("POST", "/acl", {"user": "ben", "filter": "home/#",
                                 "action": "readwrite", "effect": "allow"})
    ben = ("ben", "battery staple")
    equal(daemon.rest("GET", "/session", auth=ben)["user"], "ben")
    equal(mqtt_js(daemon, *ben, "home/hall")[0], "refused 135")
    daemon.rest("PUT", "/users/cleo", {"password": "paper clip"})
    daemon.rest("POST", "/acl", {"user": "cleo", "filter": "home/#",
                                 "action": "readwrite", "effect": "allow"})
    daemon.stop()
    daemon.config = SCRAM
    daemon.start()
    # To the broker, the old way.
    equal(mqtt_js(daemon, "cleo", "paper clip", "home/hall")[0], "refused 135")
    conn = mqtt.Conn(daemon.mqtt_port, V5)
    conn.send(mqtt.connect(V5, "cleo", user="cleo", password="paper clip"))
    equal(conn.expect(mqtt.CONNACK).reason, 0)
    hub.until("a login by MQTT to let in", lambda: mqtt_js(
        daemon, "cleo", "paper clip", "home/hall")[0] == "connected")
    equal(mqtt_js(daemon, *ben, "home/hall")[0], "refused 135")
    equal(daemon.rest("GET", "/session", auth=ben)["user"], "ben")
    # A broker that is busy is told of the new table a second later.
    hub.until("the new keys to let in", lambda: mqtt_js(
        daemon, *ben, "home/hall")[0] == "connected")


def main():
    with hub.Hub() as daemon:
        cases.case("a device proves its password by MQTT.js, and is sent "
                   "aliases", a_device_proves_its_password, daemon)
        cases.case("a wrong password is refused", a_wrong_password_is_refused,
                   daemon)
        cases.case("a new password ends the old proof",
                   a_new_password_ends_the_old_proof, daemon)
        cases.case("a client proves itself again, or is put out",
                   it_may_be_proven_again, daemon)
        cases.case("a person's password is not kept for it",
                   a_person_chooses, daemon, "refused 135")
        cases.case("a restart tells nobody apart",
                   a_restart_tells_nobody_apart, daemon)
    with hub.Hub(hub.PLAIN) as daemon:
        daemon.claim()
        cases.case("a person from before has it after a login",
                   a_person_from_before, daemon)
    with hub.Hub(SCRAM) as daemon:
        daemon.claim()
        cases.case("where scram = yes it is", a_person_chooses, daemon,
                   "connected")
    cases.end()


main()
