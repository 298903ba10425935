"""A model hub of one repository, served over HTTP as the Hugging Face client asks for it."""

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

COMMIT = hashlib.sha1(b"the only commit").hexdigest()


class HubServer(ThreadingHTTPServer):
    """The server: its repository's name, files and only commit, and what was downloaded of them."""

    def __init__(self, name: str, files: dict[str, bytes], commit: str) -> None:
        super().__init__(("127.0.0.1", 0), HubHandler)
        self.commit = commit
        self.contents = {f"/{name}/resolve/{commit}/{file}": data for file, data in files.items()}
        self.downloaded: list[str] = []
        tree = [{"type": "file", "path": file, "size": len(data), "oid": _sha1(data)} for file, data in files.items()]
        about = {"id": name, "sha": commit, "siblings": [{"rfilename": file} for file in files]}
        for path in (f"/api/models/{name}", *(f"/api/models/{name}/revision/{which}" for which in ("main", commit))):
            self.contents[path] = json.dumps(about).encode()
        for which in ("main", commit):
            self.contents[f"/api/models/{name}/tree/{which}"] = json.dumps(tree).encode()


class HubHandler(BaseHTTPRequestHandler):
    """One request: the repository's description, its tree or a file."""

    server: HubServer

    def do_HEAD(self) -> None:
        self._answer()

    def do_GET(self) -> None:
        path = self.path.split("?")[0]
        if "/resolve/" in path:
            self.server.downloaded.append(path.partition(f"/resolve/{self.server.commit}/")[2])
        self.wfile.write(self._answer())

    def log_message(self, *_: object) -> None: ...

    def _answer(self) -> bytes:
        """Send the headers; return the body that goes with them."""
        data = self.server.contents.get(self.path.split("?")[0])
        self.send_response(404 if data is None else 200)
        self.send_header(
            "X-Error-Code" if data is None else "X-Repo-Commit", "RepoNotFound" if data is None else self.server.commit
        )
        self.send_header("ETag", f'"{_sha1(data or b"")}"')
        self.send_header("Content-Length", str(len(data or b"")))
        self.end_headers()
        return data or b""


def _sha1(data: bytes) -> str:
    return hashlib.sha1(data).hexdigest()


@contextmanager
def hub(name: str, files: dict[str, bytes], commit: str = COMMIT) -> Iterator[tuple[str, list[str]]]:
    """Serve a repository's files; give the address for HF_ENDPOINT and the list of what was downloaded, as it grows."""
    server = HubServer(name, files, commit)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", server.downloaded
    finally:
        server.shutdown()
        server.server_close()
