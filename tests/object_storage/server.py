"""A real object store for the tests: SeaweedFS, whose S3 door checks signatures, checksums and conditions."""

import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType

from botocore.exceptions import BotoCoreError, ClientError

BUCKET, KEY, SECRET = "medgen-assets", "medgen-tests", "a secret of the tests only"
START_S = 40
PORTS = (
    "master.port", "master.port.grpc", "volume.port", "volume.port.grpc", "filer.port", "filer.port.grpc",
    "s3.port", "s3.port.grpc", "s3.port.iceberg", "s3.port.lance", "metricsPort", "admin.port", "admin.port.grpc",
)  # fmt: skip


class ObjectStore:
    """One server on loopback with one bucket; it can be stopped and started again on the same address and data."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._ports = dict(zip(PORTS, free_ports(len(PORTS)), strict=True))
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._ports['s3.port']}"

    @property
    def environment(self) -> dict[str, str]:
        """What a program needs to reach the bucket, as the operator's guide names it."""
        return {
            "AWS_ENDPOINT_URL": self.url, "AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_DEFAULT_REGION": "us-east-1", "AWS_EC2_METADATA_DISABLED": "true",
        }  # fmt: skip

    def __enter__(self) -> "ObjectStore":
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Start the server and wait until the bucket takes an object."""
        self._folder.mkdir(parents=True, exist_ok=True)
        words = [program(), "mini", f"-dir={self._folder}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-webdav=false"]
        words += ["-admin.ui=false", f"-bucket={BUCKET}", *(f"-{name}={port}" for name, port in self._ports.items())]
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "S3_"))}
        with (self._folder / "server.log").open("ab") as log:
            self._process = subprocess.Popen(
                words, cwd=self._folder, stdout=log, stderr=log,
                env=clean | {"AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET},
            )  # fmt: skip
        self._wait()

    def stop(self) -> None:
        """Kill it; what it acknowledged is on its disk."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def client(self):
        """A client of the tests' own, beside the one of the product."""
        import boto3
        from botocore.config import Config

        return boto3.session.Session().client(
            "s3", endpoint_url=self.url, aws_access_key_id=KEY, aws_secret_access_key=SECRET, region_name="us-east-1",
            config=Config(
                retries={"total_max_attempts": 1}, connect_timeout=1, read_timeout=10, s3={"addressing_style": "path"}
            ),
        )  # fmt: skip

    def _wait(self) -> None:
        client, end = self.client(), time.monotonic() + START_S
        while True:
            try:
                client.put_object(Bucket=BUCKET, Key="started", Body=b"1")
            except (BotoCoreError, ClientError) as problem:
                assert self._process is not None and self._process.poll() is None, "the object store ended"
                if time.monotonic() > end:
                    raise RuntimeError("the object store did not answer") from problem
                time.sleep(0.05)
            else:
                return


def program() -> str:
    """The server that requirements/dev.txt installs beside this Python."""
    found = shutil.which("weed", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    assert found, "the object store of the tests is missing: pip install -r requirements/dev.txt"
    return found


def free_ports(number: int) -> list[int]:
    """Ports that were free a moment ago, all different."""
    held = [socket.socket() for _ in range(number)]
    try:
        for each in held:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in held]
    finally:
        for each in held:
            each.close()
