"""``text.log``: a morning of a made HDFS cluster, in the layout and words of Hadoop's own logs.

Blocks are allocated, written in a pipeline of three data nodes, read, verified and deleted. Five
blocks break: their writes end in exceptions, or the name node and the disks disagree.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import datetime, timedelta

from samples.log import Log, Sample, after, dice, moments

_NODES = tuple(f"10.20.{rack}.{host}" for rack in (1, 2, 3) for host in (11, 12, 13, 14, 15))
_PORT = 50010
_FULL = 67108864
_DAY = 0
_BROKEN = {37: "write", 88: "write", 121: "lost", 160: "replicate", 203: "write"}
_BLOCKS = 230
_WHY = {
    "write": "a block whose write pipeline breaks with exceptions",
    "lost": "a block that the name node knows and the disk does not",
    "replicate": "a block that stays short of replicas",
}


@dataclass(frozen=True)
class _Block:
    name: str
    path: str
    nodes: tuple[str, ...]
    size: int
    why: str | None


class _Cluster:
    def __init__(self) -> None:
        self.log = Log()
        self.rng = dice("hdfs")

    def say(
        self, time: datetime, part: str, text: str, *, why: str | None = None, level: str = "INFO"
    ) -> None:
        thread = self.rng.randrange(13, 3200)
        self.log.add(time, f"{time:%y%m%d %H%M%S} {thread} {level} dfs.{part}: {text}", why=why)


def make() -> Sample:
    """Returns ``text.log.gz``."""
    out = _Cluster()
    rng = dice("blocks")
    times = moments(rng, _DAY, 8, 11, _BLOCKS)
    for number, time in enumerate(times):
        _life(out, rng, number, time)
    for time in moments(rng, _DAY, 8, 12, 60):
        _verify(out, rng, time)
    return out.log.sample("text.log.gz")


def _block(rng: random.Random, number: int) -> _Block:
    name = f"blk_{rng.randrange(-(2**63), 2**63)}"
    job = 200603020800 + number // 40
    task = number % 40
    path = rng.choice((
        f"/user/etl/sessions/_temporary/_task_{job}_0001_m_{task:06}_0/part-{task:05}.",
        f"/mnt/hadoop/mapred/system/job_{job}_0001/job.{rng.choice(('jar', 'split', 'xml'))}.",
        f"/user/etl/rand{rng.randrange(8)}/_temporary/_task_{job}_0002_m_{task:06}_0/part-{task:05}.",
    ))  # fmt: skip
    fault = _BROKEN.get(number)
    size = _FULL if rng.randrange(5) else rng.randrange(91_000, _FULL)
    return _Block(name, path, tuple(rng.sample(_NODES, 3)), size, _WHY[fault] if fault else None)


def _life(out: _Cluster, rng: random.Random, number: int, time: datetime) -> None:
    block = _block(rng, number)
    fault = _BROKEN.get(number)
    created = f"BLOCK* NameSystem.allocateBlock: {block.path} {block.name}"
    out.say(time, "FSNamesystem", created, why=block.why)
    source = rng.choice(_NODES)
    time = after(time, rng, 100, 900)
    for node in block.nodes:
        peers = f"src: /{source}:{rng.randrange(32768, 61000)} dest: /{node}:{_PORT}"
        out.say(
            time, "DataNode$DataXceiver", f"Receiving block {block.name} {peers}", why=block.why
        )
        source = node
        time = after(time, rng, 20, 400)
    if fault == "write":
        _broken_pipeline(out, rng, block, time)
        return
    time = after(time, rng, 20_000, 70_000)
    stored = 1 if fault == "replicate" else 3
    for step, node in enumerate(block.nodes[:stored]):
        received = f"Received block {block.name} of size {block.size} from /{block.nodes[0]}"
        out.say(time, "DataNode$PacketResponder", received, why=block.why)
        done = f"PacketResponder {2 - step} for block {block.name} terminating"
        out.say(time, "DataNode$PacketResponder", done, why=block.why)
        added = f"BLOCK* NameSystem.addStoredBlock: blockMap updated: {node}:{_PORT} is added to {block.name} size {block.size}"  # noqa: E501 - one log line
        out.say(after(time, rng, 1, 60), "FSNamesystem", added, why=block.why)
        time = after(time, rng, 5, 300)
    if fault == "replicate":
        _under_replicated(out, rng, block, time)
    else:
        _used(out, rng, block, time, lost=fault == "lost")


def _used(out: _Cluster, rng: random.Random, block: _Block, time: datetime, *, lost: bool) -> None:
    for _ in range(rng.randrange(4)):
        time = after(time, rng, 30_000, 1_500_000)
        node, reader = rng.choice(block.nodes), rng.choice(_NODES)
        served = f"{node}:{_PORT} Served block {block.name} to /{reader}"
        out.say(time, "DataNode$DataXceiver", served, why=block.why)
        if rng.randrange(40) == 0:  # a reader that hangs up: common, and harmless
            gone = f"{node}:{_PORT}:Got exception while serving {block.name} to /{reader}:"
            out.say(time, "DataNode$DataXceiver", gone, level="WARN")
    if rng.randrange(3) and not lost:
        return
    time = after(time, rng, 60_000, 1_800_000)
    for node in block.nodes:
        doomed = f"BLOCK* NameSystem.delete: {block.name} is added to invalidSet of {node}:{_PORT}"
        out.say(time, "FSNamesystem", doomed, why=block.why)
    time = after(time, rng, 1000, 9000)
    for node in block.nodes:
        if lost:
            text = f"Unexpected error trying to delete block {block.name}. BlockInfo not found in volumeMap."  # noqa: E501 - one log line
            out.say(time, "FSDataset", text, why=block.why, level="WARN")
            continue
        place = f"/mnt/hadoop/dfs/data/current/subdir{node[-1]}{rng.randrange(10)}/{block.name}"
        out.say(time, "FSDataset", f"Deleting block {block.name} file {place}", why=block.why)


def _broken_pipeline(out: _Cluster, rng: random.Random, block: _Block, time: datetime) -> None:
    time = after(time, rng, 3000, 30_000)
    for step, text in enumerate((
        "java.io.EOFException", "java.io.IOException: Broken pipe",
        "java.io.InterruptedIOException: Interrupted while waiting for IO on channel",
    )):  # fmt: skip
        failed = f"PacketResponder {block.name} {2 - step} Exception {text}"
        out.say(time, "DataNode$PacketResponder", failed, why=block.why, level="WARN")
        time = after(time, rng, 5, 900)
    failed = f"writeBlock {block.name} received exception java.io.IOException: Could not read from stream"  # noqa: E501 - one log line
    out.say(time, "DataNode$DataXceiver", failed, why=block.why)
    time += timedelta(milliseconds=700)
    orphan = f"BLOCK* NameSystem.addStoredBlock: addStoredBlock request received for {block.name} on {block.nodes[0]}:{_PORT} size {block.size} But it does not belong to any file."  # noqa: E501 - one log line
    out.say(time, "FSNamesystem", orphan, why=block.why)


def _under_replicated(out: _Cluster, rng: random.Random, block: _Block, time: datetime) -> None:
    for _ in range(3):
        time = after(time, rng, 60_000, 120_000)
        target = rng.choice(_NODES)
        asked = f"BLOCK* ask {block.nodes[0]}:{_PORT} to replicate {block.name} to datanode(s) {target}:{_PORT}"  # noqa: E501 - one log line
        out.say(time, "FSNamesystem", asked, why=block.why)
        time = after(time, rng, 1000, 5000)
        failed = f"{block.nodes[0]}:{_PORT}:Failed to transfer {block.name} to {target}:{_PORT} got java.net.SocketTimeoutException: timed out"  # noqa: E501 - one log line
        out.say(time, "DataNode$DataTransfer", failed, why=block.why, level="WARN")


def _verify(out: _Cluster, rng: random.Random, time: datetime) -> None:
    name = f"blk_{rng.randrange(-(2**63), 2**63)}"
    out.say(time, "DataBlockScanner", f"Verification succeeded for {name}")
