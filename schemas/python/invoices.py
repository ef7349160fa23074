"""Works every issued invoice out again from what was used, and says where the invoice differs.

    python invoices.py --brokers 127.0.0.1:19092          from the topics, with the published schemas alone
    python invoices.py --export FOLDER                    from what `feira log export FOLDER` wrote; needs no package

It shares no code with the platform, and it does not look at what billing entered as usage: messages come from the
deliveries on the topic of conversations, fees from the captures on the topic of payments. From an invoice it takes the
price of a line and the span of time that it is for; quantities, amounts, what rounding leaves over, sums by currency,
what is due and the numbers of the invoices are worked out here.

Prints one JSON object: the invoices, each with what it comes to here. What differs is written to standard error.

Exit code 0: all invoices are what was used. 1: one is not. 2: the topics could not be read to their end.
"""

import argparse
import datetime
import json
import sys
import time
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
MICRO = 10**6
# Places of the minor unit, where it is not two (ISO 4217).
PLACES = {"JPY": 0, "KRW": 0, "VND": 0, "CLP": 0, "PYG": 0, "ISK": 0, "UGX": 0, "XAF": 0, "XOF": 0, "XPF": 0,
          "BHD": 3, "JOD": 3, "KWD": 3, "OMR": 3, "TND": 3, "IQD": 3, "LYD": 3}


def millis(value):
    """A time in milliseconds since 1970, whichever way a reader gave it."""
    if isinstance(value, datetime.datetime):
        return (value - EPOCH) // datetime.timedelta(milliseconds=1)
    return value


def micro_of(minor, currency):
    """Minor units in millionths of a major unit."""
    return minor * 10 ** (6 - PLACES.get(currency, 2))


def close(micro, currency):
    """Millionths of a major unit in whole minor units, half away from zero."""
    minor = Decimal(micro) / Decimal(10 ** (6 - PLACES.get(currency, 2)))
    return int(minor.quantize(Decimal(1), rounding=ROUND_HALF_UP))


class Used:
    """What was used and what was issued, as it comes from the topics in any order."""

    def __init__(self):
        self.messages, self.fees, self.issued = [], [], []

    def take(self, lane, name, event):
        """Takes one record in."""
        del lane
        if name == "feira.conversation.v1.MessageDelivered":
            keys = ("class", "country", "category", "policy")
            message = {key: event[key] for key in keys} | {"at": millis(event["delivered_at"])}
            self.messages.append(message | {"tenant": event["meta"]["tenant"]})
        elif name == "feira.payments.v1.IntentCaptured":
            fee = event["fee"]
            self.fees.append({
                "tenant": event["intent"]["business"], "rate_bp": event["fee_bp"], "at": millis(event["meta"]["at"]),
                "fee": fee["minor"], "currency": fee["currency"], "fee_micro": event["fee_micro"],
            })
        elif name == "feira.billing.v1.InvoiceIssued":
            self.issued.append({"tenant": event["meta"]["tenant"], "number": event["number"], **event["document"]})

    def recompute(self):
        """Every invoice as it comes out here, and what differs."""
        results, faults = [], []
        tenants = sorted({invoice["tenant"] for invoice in self.issued})
        for tenant in tenants:
            carried = {}
            invoices = sorted((one for one in self.issued if one["tenant"] == tenant), key=lambda one: one["number"])
            for expected, invoice in enumerate(invoices, start=1):
                where = f"{tenant}, invoice {invoice['number']} of {invoice['period']}"
                if invoice["number"] != expected:
                    faults.append(f"{where}: the number before it is missing")
                totals, found = self.invoice(invoice, carried, where)
                faults += found
                results.append({
                    "business": tenant, "number": invoice["number"], "period": invoice["period"], "totals": totals,
                    "lines": len(invoice["lines"]),
                })
        return results, faults

    def invoice(self, invoice, carried, where):
        """The totals of one invoice, worked out line by line, and what differs. `carried` goes on to the next one."""
        faults = []
        begin, end = millis(invoice["from"]), millis(invoice["until"])
        mine = [one for one in self.messages + self.fees
                if one["tenant"] == invoice["tenant"] and begin <= one["at"] < end]
        counted, sums = 0, {}
        for line in invoice["lines"]:
            of_line = [one for one in mine if counts(line, one)]
            counted += len(of_line)
            said = {key: line[key] for key in ("quantity", "exact_micro", "residual_micro")}
            said["amount"] = line["amount"]["minor"]
            currency = line["amount"]["currency"]
            if line["component"] == "MESSAGE":
                exact = line["unit_price_micro"] * len(of_line)
                amount = close(exact, currency)
                if line["class"] == "FREE" and line["unit_price_micro"] != 0:
                    faults.append(f"{where}: a free line has a price")
            else:
                exact, amount = sum(one["fee_micro"] for one in of_line), sum(one["fee"] for one in of_line)
            found = {"quantity": len(of_line), "exact_micro": exact, "amount": amount,
                     "residual_micro": exact - micro_of(amount, currency)}
            for key in found:
                if found[key] != said[key]:
                    faults.append(f"{where}, line {line['line_id']}: {key} is {said[key]}, here it is {found[key]}")
            total = sums.setdefault(currency, {"charged": 0, "collected": 0, "residual": 0})
            if line["collected"]:
                total["collected"] += amount
            else:
                total["charged"] += amount
                total["residual"] += found["residual_micro"]
        if counted != len(mine):
            faults.append(f"{where}: {len(mine)} items were used, {counted} are on its lines")
        if invoice["usage"]["count"] != len(mine):
            faults.append(f"{where}: it says {invoice['usage']['count']} items, {len(mine)} were used")
        totals = {}
        for currency, total in sorted(sums.items()):
            left_over = carried.get(currency, 0) + total["residual"]
            added = close(left_over, currency)
            totals[currency] = {
                "charged": total["charged"], "carried": added, "due": total["charged"] + added,
                "collected": total["collected"],
            }
            carried[currency] = left_over - micro_of(added, currency)
        said = {total["charged"]["currency"]: {key: total[key]["minor"] for key in ("charged", "carried", "due", "collected")}
                for total in invoice["totals"]}
        if said != totals:
            faults.append(f"{where}: its totals are {said}, here they are {totals}")
        return totals, faults


def counts(line, item):
    """Whether a line counts an item."""
    if not millis(line["used_from"]) <= item["at"] < millis(line["used_until"]):
        return False
    if line["component"] == "MESSAGE":
        return all(line[key] == item.get(key) for key in ("class", "country", "category", "policy"))
    return line["rate_bp"] == item.get("rate_bp") and line["amount"]["currency"] == item.get("currency")


SERVICES = ("conversation", "payments", "billing")


def from_topics(options, used):
    """Reads the three topics; answers what is wrong with them."""
    from read_topics import load_schemas, read_topic

    deadline, schemas, faults = time.monotonic() + options.timeout, load_schemas(), []
    for service in SERVICES:
        topic = f"{options.prefix}{service}.events.v1"
        faults += read_topic(options.brokers, topic, service, schemas, deadline, used.take)[1]
    return faults


def from_export(folder, used):
    """Reads the files of an export."""
    for path in sorted(Path(folder).glob("*.ndjson")):
        for line in path.read_text(encoding="utf-8").splitlines():
            record = json.loads(line)
            if "type" in record:
                used.take(path.stem, record["type"], {"meta": record["meta"], **record["event"]})


def main():
    parser = argparse.ArgumentParser(description="Works invoices out again from what was used.")
    parser.add_argument("--brokers", default="127.0.0.1:19092", help="host:port, several parted by commas")
    parser.add_argument("--prefix", default="", help="what the installation's topics begin with, such as staging.")
    parser.add_argument("--export", help="a folder that feira log export wrote, instead of the topics")
    parser.add_argument("--timeout", type=float, default=300.0, help="seconds after which to give up")
    options = parser.parse_args()
    used, faults = Used(), []
    if options.export:
        from_export(options.export, used)
    else:
        from confluent_kafka import KafkaException
        from read_topics import TopicError

        try:
            faults += from_topics(options, used)
        except (KafkaException, TopicError) as error:
            print(error, file=sys.stderr)
            return 2
    results, found = used.recompute()
    print(json.dumps({"invoices": results}, indent=2, ensure_ascii=False))
    faults += found
    for fault in faults:
        print(fault, file=sys.stderr)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
