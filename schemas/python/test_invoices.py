"""What invoices promises, without a broker: `python -m unittest` in this folder; needs no package."""

import copy
import unittest

from invoices import Used, close

FROM, UNTIL = 1_795_564_800_000, 1_798_156_800_000


def delivered(at, klass="CHARGED"):
    return {"meta": {"tenant": "feira-livre"}, "class": klass, "country": "BR", "category": "UTILITY",
            "policy": "feira-1", "delivered_at": at}


def captured(at, fee=80, micro=796_005):
    return {"meta": {"at": at, "tenant": "platform"}, "intent": {"business": "feira-livre"}, "fee_bp": 399,
            "fee": {"minor": fee, "currency": "BRL"}, "fee_micro": micro}


def line(**fields):
    return {"line_id": "l", "component": "MESSAGE", "class": "CHARGED", "country": "BR", "category": "UTILITY",
            "policy": "feira-1", "rate_bp": None, "unit_price_micro": 6_800, "collected": False,
            "used_from": FROM, "used_until": UNTIL, **fields}


def issued():
    lines = [
        line(quantity=2, exact_micro=13_600, amount={"minor": 1, "currency": "USD"}, residual_micro=3_600),
        line(**{"class": "FREE"}, unit_price_micro=0, quantity=1, exact_micro=0,
             amount={"minor": 0, "currency": "USD"}, residual_micro=0),
        line(component="PAYMENT_FEE", country=None, category=None, policy=None, rate_bp=399, unit_price_micro=None,
             quantity=1, exact_micro=796_005, amount={"minor": 80, "currency": "BRL"}, residual_micro=-3_995,
             collected=True),
    ]

    def total(currency, charged, collected):
        amounts = {"charged": charged, "carried": 0, "due": charged, "collected": collected}
        return {key: {"minor": minor, "currency": currency} for key, minor in amounts.items()}

    document = {"period": "2026-11", "from": FROM, "until": UNTIL, "lines": lines, "usage": {"count": 4},
                "totals": [total("BRL", 0, 80), total("USD", 1, 0)]}
    return {"meta": {"tenant": "feira-livre"}, "number": 1, "document": document}


def month():
    used = Used()
    for at in (FROM, UNTIL - 1):
        used.take("conversation/0", "feira.conversation.v1.MessageDelivered", delivered(at))
    used.take("conversation/0", "feira.conversation.v1.MessageDelivered", delivered(FROM, "FREE"))
    # The next month's, and another business's, are not on it.
    used.take("conversation/0", "feira.conversation.v1.MessageDelivered", delivered(UNTIL))
    used.take("payments/2", "feira.payments.v1.IntentCaptured", captured(FROM))
    return used


class Invoices(unittest.TestCase):
    def faults(self, used, invoice):
        used.take("billing/1", "feira.billing.v1.InvoiceIssued", invoice)
        return used.recompute()[1]

    def test_an_invoice_is_what_was_used(self):
        self.assertEqual(self.faults(month(), issued()), [])

    def test_whatever_is_changed_on_an_invoice_is_found(self):
        changes = [
            lambda it: it["document"]["lines"][0].update(quantity=3),
            lambda it: it["document"]["lines"][0].update(unit_price_micro=6_801),
            lambda it: it["document"]["lines"][0]["amount"].update(minor=2),
            lambda it: it["document"]["lines"].pop(1),
            lambda it: it["document"]["totals"][1]["due"].update(minor=2),
            lambda it: it["document"]["usage"].update(count=5),
            lambda it: it.update(number=2),
        ]
        for change in changes:
            invoice = copy.deepcopy(issued())
            change(invoice)
            self.assertNotEqual(self.faults(month(), invoice), [])

    def test_a_message_that_is_not_on_the_invoice_is_found(self):
        used = month()
        used.take("conversation/1", "feira.conversation.v1.MessageDelivered", delivered(FROM + 1))
        self.assertNotEqual(self.faults(used, issued()), [])

    def test_amounts_are_closed_half_away_from_zero(self):
        closed = [close(micro, "USD") for micro in (4_999, 5_000, -5_000, -4_999)]
        self.assertEqual(closed, [0, 1, -1, 0])
        self.assertEqual(close(1_500_000, "JPY"), 2)


if __name__ == "__main__":
    unittest.main()
