"""The peer: a plain drain3 loop over a log, one ``add_log_message`` a line, prints JSON.

    python peer_drain3.py FILE HEAD_FIELDS [LABELS]

The masks are secad's canonical form written as regular expressions: hexadecimal words, and numbers
with what joins them. Only the message is given to the miner, as in secad. LABELS, where given,
takes the cluster of each line.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from drain3 import TemplateMiner
from drain3.masking import MaskingInstruction
from drain3.template_miner_config import TemplateMinerConfig

_HEX = r"\b(?:0x[0-9a-fA-F]+|(?=[0-9a-fA-F]*[0-9])[0-9a-fA-F]+|[0-9a-fA-F]{8,})\b"
_NUMBER = r"[+-]?\d+(?:[.:]\d+)*"


def main() -> None:
    """Reads the log named on the command line."""
    path, head_fields = Path(sys.argv[1]), int(sys.argv[2])
    config = TemplateMinerConfig()
    config.masking_instructions = [MaskingInstruction(_HEX, "*"), MaskingInstruction(_NUMBER, "*")]
    miner = TemplateMiner(config=config)
    clusters = []
    lines = path.read_text(encoding="utf-8").splitlines()
    began = time.perf_counter()
    for line in lines:
        found = miner.add_log_message(line.split(None, head_fields)[-1])
        clusters.append(found["cluster_id"])
    seconds = time.perf_counter() - began
    if len(sys.argv) > 3:
        Path(sys.argv[3]).write_text(json.dumps(clusters), encoding="utf-8")
    known = len(miner.drain.clusters)
    print(json.dumps({"lines": len(lines), "seconds": seconds, "clusters": known}))


if __name__ == "__main__":
    main()
