"""APE: anomalous categorical events by embedding their entities.

Ting Chen, Lu-An Tang, Yizhou Sun, Zhengzhang Chen, Kai Zhang: *Entity Embedding-based Anomaly
Detection for Heterogeneous Categorical Events*, IJCAI 2016, https://arxiv.org/abs/1608.07502

EVENTS rows enter, SCORES in nats leave; one model of each view (kind of event) inside. An event
``e = (a_1, ..., a_m)`` has one entity ``a_i`` of each type ``A_i``; an entity is a point, and
entities that belong together lie in the same direction. The equations (numbered here):

1.  ``S(e) = sum_{i<j} w_ij <v_{a_i}, v_{a_j}>`` with ``w_ij >= 0``, how well the parts fit
2.  ``P(e) = exp S(e) / Z``, and ``log P(e) = S(e) + c`` with a learned ``c`` for ``-log Z``
3.  noise: one type i of the event is drawn anew, ``a'_i ~ p_i``; noise-contrastive estimation
    tells events from noise:
    ``log s(log P(e) - log k P_n(e)) + sum_{e'} log s(-(log P(e') - log k P_n(e')))``
4.  paper: ``log P_n(e) = mean_i log p_i(a_i)``, ``log P_n(e') = log p_i(a'_i)``
5.  conditional: each type is a problem by itself, ``log p(a_i | a_-i) = o_i(a_i) + c_i`` with
    ``o_i(a) = sum_j w_ij <v_a, v_{a_j}> + b_a``, against the noise ``k p_i(a)``
6.  score: paper ``-S(e)``; conditional ``-sum_i log softmax_i(o_i)(a_i)``, normalised exactly

Letters: m types, d the dimension of ``v``, A entities of all types together, k negatives per
type, U distinct events, R members (equal models that differ by their seed; scores are averaged).

**Differs from the paper**

- ``conditional`` (the default) estimates eq. 5 in place of eq. 4, whose mean of logarithms is
  too low for an event with one rare entity, and scores by eq. 6. On four recorded attacks it
  has the higher average precision, and its held-out likelihood falls faster. The terms of S(e)
  without ``a_i`` are left out of ``o_i``: they cancel in eq. 6, and no one offset per type could
  normalise them.
- The expectation over the noise is taken over a type's values at once, each weighted by
  ``k p_i(a')``, where the paper samples k of them: one matrix product, less variance. Beyond
  ``_CANDIDATES`` values a sample of that many is shared by the batch. The noise events of
  eq. 3 are never built: ``S(e') = S(e) - o_i(a_i) + o_i(a'_i)``.
- Events count by the square root of their number, so that a service that polls does not drown
  the rest; the noise is 0.8 unigram and 0.2 uniform, so that rare entities are met; each entity
  has a bias; ``w`` is a softplus in place of a projection. ``paper`` counts events as they are
  and has no bias.
- Each type has an entity for all unknown ones, trained by putting it in place of entities that
  were seen once.

**Cost** O(steps U' m d A') to fit a view, U' and A' the rows and entities of a batch (at most
``_BATCH`` and ``m _CANDIDATES``); O(U m d A) to score. Linear in distinct events, not in events.

**Cannot see** combinations that are odd only as three or more, order and time, what entity
columns leave out, and an attack that fills the time that it was fitted on.
"""

from __future__ import annotations

from secad.models.ape.model import APE

__all__ = ["APE"]
