"""`kuamo models`: the catalogue as this machine sees it."""

import json
from pathlib import Path

import pytest

from hub_server import hub
from kuamo.catalogue import Catalogue

BIG = """
[[model]]
name = "big"
capabilities = ["chat"]
engine = "kuamo.engines.chat.causal_lm:CausalLm"
source = "someone/big"
licence = "MIT"
languages = ["en", "zh"]
parameters = 1_000_000_000
profiles = ["large"]
"""


def test_every_model_is_listed(kuamo) -> None:
    done = kuamo("models")
    assert done.exit_code == 0
    first = [line.split()[0] for line in done.stdout.splitlines()[1:]]
    assert first == [model.name for model in Catalogue.load().models]
    assert kuamo("models", "list").stdout == done.stdout


def test_a_profile_narrows_the_list(kuamo) -> None:
    names = {row["name"] for row in json.loads(kuamo("models", "--profile", "nano", "--json").stdout)["models"]}
    assert names == {model.name for model in Catalogue.load().models if "nano" in model.profiles}


def test_what_fits_depends_on_the_precision_and_the_budget(kuamo, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("kuamo.toml").write_text(BIG, encoding="utf-8")
    monkeypatch.setenv("KUAMO_MEMORY_GB", "1.5")
    (row,) = json.loads(kuamo("models", "show", "big", "--json").stdout)["models"]
    assert row["memory_gb"] == {"fp32": 4.8, "bf16": 2.4, "fp16": 2.4, "int8": 1.32, "nf4": 0.84}
    assert row["fits"] == ["int8", "nf4"]
    assert row["here"] is False
    table = kuamo("models", "list").stdout
    (line,) = (line for line in table.splitlines() if line.startswith("big "))
    assert line.split("  ")[-1].strip() == "en, zh"
    assert "4.8 / 2.4 / 1.3 / 0.8" in line
    assert "int8" in line


def test_one_model_is_shown_in_full_in_chinese(kuamo) -> None:
    shown = kuamo("models", "show", "espeak", "--lang", "zh").stdout
    assert "package:espeakng_loader (1.52)" in shown
    assert "许可证" in shown
    assert "GPL-3.0-or-later" in shown


def test_what_is_in_the_box_needs_no_download(kuamo) -> None:
    done = kuamo("models", "pull", "espeak", "--json")
    assert (done.exit_code, json.loads(done.stdout)) == (0, {"status": "success", "pulled": []})
    assert done.stderr == "espeak: nothing to download\n"


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (("show", "nothing"), "The catalogue has no model nothing."),
        (("list", "nothing"), "The catalogue has no model nothing."),
        (("pull", "nothing"), "The catalogue has no model nothing."),
        (("show",), "NAME is missing."),
        (("pull",), "NAME is missing."),
    ],
)
def test_an_unknown_or_missing_name_is_told(arguments: tuple[str, ...], line: str, kuamo) -> None:
    done = kuamo("models", *arguments)
    assert done.exit_code == 2
    assert done.stderr.startswith(line)


def test_a_download_without_network_is_told(program, tmp_path: Path) -> None:
    variables = {"HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path / "hub")}
    done = program("models", "pull", "someone/model", **variables)
    assert done.returncode == 2
    assert done.stderr.startswith("someone/model could not be downloaded:")
    assert "Traceback" not in done.stderr


def test_a_model_is_pulled_from_a_hub_once_and_without_pickles(program, tmp_path: Path) -> None:
    weights = {"config.json": b'{"model_type": "llama"}', "model.safetensors": bytes(100_000)}
    files = weights | {"pytorch_model.bin": b"pickle", "modeling.py": b"code"}
    with hub("someone/model", files) as (address, downloaded):
        variables = {"HF_ENDPOINT": address, "HF_HOME": str(tmp_path / "hub"), "HF_HUB_DISABLE_XET": "1"}
        first = program("models", "pull", "someone/model", **variables)
        assert first.returncode == 0, first.stderr
        assert "someone/model: 0.1 MB to download" in first.stderr
        folder = Path(first.stdout.removeprefix("someone/model: ").strip())
        assert {file.name: file.read_bytes() for file in folder.iterdir()} == weights
        again = json.loads(program("models", "pull", "someone/model", "--json", **variables).stdout)
        assert again["pulled"][0]["bytes"] == 0
        assert sorted(downloaded) == sorted(weights)
        lost = program("models", "pull", "someone/else", **variables)
        assert (lost.returncode, lost.stdout) == (2, "")
        assert lost.stderr.startswith("someone/else could not be downloaded:")
