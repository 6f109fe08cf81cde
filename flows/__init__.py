"""The only place with Prefect, paths, clocks and the environment.

Nothing is reported to anyone: the telemetry of the libraries is switched off before they are
imported, and the logs of Prefect and Dask stay quiet unless the environment asks for it.
"""

import os

for _name, _value in {
    "DO_NOT_TRACK": "1",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "GX_ANALYTICS_ENABLED": "false",
    "PREFECT_SERVER_EPHEMERAL_ENABLED": "true",
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "600",  # where a flow is called without the command line
    "PREFECT_LOGGING_LEVEL": "CRITICAL",
    "DASK_LOGGING__DISTRIBUTED": "critical",
    "POLARS_IGNORE_TIMEZONE_PARSE_ERROR": "1",  # a zone that nobody knows is told in our words, not by a panic
    "AWS_EC2_METADATA_DISABLED": "true",  # nobody is asked for credentials
}.items():
    os.environ.setdefault(_name, _value)
