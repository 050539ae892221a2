"""Which plan the invoices of a subscription grant (pure function)."""

import pytest

from sp404_app.services.billing import paid_plan
from sp404_app.services.plans import Tier

FREE, PRO, ENTERPRISE = Tier
PRICES = {"p": PRO, "e": ENTERPRISE}


def invoice(
    status: str, *lines: tuple[str, int], reason: str = "subscription_update"
) -> paid_plan.InvoiceTiers:
    data = [
        {"amount": amount, "pricing": {"price_details": {"price": price}}}
        for price, amount in lines
    ]
    raw = {"status": status, "billing_reason": reason, "lines": {"data": data}}
    return paid_plan.read_invoice_tiers(raw, PRICES.get)


def renewal(status: str, price: str) -> paid_plan.InvoiceTiers:
    return invoice(status, (price, 100), reason="subscription_cycle")


TRIAL = invoice("paid", ("p", 0))
BOUGHT = invoice("paid", ("p", 2900))
UPGRADE = (("p", -1450), ("e", 4950))


@pytest.mark.parametrize(
    ("item_tier", "invoices", "granted"),
    [
        (PRO, [], PRO),  # never billed: an operator granted it
        (PRO, [TRIAL], PRO),
        (PRO, [BOUGHT], PRO),
        (PRO, [invoice("open", ("p", 2900))], FREE),
        (PRO, [TRIAL, renewal("draft", "p")], PRO),  # after the trial, dunning decides the access
        (PRO, [BOUGHT, renewal("open", "p")], PRO),
        (PRO, [BOUGHT, renewal("uncollectible", "p")], PRO),
        (ENTERPRISE, [TRIAL, invoice("open", ("e", 9900))], PRO),
        (ENTERPRISE, [TRIAL, renewal("open", "e")], PRO),
        (ENTERPRISE, [TRIAL, renewal("paid", "e")], ENTERPRISE),
        *(
            (ENTERPRISE, [BOUGHT, invoice(status, *UPGRADE)], PRO)
            for status in ("draft", "open", "void", "uncollectible", "", "something new")
        ),
        (ENTERPRISE, [BOUGHT, invoice("paid", *UPGRADE)], ENTERPRISE),
        (ENTERPRISE, [BOUGHT, invoice("void", *UPGRADE), invoice("paid", *UPGRADE)], ENTERPRISE),
        (ENTERPRISE, [BOUGHT, invoice("void", *UPGRADE), invoice("open", *UPGRADE)], PRO),
        # Paid once, then downgraded, then upgraded again without paying.
        (ENTERPRISE, [renewal("paid", "e"), renewal("paid", "p"), invoice("open", *UPGRADE)], PRO),
        (ENTERPRISE, [renewal("paid", "e"), renewal("open", "p"), invoice("open", *UPGRADE)], PRO),
        (ENTERPRISE, [renewal("paid", "e"), renewal("open", "e")], ENTERPRISE),
        (PRO, [renewal("paid", "e"), renewal("open", "p")], PRO),
        (ENTERPRISE, [invoice("open"), invoice("open", ("unknown", 9900)), BOUGHT], ENTERPRISE),
        (FREE, [BOUGHT], FREE),  # an unknown price
    ],
)
def test_an_unpaid_invoice_grants_no_upgrade(
    item_tier: Tier, invoices: list[paid_plan.InvoiceTiers], granted: Tier
) -> None:
    assert paid_plan.granted_tier(item_tier, invoices, FREE) is granted


def test_the_plan_in_force_before_the_first_known_invoice_is_kept() -> None:
    invoices = [invoice("void", *UPGRADE)] * 30
    assert paid_plan.granted_tier(ENTERPRISE, invoices, PRO) is PRO
    assert paid_plan.granted_tier(ENTERPRISE, invoices, ENTERPRISE) is ENTERPRISE
    assert paid_plan.granted_tier(PRO, invoices, PRO) is PRO
    assert paid_plan.granted_tier(PRO, [renewal("draft", "p")], PRO) is PRO
    assert (
        paid_plan.granted_tier(ENTERPRISE, [TRIAL, invoice("open", ("e", 9900))], ENTERPRISE) is PRO
    )
