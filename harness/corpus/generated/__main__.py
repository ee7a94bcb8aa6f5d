"""Makes generated cases when asked, with the reference evaluator's answers, until hung up on."""

from __future__ import annotations

import argparse
import contextlib
import errno
import json
import os
import platform
import traceback
from pathlib import Path
from typing import Any

import numpy as np
import onnx

from harness.corpus.generated.writing import packed_line
from harness.corpus.packing import Packer
from harness.generate.description import Description
from harness.wire.channel import Channel, ChannelClosedError
from harness.wire.messages import PROTOCOL, Evidence, Hello, Reply, Request
from harness.wire.outcomes import Outcome


def main() -> None:
    """Serve one controller."""
    parser = argparse.ArgumentParser(description="Make generated cases and their right answers.")
    parser.add_argument("--channel", type=int, required=True, help="descriptor to the controller")
    channel = Channel.inherit(parser.parse_args().channel)
    channel.send(
        Hello(
            protocol=PROTOCOL,
            release=onnx.__version__,
            distributions=(f"onnx=={onnx.__version__}",),
            providers=(),
            python=platform.python_version(),
            numpy=np.__version__,
        ).to_json()
    )
    with contextlib.suppress(ChannelClosedError):
        while (message := channel.receive()) is not None:
            channel.send(_reply(Request.from_json(message)).to_json())


def _reply(request: Request) -> Reply:
    try:
        _write_all(request.arguments)
    except Exception as error:  # noqa: BLE001 - boundary: told as our own fault
        text = f"{type(error).__name__}: {error}"
        evidence = Evidence(text=text, traceback=traceback.format_exc())
        return Reply(number=request.number, outcome=Outcome.HARNESS_FAULT, evidence=evidence)
    return Reply(number=request.number, outcome=Outcome.PASS)


def _write_all(arguments: dict[str, Any]) -> None:
    """Write the cases into the data file and a line for each into the report, one after another."""
    data = Path(arguments["data"])
    with data.open("ab") as out, Path(arguments["report"]).open("ab", buffering=0) as report:
        packer = Packer(out, Path(arguments["placed"]))
        for text in arguments["descriptions"]:
            line = packed_line(Description.parse(text), packer, votes=arguments["votes"])
            out.flush()
            told = json.dumps(line.to_json()).encode() + b"\n"
            if os.write(report.fileno(), told) < len(told):  # a full disk takes a part first
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), arguments["report"])


if __name__ == "__main__":
    main()
