"""The order of the ASGI middlewares around the backend, and the reason for it.

From the outside in:

1. `unread_bodies` reads on whatever answered; `client_ip` before all others: rate limits, logs and
   the local-only check need the client's address.
2. `websocket_limits` before anything reads from a websocket.
3. `closing_connections` sees all responses, also a 500; `request_id`, so that every later log line
   carries the id; then `trace_requests`, so that they carry the id of the trace, too.
4. `access_log`, outside `server_errors`, so that it logs the 500 that is sent.
5. `server_errors` catches what nothing further in handles.
6. `rate_limit_headers`, `relative_redirects`, `vary`, `security_headers` change the headers of all
   responses below. `vary` and `relative_redirects` see what `security_headers` added.
7. `local_only` hides development URLs before anything parses the request.
8. `form_errors` turns errors of browser forms, also those of `body_limits`, into redirects.
9. `body_limits` refuses requests before their body is read.
10. `landing_redirect` leads whoever is signed in to the library, before the page is served.
11. `built_files` sets cache headers of the pages, and serves assets of former builds.
12. `sample_list` answers the most requested route without a router. It is innermost, so the
    fast path passes every check that the router's route passes.
"""

from starlette.types import ASGIApp

from sp404_app.api.middleware.access_log import log_access
from sp404_app.api.middleware.body_limits import limit_bodies
from sp404_app.api.middleware.built_files import serve_built_files
from sp404_app.api.middleware.client_ip import set_client_ip
from sp404_app.api.middleware.closing_connections import close_connections_when_draining
from sp404_app.api.middleware.form_errors import redirect_failed_forms
from sp404_app.api.middleware.landing_redirect import redirect_from_landing
from sp404_app.api.middleware.local_only import require_local_client
from sp404_app.api.middleware.rate_limit_headers import add_rate_limit_headers
from sp404_app.api.middleware.relative_redirects import make_redirects_relative
from sp404_app.api.middleware.request_id import add_request_id
from sp404_app.api.middleware.sample_list import serve_sample_list
from sp404_app.api.middleware.security_headers import add_security_headers
from sp404_app.api.middleware.server_errors import catch_server_errors
from sp404_app.api.middleware.trace_requests import trace_requests
from sp404_app.api.middleware.unread_bodies import read_unread_bodies
from sp404_app.api.middleware.vary import add_vary_to_private
from sp404_app.api.middleware.websocket_limits import limit_websockets

OUTSIDE_IN = (
    read_unread_bodies,
    set_client_ip,
    limit_websockets,
    close_connections_when_draining,
    add_request_id,
    trace_requests,
    log_access,
    catch_server_errors,
    add_rate_limit_headers,
    make_redirects_relative,
    add_vary_to_private,
    add_security_headers,
    require_local_client,
    redirect_failed_forms,
    limit_bodies,
    redirect_from_landing,
    serve_built_files,
    serve_sample_list,
)


def wrap_in_middleware(app: ASGIApp) -> ASGIApp:
    """Wrap the backend in all middlewares."""
    for wrap in reversed(OUTSIDE_IN):
        app = wrap(app)
    return app
