"""A real time-stamping authority: an HTTP server that has ``openssl ts`` answer."""

import http.server
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_CONFIGURATION = """
[tsa]
default_tsa = one
[one]
serial = {folder}/serial
crypto_device = builtin
signer_cert = {folder}/tsa.pem
signer_key = {folder}/tsa.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256
accuracy = secs:1
ess_cert_id_alg = sha256
[tsa_extensions]
extendedKeyUsage = critical,timeStamping
keyUsage = critical,digitalSignature
[root_extensions]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign
"""


class Authority:
    """Its certificates, in ``root``, and the questions that it was asked."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.root = folder / "root.pem"
        self.asked: list[bytes] = []
        self.url = ""
        (folder / "ts.conf").write_text(_CONFIGURATION.format(folder=folder))
        (folder / "serial").write_text("01\n")
        for name in ("root", "tsa"):
            self._openssl(
                "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", f"{name}.key"
            )
        self._openssl(
            *("req", "-x509", "-new", "-key", "root.key", "-subj", "/CN=Test root", "-days", "30"),
            *("-config", "ts.conf", "-extensions", "root_extensions", "-out", "root.pem"),
        )
        self._openssl("req", "-new", "-key", "tsa.key", "-subj", "/CN=Test TSA", "-out", "tsa.csr",
                      "-config", "ts.conf")  # fmt: skip
        self._openssl(
            *("x509", "-req", "-in", "tsa.csr", "-CA", "root.pem", "-CAkey", "root.key"),
            *("-CAcreateserial", "-days", "30", "-extfile", "ts.conf"),
            *("-extensions", "tsa_extensions", "-out", "tsa.pem"),
        )

    def answer(self, question: bytes) -> bytes:
        self.asked.append(question)
        (self.folder / "question").write_bytes(question)
        self._openssl("ts", "-reply", "-config", "ts.conf", "-section", "one",
                      "-queryfile", "question", "-out", "answer")  # fmt: skip
        return (self.folder / "answer").read_bytes()

    def _openssl(self, *arguments: str) -> None:
        subprocess.run(["openssl", *arguments], cwd=self.folder, check=True, capture_output=True)


@contextmanager
def running_authority(folder: Path) -> Iterator[Authority]:
    authority = Authority(folder)

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            answer = authority.answer(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.send_header("Content-Type", "application/timestamp-reply")
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        authority.url = f"http://127.0.0.1:{server.server_address[1]}/tsa"
        try:
            yield authority
        finally:
            server.shutdown()
            thread.join()
