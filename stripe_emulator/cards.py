"""Test card numbers and their behaviour (docs.stripe.com/testing)."""

import hashlib
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from stripe_emulator.errors import CardError

Authentication = Literal["never", "setup", "always"]


@dataclass(frozen=True, slots=True)
class Decline:
    """Error codes and message of a declined card."""

    code: str
    decline_code: str
    message: str


@dataclass(frozen=True, slots=True)
class TestCard:
    """Behaviour of a test card.

    `attach_decline` and `charge_decline` are the errors when the card is attached or charged.
    `authentication` is when 3-D Secure is required: `setup` until it has succeeded once.
    """

    name: str
    brand: str = "visa"
    attach_decline: Decline | None = None
    charge_decline: Decline | None = None
    authentication: Authentication = "never"
    disputed: bool = False  # every charge is disputed


DECLINED = Decline("card_declined", "generic_decline", "Your card was declined.")
NO_FUNDS = Decline("card_declined", "insufficient_funds", "Your card has insufficient funds.")
EXPIRED = Decline("expired_card", "expired_card", "Your card has expired.")
BAD_CVC = Decline("incorrect_cvc", "incorrect_cvc", "Your card's security code is incorrect.")
LOST = Decline("card_declined", "lost_card", "Your card was declined.")
STOLEN = Decline("card_declined", "stolen_card", "Your card was declined.")
UNAUTHENTICATED = Decline(
    "authentication_required",
    "authentication_required",
    "Your card was declined. This transaction requires authentication.",
)
NOT_A_TEST_CARD = Decline(
    "card_declined",
    "test_mode_live_card",
    "Your card was declined. Your request was in test mode, but used a non test card.",
)
HARD_DECLINE_CODES = ("expired_card", "authentication_required", "lost_card", "stolen_card")

TEST_CARDS = {
    "4242424242424242": TestCard("pm_card_visa"),
    "4000056655665556": TestCard("pm_card_visa_debit"),
    "5555555555554444": TestCard("pm_card_mastercard", "mastercard"),
    "378282246310005": TestCard("pm_card_amex", "amex"),
    "4000000000000002": TestCard(
        "pm_card_chargeDeclined", attach_decline=DECLINED, charge_decline=DECLINED
    ),
    "4000000000000341": TestCard("pm_card_chargeCustomerFail", charge_decline=DECLINED),
    "4000000000009995": TestCard(
        "pm_card_chargeDeclinedInsufficientFunds", attach_decline=NO_FUNDS, charge_decline=NO_FUNDS
    ),
    "4000000000000069": TestCard(
        "pm_card_chargeDeclinedExpiredCard", attach_decline=EXPIRED, charge_decline=EXPIRED
    ),
    "4000000000000127": TestCard(
        "pm_card_chargeDeclinedIncorrectCvc", attach_decline=BAD_CVC, charge_decline=BAD_CVC
    ),
    "4000000000009987": TestCard(
        "pm_card_chargeDeclinedLostCard", attach_decline=LOST, charge_decline=LOST
    ),
    "4000000000009979": TestCard(
        "pm_card_chargeDeclinedStolenCard", attach_decline=STOLEN, charge_decline=STOLEN
    ),
    "4000000000000259": TestCard("pm_card_createDispute", disputed=True),
    "4000002500003155": TestCard("pm_card_authenticationRequired", authentication="setup"),
    "4000002760003184": TestCard(
        "pm_card_authenticationRequiredOnTransaction", authentication="always"
    ),
}
NUMBER_BY_NAME = {card.name: number for number, card in TEST_CARDS.items()}


@dataclass(frozen=True, slots=True)
class CardDetails:
    """A card entered on a page. The number is not stored."""

    number: str
    expiry_month: int
    expiry_year: int

    @property
    def test_card(self) -> TestCard:
        """The test card with this number; `parse_card` has checked that there is one."""
        return TEST_CARDS[self.number]

    def fingerprint(self) -> str:
        """Return Stripe's card fingerprint: equal for equal numbers, and not reversible."""
        digest = hashlib.sha256(f"fingerprint {self.number}".encode())
        return digest.hexdigest()[:16]


def card_error(decline: Decline) -> CardError:
    """Return the API error for a declined card."""
    return CardError(decline.message, decline.code, decline.decline_code)


def parse_card(number: str, expiry: str, cvc: str, now: int) -> CardDetails:
    """Validate a card number, an expiry (`MM/YY`) and a security code.

    Raises:
        CardError: with the message of Stripe's card element.
    """
    digits = re.sub(r"[\s-]", "", number)
    if not re.fullmatch(r"[0-9]{12,19}", digits) or not passes_luhn_check(digits):
        raise CardError("Your card number is invalid.", "invalid_number")
    month, year = parse_expiry(expiry)
    today = datetime.fromtimestamp(now, UTC)
    if not 1 <= month <= 12:
        raise CardError("Your card's expiration month is invalid.", "invalid_expiry_month")
    if (year, month) < (today.year, today.month) or year > today.year + 50:
        raise CardError("Your card's expiration year is invalid.", "invalid_expiry_year")
    if not re.fullmatch(r"[0-9]{3,4}", cvc.strip()):
        raise CardError("Your card's security code is invalid.", "invalid_cvc")
    if digits not in TEST_CARDS:
        raise card_error(NOT_A_TEST_CARD)
    return CardDetails(digits, month, year)


def parse_expiry(expiry: str) -> tuple[int, int]:
    """Parse `MM/YY` or `MM/YYYY` into (month, year)."""
    found = re.fullmatch(r"\s*([0-9]{1,2})\s*/?\s*([0-9]{4}|[0-9]{2})\s*", expiry)
    if not found:
        raise CardError("Your card's expiration date is incomplete.", "invalid_expiry_month")
    month, year = int(found[1]), int(found[2])
    return month, year if year > 99 else 2000 + year


def passes_luhn_check(digits: str) -> bool:
    """Return whether the last digit is the correct Luhn check digit."""
    doubled = [sum(divmod(2 * int(digit), 10)) for digit in digits[-2::-2]]
    return (sum(int(digit) for digit in digits[-1::-2]) + sum(doubled)) % 10 == 0
