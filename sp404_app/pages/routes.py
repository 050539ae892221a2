"""All pages of the application, by feature."""

from sp404_app.pages.account.routes import ACCOUNT_PAGES
from sp404_app.pages.auth.routes import AUTH_PAGES
from sp404_app.pages.billing.routes import billing_pages
from sp404_app.pages.collections.routes import COLLECTION_PAGES
from sp404_app.pages.dev.routes import dev_pages
from sp404_app.pages.landing import index
from sp404_app.pages.library.routes import LIBRARY_PAGES
from sp404_app.pages.not_found import not_found
from sp404_app.pages.page import Page
from sp404_app.pages.projects.routes import PROJECT_PAGES
from sp404_app.pages.sample.routes import SAMPLE_PAGES
from sp404_app.pages.sharing.routes import SHARING_PAGES

LANDING_PAGE = Page(route="/", component=index, title="The sample library for SP-404 owners")
NOT_FOUND_PAGE = Page(route="404", component=not_found, title="Page not found")


def all_pages() -> tuple[Page, ...]:
    """Return every page that exists with the present settings, except "not found"."""
    return (
        LANDING_PAGE,
        *AUTH_PAGES,
        *LIBRARY_PAGES,
        *SAMPLE_PAGES,
        *COLLECTION_PAGES,
        *PROJECT_PAGES,
        *billing_pages(),
        *ACCOUNT_PAGES,
        *SHARING_PAGES,
        *dev_pages(),
    )
