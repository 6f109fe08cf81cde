"""Who asks S3, and where: the environment tells it alone, the same to both clients.

No profile file and no metadata service is looked at.
"""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from impasse.schemas.errors import ImpasseError

if TYPE_CHECKING:  # and loaded only when a store is asked
    from pyarrow.fs import S3FileSystem

# A store that is silent is given up within half a minute; one that sends is not hurried.
_CONNECT_SECONDS = 5
_SILENT_SECONDS = 10
_TRIES = 3
# Polars counts the time of a whole answer, of up to 64 MB.
_ANSWER_SECONDS = 100


@dataclass(frozen=True, repr=False)
class _Account:
    """What the environment says; it is never shown."""

    key: str
    secret: str
    token: str | None
    region: str
    endpoint: str | None


def _account() -> _Account:
    key, secret = _environment("AWS_ACCESS_KEY_ID"), _environment("AWS_SECRET_ACCESS_KEY")
    if not key or not secret:
        raise ImpasseError(
            "There are no credentials for S3.",
            where="environment",
            expected="AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, and AWS_SESSION_TOKEN if they are temporary",
            do="Set them in the environment; the study file must not hold them.",
        )
    endpoint = _environment("AWS_ENDPOINT_URL_S3") or _environment("AWS_ENDPOINT_URL")
    region = _environment("AWS_REGION") or _environment("AWS_DEFAULT_REGION")
    _check_endpoint(endpoint, region)
    return _Account(key, secret, _environment("AWS_SESSION_TOKEN"), region or "us-east-1", endpoint)


def _check_endpoint(endpoint: str | None, region: str | None) -> None:
    if endpoint is None and region is None:
        raise ImpasseError(
            "It is not said where the bucket is.",
            where="environment",
            expected="AWS_REGION for a bucket at Amazon, or AWS_ENDPOINT_URL for one elsewhere",
            do="Set one of them.",
        )
    if endpoint is None or endpoint.startswith("https://"):
        return
    if not endpoint.startswith("http://"):
        raise ImpasseError(
            "The endpoint of S3 is no web address.",
            where="environment, AWS_ENDPOINT_URL",
            expected="a text such as https://s3.example.org:9000",
            do="Correct it.",
        )
    if (_environment("AWS_ALLOW_HTTP") or "").lower() not in ("1", "true", "yes"):
        raise ImpasseError(
            "The endpoint of S3 is not encrypted.",
            where="environment, AWS_ENDPOINT_URL",
            expected="an address that starts with https://, because rows of persons go to it",
            do="Use https, or set AWS_ALLOW_HTTP=true if the way to it is safe, as on this machine.",
        )


def _environment(name: str) -> str | None:
    return os.environ.get(name) or None


def client() -> S3FileSystem:
    """pyarrow's object store for what the environment says now."""
    return _client(_account())


@lru_cache(maxsize=1)
def _client(account: _Account) -> S3FileSystem:
    """The client; a file of up to 10 MB goes up in one request, so that no part of it can be left there."""
    from pyarrow.fs import AwsStandardS3RetryStrategy, S3FileSystem

    _silence()
    return S3FileSystem(
        access_key=account.key,
        secret_key=account.secret,
        session_token=account.token,
        region=account.region,
        endpoint_override=account.endpoint,
        connect_timeout=_CONNECT_SECONDS,
        request_timeout=_SILENT_SECONDS,
        retry_strategy=AwsStandardS3RetryStrategy(max_attempts=_TRIES),
        allow_delayed_open=True,
    )


@lru_cache(maxsize=1)
def _silence() -> None:
    """The library below pyarrow prints nothing: it would name objects, and what it means we tell in our words."""
    from pyarrow import ArrowInvalid
    from pyarrow.fs import S3LogLevel, initialize_s3

    with suppress(ArrowInvalid):  # it was started before
        initialize_s3(S3LogLevel.Off)


def polars_options() -> dict[str, Any]:
    """The same for Polars' object store."""
    account = _account()
    stated = {
        "aws_access_key_id": account.key,
        "aws_secret_access_key": account.secret,
        "aws_session_token": account.token,
        "aws_region": account.region,
        "aws_endpoint_url": account.endpoint,
        "aws_allow_http": "true" if (account.endpoint or "").startswith("http://") else "false",
        "connect_timeout": f"{_CONNECT_SECONDS}s",
        "timeout": f"{_ANSWER_SECONDS}s",
        "max_retries": _TRIES - 1,
        "retry_timeout_ms": 1000 * _ANSWER_SECONDS,
    }
    return {name: value for name, value in stated.items() if value is not None}
