"""Very many connections to one broker from one thread, without a socket object's
wait for each: all that is ready is read, by epoll."""
import select
import socket

import hub
import mqtt


def raise_descriptors(count):
    """So many more may be open in this process and in those it starts."""
    import resource
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < count:
        hard = count  # root may
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return soft


class Member:
    def __init__(self, crowd, number, port, source):
        self.number = number
        self.buffer = b""
        self.packets = []
        self.closed = False
        self.version = crowd.version
        self.socket = socket.socket()
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        # Otherwise each source has its ports for one destination only.
        self.socket.setsockopt(socket.IPPROTO_IP, 24, 1)  # no port at bind()
        self.socket.bind((source, 0))
        self.socket.settimeout(hub.DEADLINE)
        self.socket.connect(("127.0.0.1", port))
        self.socket.setblocking(False)

    parse = mqtt.Conn._parse

    def send(self, *packets):
        """Short ones only: what does not fit is a failure of the test."""
        data = b"".join(packets)
        try:
            assert self.socket.send(data) == len(data), "a full socket"
        except (BrokenPipeError, ConnectionResetError):
            pass  # its end is yet to be read

    def read(self):
        try:
            data = self.socket.recv(1 << 16)
        except BlockingIOError:
            return
        except ConnectionResetError:
            data = b""
        if not data:
            self.closed = True
        self.buffer += data
        while True:
            found = self.parse()
            if not found:
                return
            self.packets.append(found)

    def take(self):
        found, self.packets = self.packets, []
        return found


class Crowd:
    SOURCES = [f"127.0.0.{n}" for n in range(1, 9)]

    def __init__(self, port, version):
        self.port = port
        self.version = version
        self.members = []
        self.poll = select.epoll()
        self.by_fd = {}

    def open(self):
        number = len(self.members)
        member = Member(self, number, self.port,
                        self.SOURCES[number % len(self.SOURCES)])
        self.members.append(member)
        self.by_fd[member.socket.fileno()] = member
        self.poll.register(member.socket, select.EPOLLIN)
        return member

    def turn(self, wait=0.05):
        for fd, _ in self.poll.poll(wait):
            member = self.by_fd[fd]
            member.read()
            if member.closed:
                self.forget(member)

    def forget(self, member):
        fd = member.socket.fileno()
        if self.by_fd.pop(fd, None):
            self.poll.unregister(fd)

    def until(self, what, condition):
        """Read whatever comes until condition holds."""
        def look():
            if condition():
                return True
            self.turn()
            return condition()
        hub.until(what, look, pause=0)

    def drop(self, member):
        self.forget(member)
        member.socket.close()

    def close(self):
        for member in self.members:
            self.drop(member)
        self.poll.close()

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.close()
