"""The peer: a plain drain3 loop over a log, one ``add_log_message`` a line.

Prints JSON: ``seconds`` of the whole loop with reading, ``mining_s`` of the miner alone.

    python peer_drain3.py FILE HEAD_FIELDS [LABELS]

The masks are secad's canonical form written as regular expressions: hexadecimal words, and numbers
with what joins them. Only the message is given to the miner, as in secad. LABELS, where given,
takes the cluster of each line.
"""

from __future__ import annotations

import itertools
import json
import sys
import time
from pathlib import Path

from drain3 import TemplateMiner
from drain3.masking import MaskingInstruction
from drain3.template_miner_config import TemplateMinerConfig

_HEX = r"\b(?:0x[0-9a-fA-F]+|(?=[0-9a-fA-F]*[0-9])[0-9a-fA-F]+|[0-9a-fA-F]{8,})\b"
_BLOCK_LINES = 10_000
_NUMBER = r"[+-]?\d+(?:[.:]\d+)*"


def main() -> None:
    """Reads the log named on the command line."""
    path, head_fields = Path(sys.argv[1]), int(sys.argv[2])
    config = TemplateMinerConfig()
    config.masking_instructions = [MaskingInstruction(_HEX, "*"), MaskingInstruction(_NUMBER, "*")]
    miner = TemplateMiner(config=config)
    clusters = []
    mining = 0.0
    began = time.perf_counter()
    with path.open(encoding="utf-8") as lines:
        while block := list(itertools.islice(lines, _BLOCK_LINES)):
            messages = [line.rstrip("\n").split(None, head_fields)[-1] for line in block]
            mining -= time.perf_counter()
            clusters += [miner.add_log_message(message)["cluster_id"] for message in messages]
            mining += time.perf_counter()
    seconds = time.perf_counter() - began
    if len(sys.argv) > 3:
        Path(sys.argv[3]).write_text(json.dumps(clusters), encoding="utf-8")
    known = len(miner.drain.clusters)
    print(json.dumps({"seconds": seconds, "mining_s": mining, "clusters": known}))


if __name__ == "__main__":
    main()
