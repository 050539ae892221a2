"""GET /sitemap.xml: the pages that search engines may list, under this installation's address.

It is not built into the pages, because one bundle serves every address.
"""

from xml.sax.saxutils import escape

from fastapi import APIRouter, Response

from sp404_app.settings import settings

PUBLIC_PAGES = ("/", "/signup", "/login", "/terms", "/privacy", "/contact")

router = APIRouter(include_in_schema=False)


@router.get("/sitemap.xml")
def sitemap() -> Response:
    """Return the addresses of the pages that need no account."""
    addresses = "".join(
        f"<url><loc>{escape(settings().origin + page)}</loc></url>" for page in PUBLIC_PAGES
    )
    return Response(
        '<?xml version="1.0" encoding="utf-8"?>'
        f'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{addresses}</urlset>',
        media_type="application/xml",
        headers={"Cache-Control": "public, max-age=3600"},
    )
