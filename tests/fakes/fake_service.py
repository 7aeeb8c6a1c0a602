"""A tiny service to be supervised: `python fake_service.py PORT [--ready-after S] [--stubborn] [--child] [--unready-file F] [--chatty]`.

Standard library only, so that a test starts many of them in a moment.
"""

import argparse
import os
import signal
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("port", type=int)
    parser.add_argument("--ready-after", type=float, default=0.0)
    parser.add_argument("--stubborn", action="store_true", help="does not listen to SIGTERM")
    parser.add_argument("--child", action="store_true", help="has a child that does not listen either; its pid is in the log")
    parser.add_argument("--unready-file", type=Path, help="not ready while this file is there")
    options = parser.parse_args()
    say(f"started pid={os.getpid()} as={os.environ.get('XORJ_FAKE_NAME', '')}")
    began = time.monotonic()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            ready = time.monotonic() - began >= options.ready_after and not (options.unready_file and options.unready_file.exists())
            self.send_response(200 if ready else 503)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Quiet."""

    if options.child:
        ignore = "import signal,time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)"
        child = subprocess.Popen([sys.executable, "-c", ignore])
        say(f"child pid={child.pid}")
    server = ThreadingHTTPServer(("127.0.0.1", options.port), Handler)
    if options.stubborn:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    else:
        signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
    server.serve_forever(poll_interval=0.05)
    say(f"ended at={time.monotonic()}")


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
