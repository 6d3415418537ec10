"""The other programs of hearth, run as a person runs them."""
import json
import os
import subprocess

import hub
from cases import equal


def run(name, *args, env=None, stdin=""):
    return subprocess.run([hub.program(name), *args], input=stdin,
                          capture_output=True, text=True, check=False,
                          timeout=hub.DEADLINE,
                          env={"PATH": os.environ["PATH"], **(env or {})})


def ctl(daemon, *args, stdin="", status=0, user=None):
    """What hearthctl prints, which must end with this status; its complaints if
    that is not 0."""
    name, password = user or daemon.auth
    done = run("hearthctl", "--url", f"http://127.0.0.1:{daemon.web_port}",
               "--user", name, *args, env={"HEARTH_PASSWORD": password},
               stdin=stdin)
    equal(done.returncode, status, done.stdout + done.stderr)
    return done.stderr if status else done.stdout


def ctl_json(daemon, *args, **options):
    return json.loads(ctl(daemon, "--json", *args, **options))
