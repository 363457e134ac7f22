"""The tables of the survey: each library's classes, with the options that users meet."""


def with_settings(options: tuple[str, ...], settings: str) -> tuple[str, ...]:
    """Options with further settings, which keep a survey quick and quiet; the fit after `@` stays last."""
    result = []
    for option in options:
        source, at, fit = (part.strip() for part in option.partition("@"))
        joined = ", ".join(part for part in (source, settings) if part)
        result.append(f"{joined} {at} {fit}".strip())
    return tuple(result)
