"""What read_topics promises, without a broker: `python -m unittest` in this folder; needs fastavro alone."""

import datetime
import json
import unittest

from read_topics import AVRO, Lane, decode, load_schemas

GOLDEN = AVRO.parent / "golden"
EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)


def plain(value, per_second=1_000):
    """A decoded value as the readable golden files have it."""
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, datetime.datetime):
        return (value - EPOCH) // datetime.timedelta(seconds=1) * per_second + value.microsecond * per_second // 10**6
    if isinstance(value, dict):
        return {name: plain(field, 10**6 if name == "hlc" else 1_000) for name, field in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return value


class Golden(unittest.TestCase):
    def test_every_golden_value_is_read_as_its_readable_twin_says(self):
        schemas = load_schemas()
        paths = sorted(GOLDEN.glob("*.bin"))
        self.assertEqual(len(paths), len(schemas))
        for path in paths:
            name, event = decode(schemas, path.read_bytes())
            self.assertEqual(name, path.name.rsplit(".", 2)[0])
            twin = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
            meta = event.pop("meta")
            self.assertEqual({"meta": plain(meta), "body": plain(event)}, twin, path.name)

    def test_what_is_not_a_value_is_refused(self):
        schemas = load_schemas()
        value = (GOLDEN / "feira.cart.v1.ItemAdded.1.bin").read_bytes()
        cut = [value[:end] for end in range(len(value))]
        for wrong in (None, b"{}", b"\1" + value[1:], b"\0\0\0\x30\x39" + value[5:], value + b"\0", *cut):
            with self.assertRaises(ValueError):
                decode(schemas, wrong)


class Sequences(unittest.TestCase):
    def faults(self, *places):
        lane = Lane("cart", 3)
        return [fault for lane_seq, term in places for fault in lane.take({"lane": 3, "lane_seq": lane_seq, "term": term})]

    def test_dense_sequences_under_rising_terms_are_in_order(self):
        self.assertEqual(self.faults((1, 1), (2, 1), (3, 4)), [])

    def test_a_gap_a_duplicate_and_a_falling_term_are_named(self):
        self.assertEqual(self.faults((2, 1)), ["cart/3: record 2 follows 0: a gap"])
        self.assertEqual(self.faults((1, 1), (1, 1)), ["cart/3: record 1 follows 1: a duplicate"])
        self.assertEqual(self.faults((1, 2), (2, 1)), ["cart/3: the term falls from 2 to 1 at record 2"])

    def test_a_record_of_another_lane_is_named(self):
        self.assertEqual(len(Lane("cart", 0).take({"lane": 1, "lane_seq": 1, "term": 1})), 1)


if __name__ == "__main__":
    unittest.main()
