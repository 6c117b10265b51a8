"""The recorder as a program that is started with Tempo's own configuration, in Tempo's place."""

from __future__ import annotations

import signal
import sys
import threading
from pathlib import Path

import yaml
from tests.engines.stack.recorder import Recorder
from tests.programs import write_program

_ROOT = Path(__file__).parents[3]
_PROGRAM = """
import sys

sys.path.insert(0, {root!r})
from tests.engines.stack.stand_in import main

main()
"""


def write(path: Path) -> Path:
    """Make an executable that can be named where a `tempo` is wanted (`OBS_TEMPO`)."""
    return write_program(path, _PROGRAM.format(root=str(_ROOT)))


def main() -> None:
    """Do what `tempo` is asked to: tell a version, check a configuration, or run until SIGTERM."""
    options = dict(argument.lstrip("-").partition("=")[::2] for argument in sys.argv[1:])
    if "version" in options:
        sys.stdout.write("recorder of traces in the place of tempo, version 3.0.3\n")
        return
    document = yaml.safe_load(Path(options["config.file"]).read_text(encoding="utf-8"))
    grpc = document["distributor"]["receivers"]["otlp"]["protocols"]["grpc"]["endpoint"]
    recorder = Recorder(
        otlp_grpc=int(grpc.rpartition(":")[2]),
        http=int(document["server"]["http_listen_port"]),
        journal=Path(document["storage"]["trace"]["local"]["path"]).with_name("recorded"),
    )
    if "config.verify" in options:
        return
    ended = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: ended.set())
    recorder.start()
    ended.wait()
    recorder.stop()
