"""An id that no row has; fixed, because test ids must be the same in every xdist worker."""

UNKNOWN_ID = "01990000-0000-7000-8000-000000000404"
