"""What runs of fit and detect tell of themselves."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field


@dataclass(frozen=True)
class Inert:
    """A model that could not run on a dataset, and why."""

    model: str
    dataset: str
    reason: str

    def told(self) -> str:
        """Returns it in a line."""
        return f"{self.model} is inert on {self.dataset}: {self.reason}"


@dataclass
class ModelRun:
    """What one model did on one dataset.

    Args:
        model: its name.
        dataset: the events'.
        model_id: of the fit that scored.
        fitted: how many events it was fitted on in this run, 0 where it was fitted before.
        scored: how many events it scored.
        no_view: how many it has no view of.
        new: alerts.
        updated: alerts.
        over_budget: episodes that the alert budget left out.
        nameless: odd events that name nobody who acts.
    """

    model: str
    dataset: str
    model_id: str
    fitted: int = 0
    scored: int = 0
    no_view: int = 0
    new: int = 0
    updated: int = 0
    over_budget: int = 0
    nameless: int = 0

    def facts(self) -> dict[str, object]:
        """Returns it as names and values."""
        return asdict(self)

    def told(self) -> str:
        """Returns it in a line."""
        fitted = f"fitted on {self.fitted:,} events, " if self.fitted else ""
        line = f"{self.model} on {self.dataset}: {fitted}{self.scored:,} scored"
        for count, words in (
            (self.no_view, "of kinds too rare to compare"),
            (self.new, "alerts new"),
            (self.updated, "alerts updated"),
            (self.over_budget, "findings over the budget"),
            (self.nameless, "odd events without an actor"),
        ):
            line += f", {count:,} {words}" if count else ""
        return line


@dataclass
class DetectReport:
    """What a run of fit or detect did.

    Args:
        fits: what each model did on each dataset.
        inert: what could not run.
        seconds: how long it took.
    """

    fits: list[ModelRun] = field(default_factory=list)
    inert: list[Inert] = field(default_factory=list)
    seconds: float = 0.0

    def facts(self) -> dict[str, object]:
        """Returns the sums."""
        names = ("scored", "new", "updated", "over_budget")
        sums = {name: sum(getattr(run, name) for run in self.fits) for name in names}
        return {**sums, "inert": len(self.inert), "seconds": round(self.seconds, 3)}

    def told(self) -> str:
        """Returns the sums in a line."""
        scored = sum(run.scored for run in self.fits)
        new, updated = (sum(getattr(run, n) for run in self.fits) for n in ("new", "updated"))
        rate = scored / self.seconds if self.seconds else 0.0
        return (
            f"{scored:,} scores, {new:,} alerts new, {updated:,} updated, "
            f"{len(self.inert)} inert; {self.seconds:.1f} s, {rate:,.0f} scores/s"
        )
