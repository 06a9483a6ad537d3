"""Teachers (授课老师): a person can be in one place at a time, an organisation in several."""

from __future__ import annotations

import re

PERSON_ENDINGS = ("老师", "教练", "师傅", "医生", "先生", "女士", "同学")

_AND = re.compile(r"\s*[、，,/／&＆；;]\s*")


def people_named(teacher: str) -> tuple[str, ...]:
    """The persons in a teacher cell, which may name several (周老师、刘老师).

    周老师 and 非遗传承人孙老师 are persons; 老年大学, 居民达人 and 志愿者团队 are not.
    """
    return tuple(dict.fromkeys(name for name in _AND.split(teacher) if name.endswith(PERSON_ENDINGS)))


def is_one_place_only(teacher: str) -> bool:
    """Whether the class is taught by persons alone, who cannot be in two places at once."""
    return all(name.endswith(PERSON_ENDINGS) for name in _AND.split(teacher) if name)
