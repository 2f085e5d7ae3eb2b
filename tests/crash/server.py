"""The server under test, and calls to it. Standard library only."""

import http.client
import json
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from urllib.parse import quote

START_S_MAX = 60
STOP_S_MAX = 3


class Gone(Exception):
    """No answer: the server was killed, or the answer was thrown away. Nobody knows what it did."""


class Server:
    """One server with data of its own, on a port of its own; killed and started again at will."""

    def __init__(self, binary):
        self.binary = binary
        self.folder = Path(tempfile.mkdtemp(prefix="hearth-crash-"))
        self.data = str(self.folder / "data")
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.process = None

    def start(self):
        """Starts it and returns the seconds until it answered."""
        began = time.monotonic()
        log = open(self.folder / "server.log", "ab")
        self.process = subprocess.Popen(
            [self.binary, "serve", "--server-name", "localhost", "--listen", f"127.0.0.1:{self.port}",
             "--data", self.data, "--registration", "open", "--rate-limits", "off"],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        while True:
            try:
                Api(self.port).call("GET", "/_matrix/client/versions")
                return time.monotonic() - began
            except Gone:
                if self.process.poll() is not None or time.monotonic() - began > START_S_MAX:
                    raise RuntimeError(f"the server did not start again:\n{self.log_tail()}") from None
                time.sleep(0.01)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        """Asks it to end and returns the seconds that it took."""
        began = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(30)
        return time.monotonic() - began

    def check(self):
        """What `hearth check` finds in the data: None, or its words."""
        done = subprocess.run([self.binary, "check", "--server-name", "localhost", "--data", self.data],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=300)
        return None if done.returncode == 0 else done.stdout.strip()

    def log_tail(self):
        path = self.folder / "server.log"
        return "\n".join(path.read_text(errors="replace").splitlines()[-30:]) if path.exists() else ""

    def end(self, keep):
        if self.process and self.process.poll() is None:
            self.kill()
        if keep:
            print(f"crash: the data and the log are kept in {self.folder}", flush=True)
        else:
            shutil.rmtree(self.folder, ignore_errors=True)


class Api:
    """Calls as one user, over one connection that is made anew when it breaks."""

    def __init__(self, port, token=None):
        self.port = port
        self.token = token
        self.connection = None

    def call(self, method, path, body=None, timeout_s=30):
        """Status and JSON. `Gone` if no whole answer came."""
        headers = {"Content-Type": "application/json"}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        data = None if body is None else json.dumps(body)
        try:
            if self.connection is None:
                self.connection = http.client.HTTPConnection("127.0.0.1", self.port)
                self.connection.timeout = timeout_s
                self.connection.connect()
            self.connection.sock.settimeout(timeout_s)
            self.connection.request(method, path, data, headers)
            response = self.connection.getresponse()
            return response.status, json.loads(response.read())
        except (OSError, http.client.HTTPException, ValueError) as error:
            self.drop()
            raise Gone(str(error)) from error

    def drop(self):
        if self.connection:
            self.connection.close()
        self.connection = None

    def must(self, method, path, body=None):
        """The JSON of a call that has to succeed."""
        status, answer = self.call(method, path, body)
        if status != 200:
            raise AssertionError(f"{method} {path}: {status} {answer}")
        return answer


def client_path(*parts):
    return "/_matrix/client/v3/" + "/".join(quote(part, safe="") for part in parts)
