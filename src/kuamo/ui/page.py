"""The studio mounted on the server: /en and /zh, the same page in two languages, and / that chooses."""

import ipaddress
from html import escape
from typing import Any, get_args

import gradio as gr
from fastapi import FastAPI, Request
from fastapi.responses import RedirectResponse
from starlette.middleware import Middleware

from kuamo import __version__
from kuamo.messages import Language, language_of, say
from kuamo.runtime import Models
from kuamo.settings import Settings
from kuamo.store import is_url
from kuamo.ui import answer, draw, search, talk
from kuamo.ui.shell import Shell
from kuamo.ui.theme import MARK, STYLE, theme

AT_ONCE = 16  # requests of one kind that wait or run; the models themselves take turns


def mount(app: FastAPI, settings: Settings, models: Models) -> FastAPI:
    """Mount the studio on a server's app and return the app; / leads to the visitor's language."""

    @app.get("/", include_in_schema=False)
    def choose_language(request: Request) -> RedirectResponse:
        language = language_of(request.headers.get("accept-language"))
        wanted = language if settings.language == "auto" else settings.language
        return RedirectResponse(f"{request.scope.get('root_path', '')}/{wanted}/", headers={"Vary": "Accept-Language"})

    for language in get_args(Language):
        gr.mount_gradio_app(
            app,
            page(language, settings, models),
            path=f"/{language}",
            app_kwargs={"middleware": [Middleware(Shell, language=language, megabytes=settings.limits.megabytes)]},
            max_file_size=int(settings.limits.megabytes * 1e6),
            show_error=False,
            footer_links=[],
            run_history=False,
            ssr_mode=False,
            mcp_server=False,
            enable_monitoring=False,
            theme=theme(),
            css_paths=STYLE,
        )
    return app


def page(language: Language, settings: Settings, models: Models) -> Any:
    """Return the studio in one language as Gradio Blocks. Files put on it are deleted after `upload_seconds`."""
    kept = (60, int(settings.upload_seconds))
    with gr.Blocks(title=say("page.title", language), analytics_enabled=False, delete_cache=kept) as blocks:
        gr.HTML(_header(language), elem_id="header")
        with gr.Tabs(elem_id="tabs"):
            answer.tab(language, models)
            draw.tab(language, models, settings.folder / "drawings" if _is_loopback(settings.host) else None)
            talk.tab(language, models)
            search.tab(language, models, settings.search_folder)
        gr.HTML(_footer(language, settings), elem_id="footer")
    blocks.queue(default_concurrency_limit=AT_ONCE)
    return blocks


def _is_loopback(host: str) -> bool:
    """Whether only this machine reaches an address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _header(language: Language) -> str:
    other: Language = "zh" if language == "en" else "en"
    return (
        f'<header><div class="brand">{MARK}<div><h1>Kuamo <span lang="zh">跨模</span></h1>'
        f"<p>{escape(say('page.tagline', language))}</p></div></div>"
        f'<a class="switch" href="../{other}/" lang="{other}" hreflang="{other}">'
        f"{escape(say('page.name', other))}</a></header>"
    )


def _footer(language: Language, settings: Settings) -> str:
    away = settings.profile == "remote" or any(is_url(source) for source in settings.models.values())
    where = say("page.runs_remote" if away else "page.runs_here", language)
    return f'<footer><span class="where">{escape(where)}</span><span>Kuamo {__version__}</span></footer>'
