"""Around the page: its language, for the browser and for Gradio's own words, and a policy that keeps it local."""

import json

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from kuamo.messages import Language, say
from kuamo.ui.theme import ICON

TAGS = {"en": "en", "zh": "zh-CN"}
# Gradio's scripts are inline and compile templates; nothing may come from, or go to, another host.
POLICY = (
    "default-src 'self' data: blob:; script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:; "
    "style-src 'self' 'unsafe-inline'; object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'self'"
)

# What Gradio says in English alone, by how it begins, and the row that says it in the page's language.
TOASTS = {
    "Error": "page.toast_error",
    "Warning": "page.toast_warning",
    "File(s) exceed": "page.file_too_large",
    "Invalid file type": "page.file_unfit",
}
SCRIPT = """
Object.defineProperty(navigator, 'language', {get: () => %(tag)s});
const toasts = Object.entries(%(toasts)s);
new MutationObserver(() => document.querySelectorAll('.toast-title, [data-testid=toast-text]').forEach(toast => {
    const said = toasts.find(([begins, line]) => toast.textContent.startsWith(begins) && toast.textContent !== line);
    if (said) toast.textContent = said[1];
})).observe(document, {childList: true, subtree: true});
"""


class Shell:
    """ASGI middleware around one Gradio page: rewrites its HTML, passes everything else through."""

    def __init__(self, app: ASGIApp, language: Language, megabytes: float) -> None:
        self._app = app
        self._tag = TAGS[language]
        toasts = {begins: say(row, language, megabytes=megabytes) for begins, row in TOASTS.items()}
        script = SCRIPT % {"tag": json.dumps(self._tag), "toasts": json.dumps(toasts, ensure_ascii=False)}
        self._head = f'<head><link rel="icon" href="{ICON}"><script>{script}</script>'

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        held: list[Message] = []

        async def pass_on(message: Message) -> None:
            if message["type"] == "http.response.start" and _is_html(message):
                held.append(message)
            elif held:
                held.append(message)
                if not message.get("more_body"):
                    for rewritten in self._rewrite(held):
                        await send(rewritten)
            else:
                await send(message)

        await self._app(scope, receive, pass_on)

    def _rewrite(self, held: list[Message]) -> tuple[Message, Message]:
        start, *parts = held
        html = b"".join(part.get("body", b"") for part in parts).decode()
        html = html.replace('lang="en"', f'lang="{self._tag}"', 1).replace("<head>", self._head, 1)
        html = html.replace('<link rel="manifest" href="/manifest.json" />', "", 1)
        body = html.encode()
        headers = MutableHeaders(scope=start)
        headers["content-security-policy"] = POLICY
        if "content-length" in headers and parts[0].get("body"):
            headers["content-length"] = str(len(body))
        return start, {"type": "http.response.body", "body": body}


def _is_html(start: Message) -> bool:
    return MutableHeaders(scope=start).get("content-type", "").startswith("text/html")
