"""Serve the built site as a web host does, compressed. For `make bench-site` and the browser tests.

python book/tools/site_server.py [--under /some/path] [--port 8000]
"""

import argparse
import contextlib
import functools
import gzip
import mimetypes
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

SITE = Path(__file__).resolve().parents[2] / "_build/html"
PACKED = {".html", ".css", ".js", ".json", ".svg", ".txt", ".ipynb", ".mjs", ".wasm", ".map"}
mimetypes.add_type("application/wasm", ".wasm")
mimetypes.add_type("text/javascript", ".mjs")


@functools.cache
def packed(path, changed):
    return gzip.compress(Path(path).read_bytes(), 6)


class Handler(SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    under = ""

    def do_GET(self):
        if not self.path.startswith(self.under + "/"):
            return self.send_error(404)
        self.path = self.path[len(self.under) :]
        path = Path(self.translate_path(self.path))
        if path.is_dir():
            path /= "index.html"
        if not path.is_file():
            return self.send_error(404)
        small = path.suffix in PACKED and "gzip" in self.headers.get("Accept-Encoding", "")
        body = packed(path, path.stat().st_mtime_ns) if small else path.read_bytes()
        kind = self.guess_type(path)
        self.send_response(200)
        self.send_header("Content-Type", kind + "; charset=utf-8" * kind.startswith("text/"))
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "max-age=600")
        if small:
            self.send_header("Content-Encoding", "gzip")
        self.end_headers()
        self.wfile.write(body)

    def handle(self):
        with contextlib.suppress(ConnectionError):  # a browser that has left
            super().handle()

    def log_message(self, *arguments):
        pass


def serve(site=SITE, under="", port=0):
    """Start a server in the background and return it; .address says where, .shutdown() ends it."""
    handler = type("SiteHandler", (Handler,), {"under": under})
    server = ThreadingHTTPServer(
        ("127.0.0.1", port), functools.partial(handler, directory=str(site))
    )
    server.daemon_threads = True
    server.address = f"http://127.0.0.1:{server.server_port}{under}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--under", default="", help="a path below which the site lies, as on project pages"
    )
    parser.add_argument("--port", type=int, default=8000)
    options = parser.parse_args()
    print(serve(under=options.under, port=options.port).address)
    threading.Event().wait()
