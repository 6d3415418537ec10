#!/usr/bin/env python3
"""Write the seeds of the fuzz targets for wire/ into corpus/, one file each.

Whole, valid inputs of every kind: a fuzzer finds the broken ones itself, but
would need ages to find a CONNECT. What a fuzzer found goes beside them by hand.
"""
import hashlib
import pathlib
import struct

HERE = pathlib.Path(__file__).parent / "corpus"


def text(value):
    value = value if isinstance(value, bytes) else value.encode()
    return struct.pack(">H", len(value)) + value


def varint(value):
    out = b""
    while True:
        value, low = value >> 7, value & 0x7F
        out += bytes([low | (0x80 if value else 0)])
        if not value:
            return out


def packet(first, body):
    return bytes([first]) + varint(len(body)) + body


def write(target, name, data):
    folder = HERE / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(data)


USER = b"\x26" + text("k") + text("v")
PROPERTIES = {
    "will": (0, b"\x01\x01\x02\0\0\0\x09\x18\0\0\0\x05\x08" + text("r/t") + USER),
    "connect": (1, b"\x11\xff\xff\xff\xff\x15" + text("m") + b"\x16" + text(b"\x80")
                + b"\x17\x01\x19\0\x21\0\x0a\x22\0\x05\x27\0\0\x10\0" + USER + USER),
    "connack": (2, b"\x11\0\0\0\1\x12" + text("id") + b"\x13\0\x3c\x1a" + text("i")
                + b"\x1c" + text("h") + b"\x1f" + text("why") + b"\x21\0\1\x22\0\0"
                + b"\x24\1\x25\1\x27\0\0\0\1\x28\1\x29\1\x2a\0" + USER),
    "publish": (3, b"\x01\x01\x02\0\0\0\x09\x03" + text("json") + b"\x08" + text("a")
                + b"\x09" + text(b"\0\xff") + b"\x0b\x01\x0b\xff\x7f\x23\0\x02" + USER),
    "ack": (4, b"\x1f" + text("full") + USER),
    "subscribe": (8, b"\x0b\x80\x01" + USER),
    "disconnect": (14, b"\x11\0\0\0\x0a\x1f" + text("bye") + USER),
    "auth": (15, b"\x15" + text("SCRAM") + b"\x16" + text(b"data")),
}


def properties(name, version):
    if version < 5:
        return b""
    data = PROPERTIES[name][1] if name else b""
    return varint(len(data)) + data


def connect(version, flags, with_properties=True):
    name = text("MQIsdp" if version == 3 else "MQTT")
    use = "connect" if with_properties else None
    body = name + bytes([version, flags]) + b"\0\x3c" + properties(use, version)
    body += text("client")
    if flags & 4:
        body += properties("will" if with_properties else None, version)
        body += text("w/t") + text(b"gone")
    if flags & 0x80:
        body += text("user")
    if flags & 0x40:
        body += text("pass")
    return packet(0x10, body)


def packets(version):
    p = lambda name: properties(name, version)
    five = version == 5
    yield "connect_bare", connect(version, 0x02, False)
    yield "connect_all", connect(version, 0xEE)
    yield "connack", packet(0x20, b"\0\0" + p("connack"))
    yield "publish0", packet(0x31, text("a/b") + p(None) + b"on")
    yield "publish1", packet(0x32, text("a") + b"\0\1" + p("publish") + b"21.5")
    yield "publish2", packet(0x3D, text("a") + b"\xff\xff" + p(None))
    for name, first in (("puback", 0x40), ("pubrec", 0x50), ("pubrel", 0x62),
                        ("pubcomp", 0x70)):
        yield name, packet(first, b"\0\1")
        if five:
            yield name + "_why", packet(first, b"\0\1\0" + p("ack"))
    options = b"\x2e" if five else b"\x02"
    yield "subscribe", packet(0x82, b"\0\1" + p("subscribe") + text("a/+") + options
                              + text("$share/g/#") + b"\x01")
    yield "suback", packet(0x90, b"\0\1" + p("ack") + b"\0\1\2\x80")
    yield "unsubscribe", packet(0xA2, b"\0\1" + p(None) + text("a/+") + text("b"))
    yield "unsuback", packet(0xB0, b"\0\1" + p("ack") + (b"\0\x11" if five else b""))
    yield "disconnect", packet(0xE0, b"\x04" + p("disconnect") if five else b"")
    if five:
        yield "auth", packet(0xF0, b"\x18" + p("auth"))


def framing():
    for index, version in enumerate((3, 4, 5)):
        side = bytes([index | 4])
        stream = b""
        for name, data in packets(version):
            if version != 3:  # 3.1 differs in CONNECT alone
                write("fuzz_framing", f"v{version}_{name}", side + b"\0\5" + data)
            stream += data
        stream += b"\xc0\0\xd0\0"
        write("fuzz_framing", f"v{version}_stream", side + b"\0\x40" + stream)
    v31 = b"\x04\0\x05"
    write("fuzz_framing", "v3_connect", v31 + connect(3, 0xEE))
    write("fuzz_framing", "v3_login_missing", v31 + packet(
        0x10, text("MQIsdp") + b"\x03\xc2\0\0" + text("i")))
    write("fuzz_framing", "five_byte_length", v31 + b"\x30\xff\xff\xff\xff\x01")
    write("fuzz_framing", "too_large", v31 + b"\x30\xff\xff\xff\x7f")
    write("fuzz_framing", "not_shortest", v31 + b"\x30\x80\x00")


def predicates():
    rows = ['temp.value>25\n{"temp":{"value":25.1}}',
            'a=1,b!=x|l.0~%2F\n{"a":1,"b":"y","l":["a/b"]}',
            '$value<=-3.5e2\n-351', '$type=binary|$type!=json\n\0',
            '$qos>=1,$retain=true,$user.kind=a\nON',
            '$content-type=text%2Fplain\n[null,true,false,{}]',
            'k="\n{"k":"\\"\\u00fc\\ud83d\\ude00"}',
            'id=18446744073709551616\n{"id":18446744073709551616}',
            'a==1\n', '\n', 'a=%zz\n{', '.a>\n[[[[']
    for index, row in enumerate(rows):
        write("fuzz_match", f"row{index:02}", row.encode())


def topics():
    rows = ["sport/tennis/+\nsport/tennis/player1", "sport/#\nsport", "#\n$SYS/x",
            "+/+\n/finance", "$share/group/a/#\na/b", "$share//x\nx", "a//b\na//b",
            "+/x\n$SYS/x", "/\n/", "a/#/b\na", "a+/b\na+/b", "$share/g/\n", "\n",
            "$share/+/a\na", "a/+/#\na/b/c/d/e", "/" * 40 + "\n" + "/" * 40,
            "$match/a>1/t/+\nt/x", "$share/g/$match/a~b|c/#\nt"]
    for index, row in enumerate(rows):
        write("fuzz_topic", f"row{index:02}", row.encode())


def heads():
    start = "GET /mqtt?a=b HTTP/1.1\r\nHost: hearth.local\r\n"
    upgrade = ("Upgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n"
               "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
               "Sec-WebSocket-Version: 13\r\nOrigin: http://hearth.local\r\n")
    protocol = "Sec-WebSocket-Protocol: mqttv3.1, mqtt\r\n"
    for name, head in {
            "good": start + upgrade + protocol + "Cookie: s=1\r\n\r\n\x82",
            "plain": start + "\r\n", "no_protocol": start + upgrade + "\r\n",
            "body": start + upgrade + protocol + "Content-Length: 1\r\n\r\nx",
            "two_hosts": start + "host: other\r\n\r\n",
            "folded": start + "X: a\r\n b\r\n\r\n", "bare_lf": start + "X: a\nY: b\r\n\r\n",
            "bare_cr": start + "X: a\rY: b\r\n\r\n", "cut": start + upgrade,
            "post": "POST / HTTP/1.1\r\n\r\n", "absolute": "GET http://a/ HTTP/1.1\r\n\r\n",
    }.items():
        write("fuzz_websocket", name, head.encode("latin-1"))


def proxies():
    four = bytes([192, 0, 2, 7, 192, 0, 2, 1, 192, 0, 7, 91])
    v2 = b"\r\n\r\n\0\r\nQUIT\n"
    for name, header in {
            "tcp4": b"PROXY TCP4 192.0.2.7 192.0.2.1 49152 1883\r\n\x10",
            "tcp6": b"PROXY TCP6 2001:db8::1 2001:db8::2 0 65535\r\n",
            "unknown": b"PROXY UNKNOWN and more\r\n",
            "v2_local": v2 + b"\x20\0\0\0",
            "v2_ipv4": v2 + b"\x21\x11\0\x0c" + four + b"\x10\x0e",
            "v2_ipv6": v2 + b"\x21\x21\0\x24" + bytes(36),
            "v2_unix": v2 + b"\x21\x31\0\xd8" + bytes(216),
            "v2_fields": v2 + b"\x21\x11\0\x15" + four + b"\2\0\3hub\4\0\0",
            "v2_checksum": v2 + b"\x21\x11\0\x13" + four +
                           b"\3\0\4\x36\x29\xc5\xb0",
    }.items():
        write("fuzz_proxy", name, header)


# What tests/fuzz/fuzz_protocol.c makes of a byte: low two bits the peer, above
# them what happens.
RAW, CONNECT, SUBSCRIBE, UNSUBSCRIBE, PUBLISH, ACK, DISCONNECT, HANG_UP, COMMIT, \
    CLOCK, STORE, EVENT, TURN = 0, 2, 3, 4, 5, 7, 9, 10, 11, 12, 13, 14, 15


def step(peer, what, *more):
    return bytes([what << 2 | peer, *more])


def raw(peer, data):
    if peer == 3:  # the one with WebSocket: one masked frame
        data = bytes([0x82, 0x80 | len(data)]) + b"key!" + bytes(
            byte ^ b"key!"[i % 4] for i, byte in enumerate(data))
    return step(peer, RAW, len(data)) + data + step(0, TURN)


def dialogues():
    for version in (3, 4, 5):
        five = version == 5
        none = b"\0" if five else b""
        name = text("MQIsdp" if version == 3 else "MQTT")
        hello = lambda who, clean: packet(0x10, name + bytes(
            [version, 2 if clean else 0]) + b"\0\x0a" + (
                b"\x05\x11\0\0\0\x3c" if five else b"") + text(who))
        topic = text("t/a")
        talk = raw(0, hello("sub", False))
        talk += raw(0, packet(0x82, b"\0\1" + none + text("t/#") + b"\2"))
        talk += raw(3, hello("pub", True))
        talk += raw(3, packet(0x31, topic + none + b"zero"))
        talk += raw(3, packet(0x33, topic + b"\0\2" + none + b"one"))
        talk += raw(3, packet(0x34, topic + b"\0\3" + none + b"two"))
        talk += raw(3, packet(0x62, b"\0\3"))
        talk += raw(0, packet(0x40, b"\0\2")) + raw(0, packet(0x50, b"\0\3"))
        talk += raw(0, packet(0x70, b"\0\3")) + raw(0, b"\xc0\0")
        talk += raw(0, packet(0xA2, b"\0\4" + none + text("t/#")))
        talk += raw(3, b"\xe0\0") + step(0, HANG_UP) + step(0, TURN)
        for kind in (0, 1, 2):
            write("fuzz_protocol", f"v{version}_dialogue{kind}", bytes([kind]) + talk)
        drip = b"".join(step(0, RAW, 1, byte) for byte in hello("sub", True))
        write("fuzz_protocol", f"v{version}_drip", b"\4" + drip)
        second = raw(0, hello("sub", True)) * 2
        write("fuzz_protocol", f"v{version}_second_connect", b"\0" + second)
        over = raw(0, hello("same", False)) + raw(1, hello("same", False))
        write("fuzz_protocol", f"v{version}_take_over", b"\0" + over)
        for first in (0x20, 0x90, 0xB0, 0xD0):
            server = raw(0, hello("s", True)) + raw(0, packet(first, b"\0\0"))
            write("fuzz_protocol", f"v{version}_server_only_{first:02x}",
                  b"\0" + server)


def scenes():
    """What bytes do not show: wills, time, the disk, a login, a restart."""
    durable = step(0, CONNECT, 0, 0, 5) + step(0, SUBSCRIBE, 0x33, 2)
    publish = lambda flags: step(1, PUBLISH, flags, 0x40)
    hello = step(1, CONNECT, 4, 1, 0)
    write("fuzz_protocol", "will", b"\4" + durable + step(1, CONNECT, 4, 3, 0)
          + step(1, HANG_UP))
    write("fuzz_protocol", "will_delayed", b"\4" + durable
          + step(1, CONNECT, 4, 2, 0x1d) + step(1, HANG_UP) + step(0, CLOCK, 3))
    write("fuzz_protocol", "offline_restart", b"\4" + durable + step(0, HANG_UP)
          + hello + publish(1) + publish(0x22) + step(0, EVENT, 8)
          + step(0, CONNECT, 0, 0, 5))
    write("fuzz_protocol", "slow_disk", b"\4" + step(0, STORE, 0) + durable
          + step(0, COMMIT) + hello + publish(0x26) + step(0, STORE, 2)
          + publish(0x41) + step(0, STORE, 0) + step(0, COMMIT) + step(0, TURN))
    for n in range(8):
        write("fuzz_protocol", f"store_fails{n}", b"\4" + durable + hello
              + step(0, STORE, 0x80 | n) + publish(6) + publish(0x25)
              + step(0, ACK, 0) + publish(0x45) + step(0, UNSUBSCRIBE, 0x33, 0))
    write("fuzz_protocol", "login", b"\6" + step(2, CONNECT, 0, 0x0d, 5)
          + step(2, SUBSCRIBE, 1, 1) + step(0, EVENT, 1) + step(0, TURN)
          + step(2, CONNECT, 0, 5, 0) + step(0, EVENT, 0) + step(0, TURN))
    write("fuzz_protocol", "expiry", b"\4" + durable + step(0, DISCONNECT, 0x12)
          + step(0, CLOCK, 3) + step(0, CONNECT, 0, 0, 5))
    write("fuzz_protocol", "silent", b"\4" + step(0, CONNECT, 0, 0x11, 0)
          + step(0, CLOCK, 2) + step(1, RAW, 1, 0x10) + step(0, CLOCK, 3))
    local = lambda what: step(0, EVENT, 16, what) + step(0, TURN)
    write("fuzz_protocol", "local", b"\0" + local(1) + durable + local(0x71)
          + publish(1) + local(0x91) + local(0xB1) + local(0xC0) + local(0x41)
          + local(9) + publish(2) + local(0xE0) + local(0x70) + step(0, EVENT, 8))
    # Found: closed, but not yet buried, when the broker ended.
    write("fuzz_protocol", "doomed_at_the_end", b"\1" + step(2, ACK, 0)
          + step(0, TURN) + step(2, EVENT, 0x29))


def proofs():
    """Enhanced authentication, and a client that allows topic aliases."""
    method = b"\x15" + text("SCRAM-SHA-256")
    data = lambda value: method + b"\x16" + text(value)
    properties = lambda value: varint(len(value)) + value
    hello = lambda value: packet(0x10, text("MQTT") + b"\x05\x02\0\x0a"
                                 + properties(value) + text("s"))
    auth = lambda reason, value: packet(0xF0, bytes([reason]) + properties(value))
    begin = hello(data("n,,n=u0,r=x"))
    right, again = auth(0x18, data("right")), auth(0x19, data("n,,n=u0,r=y"))
    for name, talk in {
            "whole": [begin, right, again, right, again, right],
            "asked": [hello(method), auth(0x18, data("n,,n=u0,r=x")), right],
            "wrong": [begin, auth(0x18, data("c=biws"))],
            "nobody": [hello(data("n,,n=eve,r=x")), right],
            "out": [hello(data("n,,n=u2,r=x")), right],
            "another": [begin, right, auth(0x19, data("n,,n=u1,r=x"))],
            "gone": [begin, b"\xe0\0"], "between": [begin, b"\xc0\0"],
            "early": [begin, again], "method": [begin, right, auth(0x19, method[:-1] + b"7")],
    }.items():
        for kind in (2, 6):
            write("fuzz_protocol", f"proof_{name}{kind}",
                  bytes([kind]) + b"".join(raw(0, part) for part in talk))
    talk = raw(0, hello(b"\x22\0\3")) + raw(0, packet(0x82, b"\0\1\0" + text("#") + b"\1"))
    for n in range(9):
        talk += raw(0, packet(0x30, text(f"t/long/{n // 3}") + b"\0" + b"x"))
    write("fuzz_protocol", "aliases", b"\0" + talk)


def scram():
    proof = "A" * 43 + "="
    server = "3rfcNHYJY1ZVvWVs"
    final = f"c=biws,r=x{server},p={proof}"
    keys = "$scram-sha-256$i=4096$" + "A" * 22 + "$" + "B" * 42 + "A$" + "C" * 42 + "A"
    for name, text in {
            "whole": "n,,n=user,r=x\0" + final, "first": "n,,n=user,r=x",
            "bound": "y,,n=user,r=x\0" + final.replace("biws", "eSws"),
            "plus": "p=tls-unique,,n=user,r=x\0" + final,
            "named": "n,a=user,n=us=2Cer=3D,r=x,z=1\0c=bixhPXVzZXIs,r=x" + server + ",z=1,p=",
            "extended": "n,,n=user,r=x,z=1\0" + final.replace(",p=", ",z=1,p="),
            "must_know": "n,,m=1,n=user,r=x", "keys": keys,
    }.items():
        write("fuzz_scram", name, text.encode())


def trees():
    for name, lines in {
            "levels": "+a/b +a/+ +a/# +# ++ +/ +a/b/# a/b a / a/b/c -a/+ a/b -a/b a/b",
            "dollar": "+# ++/a +$SYS/# +$SYS/+ $SYS/a $SYS/a/b a/a =$SYS/a ?# ?$SYS/# ?+/a",
            "retained": "=a =a/b =a/b/c =/ =b/b ?# ?+/b ?a/# ?a/+/+ =a/b ?a/# ?/ ?+/+ ?a",
            "twice": "+a +a +a/# a -a a -a a -a a -a/# a",
            "deep": "+" + "a/" * 200 + "# +" + "+/" * 199 + "a " + "a/" * 199 + "a",
    }.items():
        write("fuzz_topic_tree", name, lines.replace(" ", "\n").encode())


framing()
trees()
scram()
proofs()
dialogues()
scenes()
predicates()
topics()
heads()
proxies()
for name, (kind, data) in PROPERTIES.items():
    write("fuzz_properties", name, bytes([kind]) + varint(len(data)) + data)
    write("fuzz_properties", name + "_cut", bytes([kind]) + varint(len(data)) + data[:-2])
write("fuzz_properties", "empty", b"\x03\0")
write("fuzz_properties", "twice", b"\x03\x06\x23\0\x01\x23\0\x01")
write("fuzz_properties", "unknown", b"\x03\x02\x7f\0")
# ---- backups (db/backup/seal_format.h, archive.h)

def entry(kind, data, label=b"", schema=1):
    return (bytes([kind]) + struct.pack(">H", schema) + bytes([len(label)]) + label
            + struct.pack(">Q", len(data)) + data + hashlib.sha256(data).digest())


def archive(*entries):
    return (b"\1" + struct.pack(">Q", 1795230000000) + b"\x050.1.0" + b"\x05attic"
            + bytes([len(entries)]) + b"".join(entries))


def seal(data):
    head = b"\x89HEARTH\n" + b"\0\1" + bytes(6) + bytes(range(32)) + bytes(16)
    head += hashlib.sha256(head).digest()[:16]
    out = head
    chunks = [data[i:i + 65536] for i in range(0, len(data), 65536)] or [b""]
    for number, chunk in enumerate(chunks):
        last = 0x80000000 if number == len(chunks) - 1 else 0
        prefix = struct.pack(">I", len(chunk) | last)
        tag = hashlib.sha256(head + struct.pack(">Q", number) + prefix + chunk)
        out += prefix + chunk + tag.digest()[:16]
    return out


BACKUPS = {
    "config": archive(entry(0, b"SQLite format 3")),
    "all": archive(entry(0, b"c"), entry(1, b"s"), entry(2, b"h"), entry(3, b"g"),
                   entry(4, b"[hearth]", b"/etc/hearth/hearth.conf"),
                   entry(5, b"cert", b"/etc/hearth/a.crt"),
                   entry(5, b"key", b"/etc/hearth/a.key")),
    "long": archive(entry(0, bytes(70000))),
}
for name, data in BACKUPS.items():
    if name != "long":
        write("fuzz_backup", f"contents-{name}", data)
    write("fuzz_backup", f"file-{name}", seal(data))
write("fuzz_backup", "encrypted", bytes([*b"\x89HEARTH\n", 0, 1, 1, 4, 8, 3]))


JOIN = "hub = mqtts://hearth.local:8883\nnode = garage\nuser = gpio/garage\npassword = gk3\n"
PEM = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
for name, lines in {
        "pem": JOIN + PEM,
        "ca": "# pasted\r\n\n" + JOIN.replace("\n", "\r\n") + "\tca=/etc/ca.pem \r\n",
        "system": JOIN + "server-name = hub\nca = system",
        "both": JOIN + "ca = system\n" + PEM,
        "twice": JOIN + "node = shed\n" + PEM,
        "unknown": JOIN + "nodes = shed\n" + PEM,
        "mqtt": JOIN.replace("mqtts", "mqtt") + PEM,
        "slash": JOIN.replace("= garage", "= a/b") + PEM,
        "empty": JOIN.replace("gk3", "") + PEM,
        "binary": JOIN + "\0" + PEM,
        "long": JOIN + "ca = " + "x" * 1024,
}.items():
    write("fuzz_join", name, lines.encode())
