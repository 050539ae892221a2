"""Test cards (docs.stripe.com/testing): what happens when one is attached or charged."""

import hashlib
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from stripe_emulator.errors import CardProblem

Authentication = Literal["never", "setup", "always"]


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a card is declined."""

    code: str
    decline_code: str
    message: str


@dataclass(frozen=True, slots=True)
class TestCard:
    """How a test card behaves; `setup` asks for authentication until it succeeded once."""

    name: str
    brand: str = "visa"
    attach: Refusal | None = None
    charge: Refusal | None = None
    authentication: Authentication = "never"
    disputed: bool = False  # its owner disputes every charge


DECLINED = Refusal("card_declined", "generic_decline", "Your card was declined.")
NO_FUNDS = Refusal("card_declined", "insufficient_funds", "Your card has insufficient funds.")
EXPIRED = Refusal("expired_card", "expired_card", "Your card has expired.")
BAD_CVC = Refusal("incorrect_cvc", "incorrect_cvc", "Your card's security code is incorrect.")
LOST = Refusal("card_declined", "lost_card", "Your card was declined.")
STOLEN = Refusal("card_declined", "stolen_card", "Your card was declined.")
UNAUTHENTICATED = Refusal(
    "authentication_required",
    "authentication_required",
    "Your card was declined. This transaction requires authentication.",
)
NOT_A_TEST_CARD = Refusal(
    "card_declined",
    "test_mode_live_card",
    "Your card was declined. Your request was in test mode, but used a non test card.",
)
HARD = ("expired_card", "authentication_required", "lost_card", "stolen_card")

CARDS = {
    "4242424242424242": TestCard("pm_card_visa"),
    "4000056655665556": TestCard("pm_card_visa_debit"),
    "5555555555554444": TestCard("pm_card_mastercard", "mastercard"),
    "378282246310005": TestCard("pm_card_amex", "amex"),
    "4000000000000002": TestCard("pm_card_chargeDeclined", attach=DECLINED, charge=DECLINED),
    "4000000000000341": TestCard("pm_card_chargeCustomerFail", charge=DECLINED),
    "4000000000009995": TestCard(
        "pm_card_chargeDeclinedInsufficientFunds", attach=NO_FUNDS, charge=NO_FUNDS
    ),
    "4000000000000069": TestCard(
        "pm_card_chargeDeclinedExpiredCard", attach=EXPIRED, charge=EXPIRED
    ),
    "4000000000000127": TestCard(
        "pm_card_chargeDeclinedIncorrectCvc", attach=BAD_CVC, charge=BAD_CVC
    ),
    "4000000000009987": TestCard("pm_card_chargeDeclinedLostCard", attach=LOST, charge=LOST),
    "4000000000009979": TestCard("pm_card_chargeDeclinedStolenCard", attach=STOLEN, charge=STOLEN),
    "4000000000000259": TestCard("pm_card_createDispute", disputed=True),
    "4000002500003155": TestCard("pm_card_authenticationRequired", authentication="setup"),
    "4000002760003184": TestCard(
        "pm_card_authenticationRequiredOnTransaction", authentication="always"
    ),
}
BY_NAME = {card.name: number for number, card in CARDS.items()}


@dataclass(frozen=True, slots=True)
class Entry:
    """What a person typed; the number is never kept."""

    number: str
    expiry_month: int
    expiry_year: int

    @property
    def behaviour(self) -> TestCard:
        """The test card, which `read` has found."""
        return CARDS[self.number]

    def fingerprint(self) -> str:
        """Return what tells the same card on two customers, without telling the number."""
        digest = hashlib.sha256(f"fingerprint {self.number}".encode())
        return digest.hexdigest()[:16]


def refuse(refusal: Refusal) -> CardProblem:
    """Return the answer for a declined card."""
    return CardProblem(refusal.message, refusal.code, refusal.decline_code)


def read(number: str, expiry: str, cvc: str, now: int) -> Entry:
    """Check a number, `MM/YY` and a security code as Stripe's card field does."""
    digits = re.sub(r"[\s-]", "", number)
    if not re.fullmatch(r"[0-9]{12,19}", digits) or not luhn(digits):
        raise CardProblem("Your card number is invalid.", "invalid_number")
    month, year = read_expiry(expiry)
    today = datetime.fromtimestamp(now, UTC)
    if not 1 <= month <= 12:
        raise CardProblem("Your card's expiration month is invalid.", "invalid_expiry_month")
    if (year, month) < (today.year, today.month) or year > today.year + 50:
        raise CardProblem("Your card's expiration year is invalid.", "invalid_expiry_year")
    if not re.fullmatch(r"[0-9]{3,4}", cvc.strip()):
        raise CardProblem("Your card's security code is invalid.", "invalid_cvc")
    if digits not in CARDS:
        raise refuse(NOT_A_TEST_CARD)
    return Entry(digits, month, year)


def read_expiry(expiry: str) -> tuple[int, int]:
    """Read `MM/YY` or `MM/YYYY`."""
    found = re.fullmatch(r"\s*([0-9]{1,2})\s*/?\s*([0-9]{4}|[0-9]{2})\s*", expiry)
    if not found:
        raise CardProblem("Your card's expiration date is incomplete.", "invalid_expiry_month")
    month, year = int(found[1]), int(found[2])
    return month, year if year > 99 else 2000 + year


def luhn(digits: str) -> bool:
    """Whether the last digit is the right check digit."""
    doubled = [sum(divmod(2 * int(digit), 10)) for digit in digits[-2::-2]]
    return (sum(int(digit) for digit in digits[-1::-2]) + sum(doubled)) % 10 == 0
