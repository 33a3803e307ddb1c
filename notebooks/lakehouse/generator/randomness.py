"""Reproducible randomness: random streams by day, identifiers and fractions by position.

Nothing here reads a clock or keeps state: the same seed and position give the same value on any machine.
"""

import numpy as np
import pyarrow as pa

_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)
_STEP = np.uint64(0x9E3779B97F4A7C15)
_HEX = np.frombuffer(b"".join(b"%02x" % byte for byte in range(256)), dtype=np.uint8).reshape(256, 2)

# One number per purpose. They determine every generated file: never change one, only add.
STREAMS = {
    "places": 1,
    "sellers": 2,
    "products": 3,
    "counts": 4,
    "lives": 5,
    "items": 6,
    "payments": 7,
    "reviews": 8,
    "customers": 9,
    "points": 10,
    "product_changes": 11,
    "seller_changes": 12,
    "source_orders": 13,
    "new_places": 14,
    "texts": 15,
    "feed_customers": 16,
    "feed_products": 17,
    "feed_sellers": 18,
    "defects_customers": 19,
    "defects_products": 20,
    "defects_sellers": 21,
    "order_id": 101,
    "customer_id": 102,
    "customer_unique_id": 103,
    "review_id": 104,
    "product_id": 105,
    "seller_id": 106,
    "customer_place": 107,
    "unknown_customers": 108,
    "unknown_products": 109,
    "unknown_sellers": 110,
}


def generator(seed: int, day: int, stream: str) -> np.random.Generator:
    """The random stream for one purpose on one day; *day* is a day number, 0 for what belongs to no day."""
    return np.random.default_rng(np.random.SeedSequence([seed, day, STREAMS[stream]]))


def hashes(seed: int, stream: str, day: np.ndarray | int, index: np.ndarray) -> np.ndarray:
    """64 mixed bits for each position (*day*, *index*), without state: each position can be computed on its own.

    Source: the finaliser of SplitMix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators, 2014).
    """
    with np.errstate(over="ignore"):
        value = _mix(np.full(len(index), seed, dtype=np.uint64) + _STEP * np.uint64(STREAMS[stream]))
        value = _mix(value + _STEP * np.broadcast_to(np.asarray(day), len(index)).astype(np.uint64))
        return _mix(value + _STEP * (index.astype(np.uint64) + np.uint64(1)))


def fractions(seed: int, stream: str, day: np.ndarray | int, index: np.ndarray) -> np.ndarray:
    """A number in [0, 1) for each position (*day*, *index*)."""
    return (hashes(seed, stream, day, index) >> np.uint64(11)).astype(np.float64) / float(1 << 53)


def identifiers(seed: int, stream: str, day: np.ndarray | int, index: np.ndarray) -> pa.StringArray:
    """An identifier of 32 hexadecimal digits for each position, like Olist's own."""
    first = hashes(seed, stream, day, index)
    with np.errstate(over="ignore"):
        second = _mix(first + _STEP)
    pairs = np.stack([first, second], axis=1).astype(">u8").view(np.uint8)
    text = np.ascontiguousarray(_HEX[pairs])
    offsets = np.arange(0, 32 * len(index) + 1, 32, dtype=np.int32)
    return pa.StringArray.from_buffers(len(index), pa.py_buffer(offsets), pa.py_buffer(text))


def spread(total: int, weights: np.ndarray) -> np.ndarray:
    """Whole numbers that sum to *total* in proportion to *weights* (largest remainders, ties to the first)."""
    exact = total * weights / weights.sum()
    counts = np.floor(exact).astype(np.int64)
    missing = total - int(counts.sum())
    order = np.argsort(-(exact - counts), kind="stable")
    counts[order[:missing]] += 1
    return counts


def _mix(value: np.ndarray) -> np.ndarray:
    with np.errstate(over="ignore"):
        value = (value ^ (value >> np.uint64(30))) * _MIX_1
        value = (value ^ (value >> np.uint64(27))) * _MIX_2
        return value ^ (value >> np.uint64(31))
