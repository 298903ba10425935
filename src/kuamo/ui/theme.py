"""One look for every page: calm, system fonts only, light and dark as the visitor's system says."""

from pathlib import Path
from typing import Any
from urllib.parse import quote

import gradio as gr

STYLE = Path(__file__).with_name("style.css")
ACCENT = "#0d7a6f"  # on white 5.3 : 1
AMBER = "#eba83a"
FONTS = (
    "system-ui", "-apple-system", "Segoe UI", "PingFang SC", "Hiragino Sans GB", "Microsoft YaHei",
    "Noto Sans CJK SC", "Source Han Sans SC", "sans-serif",
)  # fmt: skip
MONO = ("ui-monospace", "SFMono-Regular", "Menlo", "Consolas", "monospace")

# Two shapes that overlap: from one modality across to another.
MARK = (
    '<svg class="mark" viewBox="0 0 40 40" aria-hidden="true" xmlns="http://www.w3.org/2000/svg">'
    '<clipPath id="lens"><circle cx="15" cy="20" r="13"/></clipPath><circle cx="15" cy="20" r="13" fill="#0d7a6f"/>'
    '<rect x="16" y="9" width="22" height="22" rx="6" fill="#eba83a"/>'
    '<rect x="16" y="9" width="22" height="22" rx="6" fill="#0f3f3a" clip-path="url(#lens)"/></svg>'
)
ICON = "data:image/svg+xml," + quote(MARK)


def theme() -> Any:
    """Return the Gradio theme."""
    teal = gr.themes.Color(
        "#f0fbf8", "#d5f3ec", "#aee6da", "#7ad3c3", "#45b8a6", "#1f9b8b",
        ACCENT, "#0c625a", "#0d4f49", "#0e423d", "#04211f",
    )  # fmt: skip
    base = gr.themes.Base(
        primary_hue=teal, secondary_hue=teal, neutral_hue=gr.themes.colors.stone,
        text_size=gr.themes.sizes.text_lg, radius_size=gr.themes.sizes.radius_lg, font=FONTS, font_mono=MONO,
    )  # fmt: skip
    return base.set(
        body_background_fill="#f8f7f4",
        body_background_fill_dark="#161513",
        background_fill_primary="#ffffff",
        background_fill_primary_dark="#1f1e1b",
        background_fill_secondary="#f3f1ed",
        background_fill_secondary_dark="#282622",
        block_background_fill="#ffffff",
        block_background_fill_dark="#1f1e1b",
        block_border_width="1px",
        block_border_color="#e6e2da",
        block_border_color_dark="#37342f",
        border_color_primary="#e6e2da",
        border_color_primary_dark="#37342f",
        block_shadow="none",
        block_label_text_color="*neutral_500",
        body_text_color_subdued="*neutral_500",
        input_placeholder_color="*neutral_500",
        input_placeholder_color_dark="*neutral_400",
        input_background_fill="#ffffff",
        input_background_fill_dark="#1f1e1b",
        input_border_color="#d9d4ca",
        input_border_color_dark="#45413b",
        input_border_color_focus="*primary_500",
        input_border_color_focus_dark="*primary_400",
        button_primary_background_fill="*primary_600",
        button_primary_background_fill_hover="*primary_700",
        button_primary_background_fill_dark="*primary_600",
        button_primary_background_fill_hover_dark="*primary_500",
        button_primary_text_color="#ffffff",
        button_secondary_background_fill="#f3f1ed",
        button_secondary_background_fill_hover="#e9e5dd",
        button_secondary_background_fill_dark="#2b2925",
        button_secondary_background_fill_hover_dark="#37342f",
        link_text_color="*primary_600",
        link_text_color_dark="*primary_300",
    )
