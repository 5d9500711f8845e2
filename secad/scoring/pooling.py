"""Pooling: how strong alerts are in all datasets of a store, so that their ranking is one.

A strength is a surprise in nats and compares between datasets; the share of actors that show as
much does not, since a dataset of few actors cannot give a small one. So alerts are judged among
the actors of all datasets that a model is fitted on.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from secad.base.errors import ModelError
from secad.scoring.calibrate import Calibration, Sample


def pooled(calibrations: Sequence[Calibration]) -> Sample:
    """Returns the strengths of alerts in all datasets together.

    Args:
        calibrations: of one model's fits, one for each dataset, each by ``calibrate_alerts``.

    Raises:
        ModelError: there is none, or one knows no alerts.
    """
    strengths = []
    for calibration in calibrations:
        if calibration.alerts is None:
            raise ModelError("the calibration knows no alerts, with_alerts comes first")
        sample = calibration.alerts
        # how often each kept value stands for itself and for those left out above it
        counts = sample.events - np.append(sample.events[1:], 0)
        strengths.append(np.repeat(sample.values, counts))
    if not strengths:
        raise ModelError("no calibration to pool")
    return Sample.of(np.concatenate(strengths))
