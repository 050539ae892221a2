"""Time to count the values of all filters, in a library of 100,000 samples.

    .venv/bin/python bench/facets.py

The counts are those beside the values of the library's filters. The baseline is the count of the
whole library in the same run. Only PostgreSQL is started.
"""

import argparse
import os
from functools import partial

from collection_counts import SIZE, count_library, library, measure, show
from sqlmodel import text

from sp404_app.services.library.facets import count_facets
from sp404_app.services.library.search import SampleQuery

SEARCHES = {
    "no filter": SampleQuery(),
    "a common word": SampleQuery(q="kick"),
    "a tempo range": SampleQuery(bpm_min=85, bpm_max=100),
    "a key": SampleQuery(key="A minor"),
    "a key, kind and class": SampleQuery(key="A minor", kind="loop", sound_class="break"),
    "compatible with a key": SampleQuery(compatible_key="A minor"),
    "a tag": SampleQuery(tags=("kick",)),
    "has copies": SampleQuery(has_copies=True),
    "the trash": SampleQuery(trash=True),
}


def main() -> None:
    """Fill a library, measure and print."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--size", type=int, default=SIZE)
    chosen = options.parse_args()
    with library(chosen.size) as (session, user_id, _):
        server = session.execute(text("select pg_backend_pid()")).scalar_one()
        plain = measure(server, lambda: count_library(session, user_id))
        print(f"{chosen.size:,} samples, load {os.getloadavg()[0]:.1f}")
        show("whole library", plain, plain)
        for name, query in SEARCHES.items():
            count = partial(count_facets, session, user_id, query)
            show(name, measure(server, count), plain, len(count().values["key"]))


if __name__ == "__main__":
    main()
