"""The page of a link and its embedded form: heading, player, and what visitors may do."""

from dataclasses import dataclass
from typing import Final

from fastapi.responses import HTMLResponse

from sp404_app.api.share_page import frame, pads, sounds
from sp404_app.api.share_page.frame import Head
from sp404_app.api.share_page.markup import Html, element, join
from sp404_app.models import ShareDownload
from sp404_app.services.cards.download_formats import FORMATS, DownloadFormat
from sp404_app.services.sharing import share_picture, shares
from sp404_app.services.sharing.shared_content import SharedContent, SharedSound

KINDS: Final = {
    "sample": "Shared sound",
    "collection": "Shared collection",
    "project": "Shared pads",
}
DEVICE_FORMATS: Final = (DownloadFormat.MK2, DownloadFormat.SX)


@dataclass(frozen=True, slots=True)
class Link:
    """A link as a page needs it: its path on this site, and what its owner allows."""

    path: str
    content: SharedContent
    download: ShareDownload
    is_indexed: bool

    @property
    def address(self) -> str:
        """Return the full address."""
        return frame.absolute(self.path)


def link_page(link: Link, notice: Html | None = None) -> HTMLResponse:
    """Return the page of a link."""
    content = [notice, _heading(link), _player(link), _actions(link), _report(link)]
    return frame.page_response(head_of(link), *(part for part in content if part), data=_data(link))


def embedded_page(link: Link) -> HTMLResponse:
    """Return what other sites show in a frame: the player, and a link to the page."""
    heading = element(
        "header",
        element("h1", _isolated(link.content.title)),
        element("span", "by ", _isolated(link.content.owner), class_="muted"),
        element("span", class_="grow"),
        frame.brand(link.path, target="_blank", rel="noopener", title="Open on Crate 404"),
        class_="share-embed-head",
    )
    head = Head(title=link.content.title, sheets=_sheets(link))
    return frame.page_response(head, heading, _player(link), data=_data(link), is_embedded=True)


def oembed(link: Link) -> dict[str, object]:
    """Return the oEmbed description of a link (oembed.com, type "rich")."""
    kind = link.content.kind
    return {
        "version": "1.0",
        "type": "rich",
        "provider_name": frame.APP_NAME,
        "provider_url": frame.absolute("/"),
        "title": link.content.title,
        "author_name": link.content.owner,
        "width": shares.EMBED_WIDTH,
        "height": shares.EMBED_HEIGHTS[kind],
        "html": shares.embed_code(f"{link.address}/embed", kind),
        "thumbnail_url": _picture(link),
        "thumbnail_width": share_picture.WIDTH,
        "thumbnail_height": share_picture.HEIGHT,
    }


def head_of(link: Link) -> Head:
    """Return the head of a link's page, with Open Graph tags."""
    content = link.content
    description = f"{_summary(content)} by {content.owner}. Listen on {frame.APP_NAME}."
    properties = [
        ("og:site_name", frame.APP_NAME),
        ("og:type", "music.song" if content.kind == "sample" else "website"),
        ("og:title", content.title),
        ("og:description", description),
        ("og:url", link.address),
        ("og:image", _picture(link)),
        ("og:image:type", "image/png"),
        ("og:image:width", str(share_picture.WIDTH)),
        ("og:image:height", str(share_picture.HEIGHT)),
        ("og:image:alt", f"Picture of {content.title}"),
        ("twitter:card", "summary_large_image"),
    ]
    if content.sounds:
        audio = f"{link.address}/audio/{content.sounds[0].number}"
        properties += [("og:audio", audio), ("og:audio:type", "audio/ogg")]
    return Head(
        title=content.title,
        description=description,
        address=link.address,
        properties=tuple(properties),
        oembed=f"{link.address}/oembed",
        is_indexed=link.is_indexed,
        sheets=_sheets(link),
    )


def _heading(link: Link) -> Html:
    content = link.content
    return element(
        "header",
        element("p", KINDS[content.kind], class_="label"),
        element("h1", _isolated(content.title)),
        element(
            "p", "by ", _isolated(content.owner), " · ", _summary(content), class_="muted share-by"
        ),
        element("p", _isolated(content.note), class_="share-note") if content.note else None,
        class_="share-head",
    )


def _player(link: Link) -> Html:
    status = element("p", id="share-status", class_="notice error", role="alert", hidden=True)
    if link.content.project:
        return join(pads.pad_player(link.content.project), status)
    if link.content.kind == "sample":
        return join(sounds.one_sound(link.content), status)
    return join(sounds.sound_list(link.content, lambda sound: _sound_actions(link, sound)), status)


def _actions(link: Link) -> Html | None:
    """Return the buttons below the player; those of a collection's sounds are in its rows."""
    content = link.content
    if content.project:
        return _project_actions(link, content.project.device)
    if content.kind == "sample":
        return element("div", _sound_actions(link, content.sounds[0]), class_="share-actions")
    return _collection_actions(link)


def _sound_actions(link: Link, sound: SharedSound) -> Html | None:
    """Return what visitors may do with one sound; the version keeps them from getting another."""
    is_single = link.content.kind == "sample"
    path = f"{link.path}/download/{sound.number}?v={sound.version}"
    if link.download == ShareDownload.ORIGINAL:
        kind = "button primary" if is_single else "button small"
        words = "Save to my library" if is_single else "Save"
        return join(
            _save_form(link, f"/{sound.number}?v={sound.version}", words, kind),
            _download_link("Download", path, "button" if is_single else "button small"),
        )
    if link.download == ShareDownload.SP404:
        kind = "button" if is_single else "button small"
        return join(
            *(
                _download_link(_device_words(each, is_single), f"{path}&as={each}", kind)
                for each in DEVICE_FORMATS
            )
        )
    return None


def _device_words(wanted: DownloadFormat, is_single: bool) -> str:
    title = FORMATS[wanted].title
    return f"Download for {title}" if is_single else title.removeprefix("SP-404")


def _project_actions(link: Link, device: str) -> Html | None:
    if link.download == ShareDownload.NONE:
        return None
    is_open = link.download == ShareDownload.ORIGINAL
    return element(
        "div",
        _save_form(link, "", "Save to my projects", "button primary") if is_open else None,
        _download_link(f"Download for {device}", f"{link.path}/download", "button"),
        class_="share-actions",
    )


def _collection_actions(link: Link) -> Html | None:
    """Return the buttons for all sounds of a collection."""
    if link.download == ShareDownload.NONE or not link.content.sounds:
        return None
    if link.download == ShareDownload.ORIGINAL:
        buttons = [
            _save_form(link, "", "Save all to my library", "button primary"),
            _download_link("Download all as WAV", f"{link.path}/download?as=wav", "button"),
        ]
    else:
        buttons = [
            _download_link(
                f"Download all for {FORMATS[each].title}",
                f"{link.path}/download?as={each}",
                "button",
            )
            for each in DEVICE_FORMATS
        ]
    return element("div", *buttons, class_="share-actions")


def _download_link(words: str, path: str, kind: str) -> Html:
    return element("a", words, href=path, class_=kind, rel="nofollow", data_testid="download")


def _save_form(link: Link, part: str, words: str, kind: str) -> Html:
    button = element("button", words, type="submit", class_=kind, data_testid="save")
    return element("form", button, action=f"{link.path}/save{part}", method="post")


def _report(link: Link) -> Html:
    return element(
        "p",
        element("a", "Report this link", href=f"{link.path}/report", class_="link", rel="nofollow"),
        class_="share-report muted",
    )


def _data(link: Link) -> dict[str, object]:
    """Return what the page's script needs."""
    content = link.content
    data: dict[str, object] = {"kind": content.kind, "playsUrl": f"{link.path}/plays"}
    if content.project:
        return data | pads.pad_data(content.project, link.path)
    return data | {"sounds": sounds.sound_data(content, link.path)}


def _summary(content: SharedContent) -> str:
    """Return the numbers of what is shared in one line."""
    if content.project:
        count = f"{content.total} pad{'' if content.total == 1 else 's'}"
        return f"{content.project.device} · {count} · {content.project.tempo:g} BPM"
    if content.kind == "sample":
        return sounds.describe(content.sounds[0])
    if content.total > len(content.sounds):
        return f"The first {len(content.sounds)} of {content.total:,} sounds"
    return f"{content.total} sound{'' if content.total == 1 else 's'}"


def _picture(link: Link) -> str:
    """Return the picture's address, which changes with the picture: other sites keep it."""
    return f"{link.address}/picture.png?v={share_picture.picture_version(link.content)}"


def _sheets(link: Link) -> tuple[str, ...]:
    return ("/pads.css",) if link.content.project else ()


def _isolated(text: str) -> Html:
    """Return a user's text whose direction does not change what stands beside it."""
    return element("bdi", text)
