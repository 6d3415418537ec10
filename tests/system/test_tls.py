#!/usr/bin/env python3
"""MQTT over TLS with real clients: server certificate, client certificates as
users, revocation, and what is refused."""
import os
import socket
import ssl
import subprocess
import warnings

import hub
import mqtt
from cases import Cases, equal

CONF = """\
[hearth]
data_dir = {data}
node = tls

[listener plain]
port = {mqtt}

[listener tls]
port = TLS
tls_cert = PKI/server.crt
tls_key = PKI/server.key

[listener names]
type = tls
port = NAMES
tls_cert = PKI/server.crt
tls_key = PKI/server.key
tls_sni = PKI/other.crt PKI/other.key

[listener modern]
port = MODERN
tls_cert = PKI/server.crt
tls_key = PKI/server.key
tls_min = 1.3

[listener mail]
port = MAIL
tls_cert = PKI/server.crt
tls_key = PKI/server.key
tls_client_ca = PKI/ca.crt
tls_user = san-email

[listener mutual]
port = MUTUAL
tls_cert = PKI/server.crt
tls_key = PKI/server.key
tls_client_ca = PKI/ca.crt
tls_client_crl = PKI/ca.crl
tls_user = yes

[web]
port = {web}

[gpio]
backend = off
"""
CA_CONF = """\
[ca]
default_ca = ours
[ours]
database = PKI/index.txt
crlnumber = PKI/crlnumber
default_md = sha256
default_crl_days = 1
certificate = PKI/ca.crt
private_key = PKI/ca.key
"""


def openssl(pki, *args):
    subprocess.run(["openssl", *args], cwd=pki, check=True,
                   capture_output=True)


def issue(pki, name, subject, extra=""):
    """A key and a certificate of our CA."""
    openssl(pki, "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
            "-nodes", "-keyout", f"{name}.key", "-out", f"{name}.csr",
            "-subj", subject)
    with open(os.path.join(pki, f"{name}.ext"), "w", encoding="ascii") as out:
        out.write("basicConstraints=CA:FALSE\n"
                  "subjectKeyIdentifier=hash\n"
                  "authorityKeyIdentifier=keyid\n" + extra)
    openssl(pki, "x509", "-req", "-in", f"{name}.csr", "-CA", "ca.crt", "-CAkey",
            "ca.key", "-CAcreateserial", "-days", "2", "-extfile",
            f"{name}.ext", "-out", f"{name}.crt")


def make_pki(pki):
    os.makedirs(pki)
    openssl(pki, "req", "-x509", "-newkey", "ec", "-pkeyopt",
            "ec_paramgen_curve:P-256", "-nodes", "-keyout", "ca.key", "-out",
            "ca.crt", "-days", "2", "-subj", "/CN=hearth test CA", "-addext",
            "keyUsage=critical,keyCertSign,cRLSign")
    issue(pki, "server", "/CN=hub",
          "subjectAltName=DNS:localhost,IP:127.0.0.1\n")
    issue(pki, "other", "/CN=other", "subjectAltName=DNS:hub.example\n")
    issue(pki, "mail", "/CN=nobody",
          "subjectAltName=email:kitchen@hub.example,DNS:kitchen\n")
    for name, subject in (("kitchen", "/CN=kitchen"), ("nobody", "/CN=nobody"),
                          ("lost", "/CN=kitchen/O=lost")):
        issue(pki, name, subject)
    with open(os.path.join(pki, "ca.cnf"), "w", encoding="ascii") as out:
        out.write(CA_CONF.replace("PKI", pki))
    open(os.path.join(pki, "index.txt"), "w", encoding="ascii").close()
    with open(os.path.join(pki, "crlnumber"), "w", encoding="ascii") as out:
        out.write("01\n")
    openssl(pki, "ca", "-config", "ca.cnf", "-revoke", "lost.crt")
    openssl(pki, "ca", "-config", "ca.cnf", "-gencrl", "-out", "ca.crl")


class Tls:
    def __init__(self):
        (self.tls_port, self.mutual_port, self.names_port, self.modern_port,
         self.mail_port) = hub.free_ports(5)
        self.hub = hub.Hub()
        self.pki = os.path.join(self.hub.scratch, "pki")
        make_pki(self.pki)
        self.hub.config = (CONF.replace("PKI", self.pki)
                           .replace("NAMES", str(self.names_port))
                           .replace("MODERN", str(self.modern_port))
                           .replace("MAIL", str(self.mail_port))
                           .replace("TLS", str(self.tls_port))
                           .replace("MUTUAL", str(self.mutual_port)))
        self.hub.start()
        self.hub.claim()
        self.hub.rest("PUT", "/users/kitchen", {"password": "kitchen password",
                                                "kind": "device"})
        self.hub.rest("PUT", "/users/kitchen@hub.example",
                      {"password": "kitchen password", "kind": "device"})
        hub.until("the TLS listeners", lambda: hub.listening(self.tls_port) and
                  hub.listening(self.mutual_port))

    def file(self, name):
        return os.path.join(self.pki, name)

    def mosquitto_pub(self, port, *args):
        return subprocess.run(
            ["mosquitto_pub", "-h", "localhost", "-p", str(port), "--cafile",
             self.file("ca.crt"), "-t", "kitchen/state", "-m", "on", "-q", "1",
             *args], capture_output=True, text=True, timeout=hub.DEADLINE,
            check=False)

    def certificate(self, name):
        return ["--cert", self.file(f"{name}.crt"),
                "--key", self.file(f"{name}.key")]


def password_over_tls(tls):
    for version in ("mqttv311", "mqttv5"):
        done = tls.mosquitto_pub(tls.tls_port, "-V", version, "-u", "kitchen",
                                 "-P", "kitchen password")
        equal(done.returncode, 0, done.stderr)
    done = tls.mosquitto_pub(tls.tls_port, "-u", "kitchen", "-P", "wrong one")
    assert done.returncode != 0, "a wrong password was let in"


def versions_and_alpn(tls):
    context = ssl.create_default_context(cafile=tls.file("ca.crt"))
    context.set_alpn_protocols(["mqtt"])
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        context.minimum_version = context.maximum_version = version
        with socket.create_connection(("127.0.0.1", tls.tls_port),
                                      hub.DEADLINE) as raw:
            with context.wrap_socket(raw, server_hostname="localhost") as s:
                equal(s.selected_alpn_protocol(), "mqtt", str(version))
    old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    old.check_hostname, old.verify_mode = False, ssl.CERT_NONE
    old.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        old.minimum_version = ssl.TLSVersion.TLSv1
        old.maximum_version = ssl.TLSVersion.TLSv1_1
    try:
        with socket.create_connection(("127.0.0.1", tls.tls_port),
                                      hub.DEADLINE) as raw:
            old.wrap_socket(raw)
    except (ssl.SSLError, OSError):
        return
    raise AssertionError("TLS 1.1 was accepted")


def certificate_is_the_user(tls):
    done = tls.mosquitto_pub(tls.mutual_port, *tls.certificate("kitchen"))
    equal(done.returncode, 0, done.stderr)
    # The hub has heard from the user, whatever name was claimed besides.
    done = tls.mosquitto_pub(tls.mutual_port, *tls.certificate("kitchen"), "-u",
                             "admin", "-P", "x", "-t", "forbidden", "-V",
                             "mqttv5")
    assert "uthorized" in done.stderr + done.stdout, done.stderr


def certificates_refused(tls):
    for name in ("nobody", "lost"):
        done = tls.mosquitto_pub(tls.mutual_port, *tls.certificate(name))
        assert done.returncode != 0, f"{name} was let in"
    done = tls.mosquitto_pub(tls.mutual_port)
    assert done.returncode != 0, "no certificate, and let in"


def subject(tls, port, name, version=ssl.TLSVersion.TLSv1_2):
    """The Common Name shown to who asks for name."""
    context = ssl.create_default_context(cafile=tls.file("ca.crt"))
    context.check_hostname = False
    context.maximum_version = version
    with socket.create_connection(("127.0.0.1", port), hub.DEADLINE) as raw:
        with context.wrap_socket(raw, server_hostname=name) as s:
            found = dict(x[0] for x in s.getpeercert()["subject"])
            return found["commonName"]


def certificate_by_name(tls):
    for name, wanted in (("localhost", "hub"), ("hub.example", "other"),
                         ("unknown.example", "hub")):
        equal(subject(tls, tls.names_port, name), wanted, name)


def sessions_are_resumed(tls):
    """By both versions; openssl says so itself."""
    for version in ("-tls1_2", "-tls1_3"):
        ticket = tls.file(f"ticket{version}")
        for extra, wanted in ((["-sess_out", ticket], "New"),
                              (["-sess_in", ticket], "Reused")):
            # A refused CONNECT ends it; tickets of 1.3 come before.
            done = subprocess.run(
                ["openssl", "s_client", "-connect",
                 f"127.0.0.1:{tls.tls_port}", "-CAfile", tls.file("ca.crt"),
                 "-ign_eof", version, *extra],
                input=mqtt.connect(mqtt.V311, "t"), capture_output=True,
                timeout=hub.DEADLINE, check=False)
            assert f"\n{wanted}, TLSv1".encode() in done.stdout, done.stdout


def only_the_newest(tls):
    newest = ssl.TLSVersion.TLSv1_3
    equal(subject(tls, tls.modern_port, "localhost", newest), "hub")
    try:
        subject(tls, tls.modern_port, "localhost")
    except ssl.SSLError:
        return
    raise AssertionError("TLS 1.2 was accepted")


def user_by_alternative_name(tls):
    done = tls.mosquitto_pub(tls.mail_port, *tls.certificate("mail"))
    equal(done.returncode, 0, done.stderr)
    hub.until("its user in the log", lambda: any(
        "connected as user kitchen@hub.example" in line
        for line in tls.hub.logged()))
    done = tls.mosquitto_pub(tls.mail_port, *tls.certificate("kitchen"))
    assert done.returncode != 0, "a Common Name was taken for an address"


def plain_bytes_end(tls):
    before = hub.descriptors(tls.hub.pid)
    for _ in range(20):
        with socket.create_connection(("127.0.0.1", tls.tls_port),
                                      hub.DEADLINE) as raw:
            raw.sendall(b"\x10\x0c\x00\x04MQTT\x04\x02\x00\x00\x00\x00")
            raw.settimeout(hub.DEADLINE)
            try:
                while raw.recv(100):
                    pass
            except ConnectionResetError:
                pass
    hub.until("the descriptors back",
              lambda: hub.descriptors(tls.hub.pid) <= before)


def large_messages(tls):
    """More than one TLS record, both ways, through the same connection."""
    payload = tls.file("large")
    with open(payload, "wb") as out:
        out.write(bytes(range(256)) * 1200)
    login = ["-u", "kitchen", "-P", "kitchen password"]
    sub = subprocess.Popen(
        ["mosquitto_sub", "-h", "localhost", "-p", str(tls.tls_port), "--cafile",
         tls.file("ca.crt"), "-t", "kitchen/large", "-C", "1", "-q", "1", "-N",
         "-i", "large", *login], stdout=subprocess.PIPE)
    hub.until("the subscriber", lambda: any(
        c["id"] == "large" and c["subscriptions"] == 1
        for c in tls.hub.rest("GET", "/clients")["clients"]))
    subprocess.run(["mosquitto_pub", "-h", "localhost", "-p", str(tls.tls_port),
                    "--cafile", tls.file("ca.crt"), "-t", "kitchen/large", "-f",
                    payload, "-q", "1", *login], check=True,
                   timeout=hub.DEADLINE)
    found = sub.communicate(timeout=hub.DEADLINE)[0]
    equal(len(found), 256 * 1200, "bytes")
    assert found == bytes(range(256)) * 1200, "the bytes differ"


def main():
    cases = Cases()
    tls = Tls()
    try:
        for function in (password_over_tls, versions_and_alpn,
                         certificate_is_the_user, certificates_refused,
                         certificate_by_name, sessions_are_resumed,
                         only_the_newest, user_by_alternative_name,
                         plain_bytes_end, large_messages):
            cases.case(function.__name__.replace("_", " "), function, tls)
    finally:
        tls.hub.close()
    cases.end()


if __name__ == "__main__":
    main()
