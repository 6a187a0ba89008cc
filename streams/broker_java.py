"""The Java program that runs the local Kafka node and its tools."""

import os
from collections.abc import Sequence

from streams.broker_jars import Report, fetch_jars, java_program

# Start quickly rather than run fastest: plain collector, first compiler only. With these the node
# answers in 1.4 s; a class-data archive of our own took 65 MB and was no faster.
QUICK_JVM = ("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto", "-XX:-UsePerfData")
# Options that others put into the environment for their own Java programs.
_FOREIGN_ENV = ("CLASSPATH", "JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS", "_JAVA_OPTIONS")


def java_command(*, jvm: Sequence[str], heap_mb: int, report: Report) -> list[str]:
    """Java with Kafka's classes; a class to run and its arguments are still to be added.

    Raises:
        MissingExtra: the `broker` extra is not installed.
        BrokerStartFailed: the jars cannot be fetched.
    """
    jars = fetch_jars(report)
    return [
        str(java_program()),
        *jvm,
        f"-Xmx{heap_mb}m",
        "-Dlog4j2.disableJmx=true",
        "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
        "-Dorg.slf4j.simpleLogger.showDateTime=true",
        "-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd'T'HH:mm:ss.SSSXXX",
        "-cp",
        ":".join(map(str, jars)),
    ]


def java_environment() -> dict[str, str]:
    """Our environment without what would change how the node runs."""
    return {name: value for name, value in os.environ.items() if name not in _FOREIGN_ENV}
