"""A server that speaks S3 on this machine, with two users: one who may do all, one who may only read."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import boto3
from botocore.config import Config
from pyarrow.fs import S3FileSystem

from tests.flow.servers import free_port

BUCKET = "registers"
_MAY = {"writer": "*", "reader": ["s3:Get*", "s3:List*"]}
_SET_UP = 3 * len(_MAY)  # after so many calls the server wants every request signed by a user who may do it


@dataclass
class S3:
    """The server as a test sees it: its users' keys, what is kept, and every request it got."""

    url: str
    log: Path
    keys: dict[str, tuple[str, str]] = field(default_factory=dict)

    def environment(self, user: str = "writer") -> dict[str, str]:
        """What a user of the store has in the environment."""
        key, secret = self.keys[user]
        return {
            "AWS_ACCESS_KEY_ID": key,
            "AWS_SECRET_ACCESS_KEY": secret,
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ALLOW_HTTP": "true",
            "NO_PROXY": "127.0.0.1",
        }

    def store(self) -> S3FileSystem:
        """The store by a client of the test's own."""
        key, secret = self.keys["writer"]
        return S3FileSystem(
            access_key=key,
            secret_key=secret,
            region="us-east-1",
            endpoint_override=self.url,
            allow_bucket_creation=True,
        )

    def put(self, content: bytes, path: str) -> None:
        """Keep a file as it is, whatever its name ends with."""
        with self.store().open_output_stream(f"{BUCKET}/{path}", compression=None) as stream:
            stream.write(content)

    def put_at(self, key: str, content: bytes) -> None:
        """Keep an object of any key, also of one that is no path."""
        boto3.client("s3", **_signed(self.url, self.keys["writer"])).put_object(Bucket=BUCKET, Key=key, Body=content)

    def put_folder(self, folder: Path, path: str) -> str:
        """Keep every file of a folder; returns its address."""
        for file in sorted(folder.iterdir()):
            self.put(file.read_bytes(), f"{path}/{file.name}")
        return f"s3://{BUCKET}/{path}"

    def kept(self, folder: str) -> dict[str, bytes]:
        """Every object below a folder, by its name there; also empty ones that stand for folders."""
        client = boto3.client("s3", **_signed(self.url, self.keys["writer"]))
        pages = client.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=f"{folder}/")
        names = [found["Key"] for page in pages for found in page.get("Contents", [])]
        bodies = {name: client.get_object(Bucket=BUCKET, Key=name)["Body"].read() for name in names}
        return {name.removeprefix(f"{folder}/"): body for name, body in bodies.items()}

    def requests(self) -> list[tuple[str, str, int]]:
        """Verb, path and answer of every request, in their order."""
        text = re.sub(r"\x1b\[\d+m", "", self.log.read_text())
        found = re.findall(r'"([A-Z]+) (\S+) HTTP/1.1" (\d+)', text)
        return [(verb, path, int(answer)) for verb, path, answer in found]


@contextmanager
def running(folder: Path) -> Iterator[S3]:
    """Start the server; it is stopped at the end."""
    port = free_port()
    log = folder / "requests.log"
    environment = {**os.environ, "INITIAL_NO_AUTH_ACTION_COUNT": str(_SET_UP), "NO_PROXY": "127.0.0.1"}
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        server = S3(f"http://127.0.0.1:{port}", log)
        _wait(server.url, process)
        server.keys = {user: _make_user(server.url, user) for user in _MAY}
        server.store().create_dir(BUCKET)
        yield server
    finally:
        process.terminate()
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait(url: str, process: subprocess.Popen[bytes]) -> None:
    """Until the server answers; its own pages count as no request of a user."""
    deadline = time.monotonic() + 600
    while process.poll() is None and time.monotonic() < deadline:
        try:
            urlopen(f"{url}/moto-api/", timeout=5).close()
            return
        except URLError:
            time.sleep(0.1)
    raise RuntimeError("The S3 server does not start.")


def _make_user(url: str, user: str) -> tuple[str, str]:
    """A user of the store, by three calls; returns the keys."""
    allowed = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": _MAY[user], "Resource": "*"}]}
    client = boto3.client("iam", **_signed(url, ("none", "none")))
    client.create_user(UserName=user)
    client.put_user_policy(UserName=user, PolicyName=user, PolicyDocument=json.dumps(allowed))
    made = client.create_access_key(UserName=user)["AccessKey"]
    return made["AccessKeyId"], made["SecretAccessKey"]


def _signed(url: str, keys: tuple[str, str]) -> dict[str, object]:
    return {
        "endpoint_url": url,
        "region_name": "us-east-1",
        "aws_access_key_id": keys[0],
        "aws_secret_access_key": keys[1],
        "config": Config(proxies={}, retries={"max_attempts": 1}),
    }
