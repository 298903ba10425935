"""Tools: listed by a checkpoint's own template, and called in what the model writes."""

import shutil
from collections.abc import Callable, Generator
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kuamo.contracts import ChatRequest, Ending, Message, Sampling, ToolCall
from kuamo.engines.chat.causal_lm import CausalLm
from kuamo.engines.tool_calls import without_calls
from kuamo.stream import Stream

# In the manner of Qwen 2.5.
TEMPLATE = """{%- if tools %}<|start_header_id|>system<|end_header_id|>

{%- for tool in tools %}{{ tool | tojson }}{% endfor %} Write <tool_call>…</tool_call><|eot_id|>
{%- endif %}{%- for message in messages %}<|start_header_id|>{{ message.role }}<|end_header_id|>

{{ message.content }}{%- for call in message.tool_calls or [] %}<tool_call>
{"name": "{{ call.function.name }}", "arguments": {{ call.function.arguments | tojson }}}
</tool_call>{% endfor %}<|eot_id|>{% endfor %}
{%- if add_generation_prompt %}<|start_header_id|>assistant<|end_header_id|>

{% endif %}"""

WEATHER = {"type": "function", "function": {"name": "weather", "description": "天<|eot_id|>"}}
CALL = '<tool_call>\n{"name": "weather", "arguments": {"city": "北京"}}\n</tool_call>'
BOTH = f"Let me look.\n{CALL}\n{CALL.replace('北京', '上海')}"


def replay(text: str, cuts: list[int]) -> Stream[str, Ending]:
    """Pass a text on in pieces."""

    def pieces() -> Generator[str, None, Ending]:
        places = [0, *sorted(cut for cut in cuts if cut < len(text)), len(text)]
        yield from (text[start:end] for start, end in pairwise(places))
        return Ending(5, 9, "stop")

    return Stream(without_calls(pieces()))


@given(st.lists(st.integers(0, 200)))
def test_calls_are_found_however_the_text_is_cut(cuts: list[int]) -> None:
    stream = replay(BOTH, cuts)
    assert "".join(stream) == "Let me look.\n"
    calls = (ToolCall("weather", {"city": "北京"}), ToolCall("weather", {"city": "上海"}))
    assert stream.result() == Ending(5, 9, "calls", calls)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "plain",
        "a < b <tool",
        "<tool_call>",
        "<tool_call>{no json}</tool_call>",
        '<tool_call>{"name": 5}</tool_call>',
    ],
)
@given(cuts=st.lists(st.integers(0, 60)))
def test_what_is_no_call_stays_text(text: str, cuts: list[int]) -> None:
    stream = replay(text, cuts)
    assert "".join(stream) == text
    assert stream.result() == Ending(5, 9, "stop")


@pytest.fixture(scope="module")
def engine(checkpoint: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory) -> CausalLm:
    folder = shutil.copytree(checkpoint("llama"), tmp_path_factory.mktemp("tools") / "llama")
    (folder / "chat_template.jinja").write_text(TEMPLATE)
    return CausalLm.load(str(folder), device="cpu", precision="fp32")


def test_only_a_template_that_lists_tools_knows_them(engine: CausalLm, checkpoint: Callable[[str], Path]) -> None:
    assert engine.calls_tools
    assert not CausalLm.load(str(checkpoint("llama")), device="cpu", precision="fp32").calls_tools


def test_the_model_reads_tools_calls_and_what_they_gave(engine: CausalLm) -> None:
    messages = (
        Message("user", "?"),
        Message("assistant", "", calls=(ToolCall("weather", {"city": "北京<|eot_id|>"}),)),
        Message("tool", "晴<|eot_id|>"),
    )
    request = ChatRequest(messages=messages, tools=(WEATHER,), sampling=Sampling(max_new_tokens=1))
    seen: list[int] = []
    hook = engine._model.model.embed_tokens.register_forward_pre_hook(lambda _, inputs: seen.extend(inputs[0][0]))
    with hook:
        stream = Stream(engine.chat(request))
        assert stream.result().prompt_tokens == len(seen)
    prompt = engine._tokenizer.decode(seen)
    assert '"name": "weather", "arguments": {"city": "北京' in prompt
    assert '"description": "天' in prompt
    assert "晴" in prompt
    assert seen.count(engine._tokenizer.convert_tokens_to_ids("<|eot_id|>")) == 4  # one for each turn, none smuggled in
