"""The API operations, one module per resource."""

from stripe_emulator.operation import Operation
from stripe_emulator.operations import (
    catalogue,
    checkout,
    clocks,
    customers,
    events,
    invoices,
    payments,
    portal,
    refunds,
    schedules,
    subscriptions,
    tax_ids,
)

ALL_OPERATIONS: tuple[Operation, ...] = (
    *customers.OPERATIONS,
    *tax_ids.OPERATIONS,
    *catalogue.OPERATIONS,
    *checkout.OPERATIONS,
    *subscriptions.OPERATIONS,
    *schedules.OPERATIONS,
    *invoices.OPERATIONS,
    *payments.OPERATIONS,
    *refunds.OPERATIONS,
    *portal.OPERATIONS,
    *events.OPERATIONS,
    *clocks.OPERATIONS,
)
