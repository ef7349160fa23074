"""Reads the event topics with the published schemas alone, counts what is there and checks that nothing is missing.

    pip install -r requirements.txt
    python read_topics.py --brokers 127.0.0.1:19092 --service cart --service catalog

Prints one JSON object: for each service how many records there are, by type and by lane. What is wrong with the
topics is written to standard error, a line each.

Exit code 0: all is in order. 1: a gap, a duplicate, a falling term, or a record that cannot be read. 2: the topics
could not be read to their end.
"""

import argparse
import io
import json
import struct
import sys
import time
from pathlib import Path

import fastavro

AVRO = Path(__file__).resolve().parent.parent / "avro"
GROUP = "feira-read-topics"  # Clients ask for a name; nothing is ever committed under it.


def load_schemas(folder=AVRO):
    """Every released schema: id -> (full name, parsed schema)."""
    schemas = {}
    for entry in json.loads((folder / "index.json").read_text(encoding="utf-8")):
        schema = json.loads((folder / entry["file"]).read_text(encoding="utf-8"))
        schemas[entry["id"]] = (entry["name"], fastavro.parse_schema(schema))
    return schemas


def decode(schemas, value):
    """The event's full name and its fields, of a value: a zero byte, four bytes of schema id, an Avro record."""
    if value is None or len(value) < 5 or value[0] != 0:
        raise ValueError("the value is not framed")
    (schema_id,) = struct.unpack(">i", value[1:5])
    if schema_id not in schemas:
        raise ValueError(f"schema {schema_id} is not in schemas/avro: a later release wrote the value")
    name, schema = schemas[schema_id]
    rest = io.BytesIO(value[5:])
    try:
        event = fastavro.schemaless_reader(rest, schema)
    except Exception as error:  # The library has a kind of its own for each way in which bytes can be wrong.
        raise ValueError(f"a {name} cannot be read: {type(error).__name__}") from error
    if rest.read(1):
        raise ValueError(f"bytes follow the end of a {name}")
    return name, event


class TopicError(Exception):
    """A topic could not be read to its end."""


class Lane:
    """One lane as it is read: sequences are 1, 2, 3 … and terms never fall."""

    def __init__(self, service, index):
        self.service, self.index = service, index
        self.events, self.last_seq, self.term = 0, 0, 0

    def take(self, meta):
        """Counts one record; answers what is wrong with its place."""
        faults = []
        where = f"{self.service}/{self.index}"
        seq, term = meta["lane_seq"], meta["term"]
        if meta["lane"] != self.index:
            faults.append(f"{where}: record {seq} says that it is of lane {meta['lane']}")
        if seq <= self.last_seq:
            faults.append(f"{where}: record {seq} follows {self.last_seq}: a duplicate")
        elif seq != self.last_seq + 1:
            faults.append(f"{where}: record {seq} follows {self.last_seq}: a gap")
        if term < self.term:
            faults.append(f"{where}: the term falls from {self.term} to {term} at record {seq}")
        self.events += 1
        self.last_seq, self.term = max(seq, self.last_seq), max(term, self.term)
        return faults


def ends_of(brokers, topic, deadline):
    """The end of each partition, open transactions included: what was acknowledged before now lies before it.

    A consumer that reads committed records only would be told the end of those; just after a commit that can still be
    too early.
    """
    from confluent_kafka import Consumer, TopicPartition

    consumer = Consumer({"bootstrap.servers": brokers, "isolation.level": "read_uncommitted", "group.id": GROUP})
    try:
        wait = max(1.0, min(30.0, deadline - time.monotonic()))
        found = consumer.list_topics(topic, timeout=wait).topics[topic]
        if found.error is not None:
            raise TopicError(f"{topic}: {found.error.str()}")
        partitions = [TopicPartition(topic, partition) for partition in sorted(found.partitions)]
        return {one.partition: consumer.get_watermark_offsets(one, timeout=wait)[1] for one in partitions}
    finally:
        consumer.close()


def read_topic(brokers, topic, service, schemas, deadline, take=None):
    """Reads one topic to the end it has now. Answers the report and the faults.

    `take`, where it is given, gets each record: the lane as `cart/3`, the event's full name and its fields.
    """
    from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, TopicPartition

    ends = ends_of(brokers, topic, deadline)
    consumer = Consumer(
        {
            "bootstrap.servers": brokers,
            # Consumers on the JVM read what was aborted unless they say so too.
            "isolation.level": "read_committed",
            "group.id": GROUP,
            "enable.auto.commit": False,
            "enable.partition.eof": True,
        }
    )
    try:
        lanes = {partition: Lane(service, partition) for partition in ends}
        by_type, faults, open_lanes = {}, [], set(lanes)
        consumer.assign([TopicPartition(topic, partition, OFFSET_BEGINNING) for partition in lanes])
        while open_lanes:
            if time.monotonic() > deadline:
                raise TopicError(f"{topic}: the end of lanes {sorted(open_lanes)} was not reached in time")
            for message in consumer.consume(1_000, timeout=0.5):
                lane = message.partition()
                if message.error() is not None:
                    if message.error().code() != KafkaError._PARTITION_EOF:
                        raise TopicError(f"{topic}: {message.error().str()}")
                    if message.offset() >= ends[lane]:
                        open_lanes.discard(lane)
                elif lane in open_lanes:
                    try:
                        name, event = decode(schemas, message.value())
                    except ValueError as error:
                        faults.append(f"{service}/{lane}: the value at offset {message.offset()}: {error}")
                        continue
                    by_type[name] = by_type.get(name, 0) + 1
                    faults += lanes[lane].take(event["meta"])
                    if take is not None:
                        take(f"{service}/{lane}", name, event)
    finally:
        consumer.close()
    report = {
        "events": sum(lane.events for lane in lanes.values()),
        "by_type": dict(sorted(by_type.items())),
        "lanes": {str(index): lane.events for index, lane in lanes.items()},
    }
    return report, faults


def topics_of(brokers, prefix, timeout):
    """The services that have a topic of events under the prefix."""
    from confluent_kafka.admin import AdminClient

    ending = ".events.v1"
    names = AdminClient({"bootstrap.servers": brokers}).list_topics(timeout=timeout).topics
    middles = (name[len(prefix) : -len(ending)] for name in names if name.startswith(prefix) and name.endswith(ending))
    return sorted(middle for middle in middles if middle.isascii() and middle.isalpha() and middle.islower())


def main():
    parser = argparse.ArgumentParser(description="Counts and checks the events on the topics.")
    parser.add_argument("--brokers", default="127.0.0.1:19092", help="host:port, several parted by commas")
    parser.add_argument("--prefix", default="", help="what the installation's topics begin with, such as staging.")
    parser.add_argument("--service", action="append", help="a service, again for more; all there are without it")
    parser.add_argument("--timeout", type=float, default=300.0, help="seconds after which to give up")
    options = parser.parse_args()

    from confluent_kafka import KafkaException

    deadline = time.monotonic() + options.timeout
    schemas = load_schemas()
    reports, faults = {}, []
    try:
        services = options.service or topics_of(options.brokers, options.prefix, min(30.0, options.timeout))
        if not services:
            raise TopicError(f"no topic is named {options.prefix}<service>.events.v1")
        for service in services:
            topic = f"{options.prefix}{service}.events.v1"
            reports[service], found = read_topic(options.brokers, topic, service, schemas, deadline)
            faults += found
    except (KafkaException, TopicError) as error:
        print(error, file=sys.stderr)
        return 2
    print(json.dumps(reports, indent=2))
    for fault in faults:
        print(fault, file=sys.stderr)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
