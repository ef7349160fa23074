"""Reads a running platform's topics as an analyst would, and compares the counts with what the platform says of itself.

    python check.py --feira target/debug/feira --data target/test-data/topics

Starts every service and the gateway on Kafka and CQL under names of their own, lists products, fills carts, has a command
refused, and leaves an aborted transaction on the topics. Then `schemas/python/read_topics.py`, which knows nothing but
`schemas/avro`, must count what `feira log show --count` counts, and `schemas/python/invoices.py` must come to the
invoices that the demo was issued. Needs confluent-kafka and fastavro, and the servers of
`deploy/local`. Prints a line for each check and `topics: N ok of N`; exit code 0 only when all are.
"""

import argparse
import json
import re
import secrets
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
READER = ROOT / "schemas" / "python" / "read_topics.py"
INVOICES = ROOT / "schemas" / "python" / "invoices.py"
SHOP = "feira-livre"
PRODUCTS = 40
READY_WITHIN = 120.0

# Every service, and how many lanes each has, as the settings for one machine list them.
LOCAL = (ROOT / "deploy" / "local" / "feira.toml").read_text(encoding="utf-8")
LANES = re.findall(r"^([a-z]+) = (\d+)$", LOCAL.partition("[kafka.lanes]")[2].partition("[")[0], re.MULTILINE)
SERVICES = [service for service, _ in LANES]

SETTINGS = """
folder = "{data}/process"

[kafka]
brokers = "{brokers}"
prefix = "{prefix}"
lanes = {{ {lanes} }}

[cql]
nodes = ["{nodes}"]
keyspace = "{keyspace}"

[auth]
development_folder = "{data}/keys"

{listens}
[gateway]
listen = "127.0.0.1:{gateway}"
"""


def free_ports(count):
    """Ports that nobody listens on now."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


class Platform:
    """Every service and the gateway in one process, on names of their own."""

    def __init__(self, options):
        self.feira, self.brokers = options.feira, options.brokers
        self.data = Path(options.data).resolve()
        shutil.rmtree(self.data, ignore_errors=True)
        self.data.mkdir(parents=True)
        name = secrets.token_hex(4)
        self.prefix = f"check-{name}."
        *ports, gateway = free_ports(len(SERVICES) + 1)
        listens = [f'[{name}]\nlisten = "127.0.0.1:{port}"\n' for name, port in zip(SERVICES, ports)]
        self.url = f"http://127.0.0.1:{gateway}/graphql"
        self.ready = f"http://127.0.0.1:{gateway}/health/ready"
        self.settings = self.data / "feira.toml"
        self.settings.write_text(
            SETTINGS.format(
                data=self.data, brokers=options.brokers, prefix=self.prefix, nodes=options.nodes,
                keyspace=f"check_{name}", lanes=", ".join(f"{service} = {lanes}" for service, lanes in LANES), listens="\n".join(listens), gateway=gateway,
            ),
            encoding="utf-8",
        )

    def __enter__(self):
        self.log = open(self.data / "feira.log", "w+", encoding="utf-8")
        verbs = ["serve", *SERVICES, "gateway", "--config", str(self.settings)]
        self.process = subprocess.Popen([self.feira, *verbs], stdout=self.log, stderr=self.log)
        deadline = time.monotonic() + READY_WITHIN
        while not self.is_ready():
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.__exit__()
                raise SystemExit(f"the platform was not ready; it printed:\n{(self.data / 'feira.log').read_text()}")
            time.sleep(0.1)
        return self

    def is_ready(self):
        try:
            with urllib.request.urlopen(self.ready, timeout=5) as answer:
                return answer.status == 200
        except OSError:
            return False

    def __exit__(self, *_):
        self.process.terminate()
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.log.close()

    def token(self, role, *more):
        command = [self.feira, "token", "--data", str(self.data / "keys"), "--role", role, *more]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    def ask(self, token, query, **variables):
        """The data of a GraphQL answer without errors."""
        body = json.dumps({"query": query, "variables": variables}).encode()
        headers = {"content-type": "application/json", "authorization": f"Bearer {token}"}
        request = urllib.request.Request(self.url, body, headers)
        with urllib.request.urlopen(request, timeout=30) as answer:
            result = json.load(answer)
        if result.get("errors"):
            raise SystemExit(f"the platform answered with errors: {result['errors']}")
        return result["data"]

    def demo(self):
        """Plays the demo; answers what it says of it."""
        command = [self.feira, "demo", "--output", "json", "--config", str(self.settings)]
        command += ["--data", str(self.data / "keys"), "--url", self.url.removesuffix("/graphql")]
        played = subprocess.run(command, capture_output=True, text=True)
        if played.returncode != 0:
            raise SystemExit(f"the demo was not played: {played.stderr}")
        return json.loads(played.stdout)

    def counts(self):
        """What the platform says of its own log, in the form of the reader's report."""
        command = [self.feira, "log", "show", "--count", "--output", "json", "--config", str(self.settings)]
        return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def fill(platform):
    """Products, carts, and a command that is refused."""
    admin = platform.token("admin", "--tenant", SHOP)
    put = """mutation($input: ProductPutInput!) { productPut(input: $input) { userErrors { code } } }"""
    for number in range(PRODUCTS):
        product = {"sku": f"SKU-{number}", "title": f"Produto {number}", "price": {"amount": "19.90", "currency": "BRL"}}
        assert not platform.ask(admin, put, input=product)["productPut"]["userErrors"]
    add = """mutation($input: CartAddItemInput!) { cartAddItem(input: $input) { userErrors { code } } }"""
    for shopper in ["ana", "bia"]:
        consumer = platform.token("consumer", "--subject", shopper)
        item = {"business": SHOP, "sku": "SKU-1", "quantity": 2}
        assert not platform.ask(consumer, add, input=item)["cartAddItem"]["userErrors"]
        item["quantity"] = 99
        assert platform.ask(consumer, add, input=item)["cartAddItem"]["userErrors"], "99 more than 2 must be refused"


def invoices(platform, options, check):
    """Plays two purchases, and works their invoices out again from the topics alone."""
    said = {shop["business"]: shop["invoices"] for shop in platform.demo()["shops"]}
    command = [sys.executable, str(INVOICES), "--brokers", options.brokers, "--prefix", platform.prefix]
    reader = subprocess.run(command, capture_output=True, text=True)
    check("the topics alone give the invoices that were issued", reader.returncode == 0, reader.stderr)
    found = json.loads(reader.stdout or "{}").get("invoices", [])
    for business, issued in said.items():
        numbers = [one["number"] for one in found if one["business"] == business]
        check(f"{business}: the same invoices", numbers == [one["number"] for one in issued], (numbers, issued))


def abort_on(brokers, topic):
    """Leaves records on a topic that were never committed."""
    from confluent_kafka import Producer

    producer = Producer({"bootstrap.servers": brokers, "transactional.id": f"check-{secrets.token_hex(4)}"})
    producer.init_transactions(30)
    producer.begin_transaction()
    for partition in range(4):
        producer.produce(topic, b"never committed", partition=partition)
    producer.flush(30)
    producer.abort_transaction(30)


def drop_topics(brokers, prefix):
    """Takes the topics of this check away again."""
    from confluent_kafka.admin import AdminClient

    client = AdminClient({"bootstrap.servers": brokers})
    names = [name for name in client.list_topics(timeout=30).topics if name.startswith(prefix)]
    for done in client.delete_topics(names).values() if names else []:
        done.result(30)


def main():
    parser = argparse.ArgumentParser(description="Compares what the topics hold with what the platform says.")
    parser.add_argument("--feira", required=True, help="the binary")
    parser.add_argument("--data", required=True, help="a folder for this check; emptied")
    parser.add_argument("--brokers", default="127.0.0.1:19092")
    parser.add_argument("--nodes", default="127.0.0.1:19042")
    options = parser.parse_args()

    results = []

    def check(what, holds, told=""):
        results.append(bool(holds))
        print(f"{'ok' if holds else 'FAILED'}: {what}{'' if holds else f' ({told})'}")

    with Platform(options) as platform:
        try:
            fill(platform)
            for service in ["catalog", "cart"]:
                abort_on(options.brokers, f"{platform.prefix}{service}.events.v1")
            fill(platform)  # Committed records on both sides of the aborted ones; every product is as it was.
            command = [sys.executable, str(READER), "--brokers", options.brokers, "--prefix", platform.prefix]
            reader = subprocess.run(command, capture_output=True, text=True)
            check("the reader finds no gap, no duplicate and nothing unreadable", reader.returncode == 0, reader.stderr)
            read = json.loads(reader.stdout or "{}")
            said = platform.counts()
            for service in ["catalog", "cart"]:
                seen, told = read.get(service, {}), said.get(service)
                for what in ["events", "by_type", "lanes"]:
                    check(f"{service}: the same {what}", told and seen.get(what) == told[what], (seen, told))
            by_type = read.get("catalog", {}).get("by_type", {})
            listed = by_type.get("feira.catalog.v1.ProductListed")
            check("each product was listed once", listed == PRODUCTS, by_type)
            by_type = read.get("cart", {}).get("by_type", {})
            check("what was refused left its record", by_type.get("feira.lane.v1.CommandOutcome", 0) >= 2, by_type)
            invoices(platform, options, check)
        finally:
            drop_topics(options.brokers, platform.prefix)
    print(f"topics: {sum(results)} ok of {len(results)}")
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
