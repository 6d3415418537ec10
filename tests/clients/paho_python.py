"""A client of Paho Python for tests/clients/run, which says what an agent reads
and writes. Arguments: NAME VERSION URI USER PASSWORD TOPIC-PREFIX
CA-FILE"""
import sys
import threading
import urllib.parse

import paho.mqtt.client as mqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

NAME, VERSION, URI, USER, PASSWORD, PREFIX, CA_FILE = sys.argv[1:]
VERSION = int(VERSION)
lock = threading.Lock()
ready = threading.Event()
granted = {}


def say(text):
    with lock:
        print(text, flush=True)


def on_connect(client, userdata, flags, code, properties=None):
    if getattr(code, "value", code) != 0:
        print(f"paho-python: connect: {code}", file=sys.stderr)
        sys.exit(1)
    for qos in range(3):
        granted[client.subscribe(f"{PREFIX}/{qos}", qos)[1]] = qos


def on_subscribe(client, userdata, mid, codes, properties=None):
    code = getattr(codes[0], "value", codes[0])
    if code != granted.pop(mid):
        print(f"paho-python: subscribe: {code}", file=sys.stderr)
        sys.exit(1)
    if not granted:
        ready.set()


def on_message(client, userdata, message):
    pairs = []
    if VERSION == 5:
        pairs = getattr(message.properties, "UserProperty", [])
    say(f"got {message.topic} {message.qos} {int(message.retain)} "
        f"{message.payload.hex()} {pairs[0][1] if pairs else '-'}")


uri = urllib.parse.urlparse(URI)
transport = "websockets" if uri.scheme in ("ws", "wss") else "tcp"
if hasattr(mqtt, "CallbackAPIVersion"):  # Paho 2, in Debian 13
    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION1, NAME,
                         protocol=VERSION, transport=transport)
else:
    client = mqtt.Client(NAME, protocol=VERSION, transport=transport)
if transport == "websockets":
    client.ws_set_options(path=uri.path)
if uri.scheme in ("ssl", "wss"):
    client.tls_set(CA_FILE)
if USER:
    client.username_pw_set(USER, PASSWORD)
client.on_connect = on_connect
client.on_subscribe = on_subscribe
client.on_message = on_message
client.connect(uri.hostname, uri.port)
client.loop_start()
if not ready.wait(60):
    sys.exit("paho-python: not subscribed")
say("ready")
for line in sys.stdin:
    topic, qos, *payload = line.split()
    properties = None
    if VERSION == 5:
        properties = Properties(PacketTypes.PUBLISH)
        properties.UserProperty = ("from", NAME)
    info = client.publish(topic, bytes.fromhex(payload[0] if payload else ""),
                          int(qos), properties=properties)
    info.wait_for_publish(60)
    if not info.is_published():
        sys.exit("paho-python: not acknowledged")
    say("sent")
client.disconnect()
client.loop_stop()
