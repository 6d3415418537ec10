#!/usr/bin/env python3
"""Write the seeds of fuzz_delivery: scenes that a fuzzer would be long in finding."""
import pathlib

HERE = pathlib.Path(__file__).parent / "corpus" / "fuzz_delivery"

# A step is actor | action << 2 | run << 6 | QoS 2 << 7 and at most
# one byte more.
COME, VANISH, LEAVE, SUBSCRIBE, UNSUBSCRIBE, PUBLISH = 0, 2, 3, 4, 6, 7
ACK, READ, WORLD, GO = 10, 12, 13, 14
CLEAN, DURABLE, BRIEF, WILL = 8, 9, 1, 0x49
MANUAL, CUT = 0, 13
SHARED = 5


def step(action, actor, *more, qos=1, run=True):
    return bytes([actor | action << 2 | run << 6 | (qos == 2) << 7, *more])


def come(actor, how=DURABLE):
    return step(COME, actor, how) + step(GO, actor)


def deliveries():
    subscribed = come(0) + step(SUBSCRIBE, 0, 1, qos=2) + step(GO, 0) + come(1)
    publish = step(PUBLISH, 1, 0) + step(PUBLISH, 1, 1, qos=2)
    yield "plain", subscribed + publish * 3 + step(GO, 0) + step(ACK, 0)
    yield "away", (subscribed + step(LEAVE, 0) + publish * 4 + step(GO, 1) +
                   step(ACK, 1) * 4)
    yield "taken_over", (subscribed + publish + step(READ, 0) + step(COME, 0, 9) +
                         publish + step(GO, 0))
    yield "cut", (subscribed + publish * 2 + step(GO, 1) + step(ACK, 1) +
                  step(WORLD, 0, CUT) + come(1) + publish)
    # The identifier of a message that was not on disk is given to another.
    yield "cut_before_commit", (
        subscribed + step(WORLD, 0, MANUAL) + step(PUBLISH, 1, 0, qos=2) * 2 +
        step(READ, 0) + step(WORLD, 0, CUT) + come(0) + come(1) +
        step(PUBLISH, 1, 0, qos=2) * 2 + step(GO, 1))
    # Who has the messages of a group ends, and another gets them.
    group = b"".join(come(a) + step(SUBSCRIBE, a, SHARED) + step(GO, a)
                     for a in (0, 2)) + come(1)
    yield "handed_over", (group + step(PUBLISH, 1, 0) * 6 + step(GO, 1) +
                          step(COME, 0, CLEAN) + step(GO, 0))
    yield "left_the_group", (group + step(PUBLISH, 1, 0) * 6 + step(GO, 1) +
                             step(UNSUBSCRIBE, 0, SHARED) + step(VANISH, 2))
    yield "wills", (come(1) + step(SUBSCRIBE, 1, 3) + step(GO, 1) + b"".join(
        come(a, WILL) + step(action, a) + step(WORLD, 0, 8 * 15 + 3) +
        come(a, 0x42) + step(VANISH, a) + step(WORLD, 0, 3 + 8 * 3) + come(a, 0x42)
        for a, action in ((0, VANISH), (2, LEAVE), (3, VANISH))))
    yield "brief", come(0, BRIEF) + step(SUBSCRIBE, 0, 0) + come(1) + publish


for name, data in deliveries():
    (HERE / name).write_bytes(data)
