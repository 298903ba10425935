"""What the shell completes, read from the catalogue."""


def complete_profile(incomplete: str) -> list[str]:
    """Return the profiles that begin so."""
    from typing import get_args

    from kuamo.settings import Profile

    return [name for name in get_args(Profile) if name.startswith(incomplete)]


def complete_model(incomplete: str) -> list[str]:
    """Return the catalogue's models whose name begins so."""
    from kuamo.catalogue import Catalogue

    return [model.name for model in Catalogue.load().models if model.name.startswith(incomplete)]


def complete_choice(incomplete: str) -> list[str]:
    """Return what can follow --model: a capability with "=", then one of its models."""
    from kuamo.catalogue import Catalogue

    models = Catalogue.load().models
    choices = [f"{capability}={model.name}" for model in models for capability in model.capabilities]
    if "=" not in incomplete:
        choices = list(dict.fromkeys(choice.split("=")[0] + "=" for choice in choices))
    return [choice for choice in choices if choice.startswith(incomplete)]
