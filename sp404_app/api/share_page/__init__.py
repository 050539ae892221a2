"""HTML of the public pages: server-rendered, because crawlers and embeds read them without scripts.

These pages are not Reflex pages, so a thousand visitors of a link open no websocket.
"""
