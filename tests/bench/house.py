"""An ordinary house with nobody at home, in real time beside the other loads: what
a broker writes for it in a minute, and so in a day."""
import os
import signal
import threading
import time

import brokers
import hub
import mqtt

# Each says something once a minute, retained, at QoS 0; some are the board's own,
# whose history is kept.
SENSORS = [f"house/room{n}/temperature" for n in range(45)] + \
    [f"hearth/test/sensor/s{n}" for n in range(5)]
# Things that happen, each minute: for Home Assistant, which is connected and whose
# session is kept, at QoS 1.
EVENTS = [f"house/door{n}/event" for n in range(5)]
SWITCH = "house/hall/lamp"  # its state, retained, at QoS 1
MINUTE = 60
DAY = 24 * 60  # minutes
AUTOSAVE = 30  # minutes: mosquitto's autosave_interval as it comes


class House:
    """The minutes are those of the broker's start, so that what it does each minute
    falls into one."""

    def __init__(self, broker):
        self.broker = broker
        self.minutes = []  # bytes written at the end of each
        self.faults = 0
        self.stop = threading.Event()
        self.home = mqtt.Conn(broker.ports[brokers.PLAIN])
        self.home.connect("home-assistant", clean=False)
        self.home.subscribe(("house/+/event", 1))
        self.devices = mqtt.Conn(broker.ports[brokers.PLAIN])
        self.devices.connect("devices")
        self.packet_id = 0
        self.thread = threading.Thread(target=self.live, daemon=True)
        self.thread.start()

    def say(self, topic, value, qos, retain):
        self.packet_id = self.packet_id % 65535 + 1
        self.devices.send(mqtt.publish(
            mqtt.V311, topic, str(value).encode(), qos=qos,
            packet_id=self.packet_id, retain=retain))

    def event(self, topic, n):
        """Home Assistant acknowledges at once, as it does."""
        self.say(topic, n, 1, False)
        came = self.home.expect(mqtt.PUBLISH)
        self.home.send(mqtt.ack(mqtt.PUBACK, came.id))
        self.devices.expect(mqtt.PUBACK)

    def a_minute(self, n, end):
        """What is said is spread over it."""
        todo = [(self.say, (topic, 20 + n % 7, 0, True)) for topic in SENSORS]
        todo += [(self.event, (topic, n)) for topic in EVENTS]
        todo += [(self.say, (SWITCH, "ON" if n % 2 else "OFF", 1, True))]
        for left in range(len(todo), 0, -1):
            what, arguments = todo[left - 1]
            what(*arguments)
            if self.stop.wait(max(0, end - time.monotonic()) / left):
                return
        self.devices.expect(mqtt.PUBACK)

    def live(self):
        end = time.monotonic()
        try:
            while not self.stop.is_set():
                end += MINUTE
                self.a_minute(len(self.minutes), end)
                self.minutes.append(brokers.written(self.broker))
        except (mqtt.Closed, AssertionError, OSError) as error:
            print(f"house: {error!r}", flush=True)
            self.faults += 1

    def end(self, minutes):
        """Its figures once it has lived for so many whole minutes after its first,
        in which everything is new."""
        hub.until(f"{minutes} minutes of the house",
                  lambda: not minutes or len(self.minutes) > minutes or
                  not self.thread.is_alive(), (minutes + 2) * MINUTE, 0.5)
        self.stop.set()
        self.thread.join()
        whole = len(self.minutes) - 1
        result = {"faults": self.faults, "minutes": max(whole, 0)}
        if self.broker.saves:
            result["day"] = self.one_save() * DAY / AUTOSAVE
        elif whole > 0:
            result["day"] = (self.minutes[-1] - self.minutes[0]) / whole * DAY
        self.home.socket.close()
        self.devices.socket.close()
        self.broker.end()
        return result

    def one_save(self):
        """Bytes of the whole state, which mosquitto writes each time."""
        before = last = brokers.written(self.broker)
        os.kill(self.broker.pid, signal.SIGUSR1)
        while True:
            time.sleep(0.3)
            now = brokers.written(self.broker)
            if now != before and now == last:
                return now - before
            last = now
