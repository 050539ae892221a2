"""An id that nobody has: fixed, because the names of tests must be the same in every process."""

NOBODYS = "01990000-0000-7000-8000-000000000404"
