"""The little there is of a test framework: numbered lines as in TAP, and counts
in the last one."""
import os
import sys
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))


def where(error):
    """The way through our own files, from the case on, and what was noted."""
    for frame in traceback.extract_tb(error.__traceback__)[1:]:
        if os.path.dirname(os.path.abspath(frame.filename)) == HERE:
            yield (f"{os.path.basename(frame.filename)}:{frame.lineno} "
                   f"{frame.name}: {frame.line}")
    yield from "\n".join(getattr(error, "__notes__", [])).splitlines()


class Cases:
    def __init__(self):
        self.passed = self.failed = 0

    def case(self, name, function, *args):
        """Run function; it fails by raising. Returns whether it passed."""
        number = self.passed + self.failed + 1
        try:
            function(*args)
        except Exception as error:  # pylint: disable=broad-except
            self.failed += 1
            print(f"not ok {number} - {name}")
            for line in where(error):
                print(f"# {line}")
            for line in (f"{type(error).__name__}: {error}").splitlines()[:40]:
                print(f"# {line}")
            sys.stdout.flush()
            return False
        self.passed += 1
        print(f"ok {number} - {name}", flush=True)
        return True

    def end(self):
        print(f"{self.passed} passed, {self.failed} failed", flush=True)
        sys.exit(1 if self.failed or not self.passed else 0)


def equal(found, wanted, what=""):
    assert found == wanted, f"{what}: {found!r}, wanted {wanted!r}"
