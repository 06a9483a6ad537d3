"""The report (导入结果): what importing a timetable did, or would do, in lines a clerk reads."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from models import clock
from models.courses import Change, CourseRun
from server.timetable.faults import Fault


@dataclass(frozen=True)
class RunLine:
    """One run the import touched, and how."""

    community: str
    course: str
    when: str  # 12月2日 18:00, the first evening
    detail: str = ""

    @property
    def line(self) -> str:
        """梧桐里社区“口才与表达”（12月2日 18:00）：名额由“20”改为“24”."""
        detail = f"：{self.detail}" if self.detail else ""
        return f"{self.community}“{self.course}”（{self.when}）{detail}"


@dataclass(frozen=True)
class Report:
    """What became of a file. With ``faults`` nothing of it was kept, and the lists are empty."""

    faults: tuple[Fault, ...] = ()
    warnings: tuple[Fault, ...] = ()
    created: tuple[RunLine, ...] = ()
    revised: tuple[RunLine, ...] = ()
    withdrawn: tuple[RunLine, ...] = ()
    unchanged: tuple[RunLine, ...] = ()
    is_rehearsal: bool = False

    @property
    def is_clean(self) -> bool:
        """Whether the file could be imported."""
        return not self.faults

    @property
    def summary(self) -> str:
        """The last line: what was done, all in one sentence."""
        if self.faults:
            return f"有 {len(self.faults)} 处要改，这个文件没有导入，什么都没有变"
        counts = (
            f"新增 {len(self.created)} 个班，修改 {len(self.revised)} 个，"
            f"撤下 {len(self.withdrawn)} 个，没有变化 {len(self.unchanged)} 个"
        )
        return f"试导入，没有写入。正式导入会{counts}" if self.is_rehearsal else f"导入完成：{counts}"

    def lines(self) -> Iterator[str]:
        """Everything a clerk should read, each once: faults, else what was done; then what to look at."""
        if self.faults:
            yield from (fault.line for fault in self.faults)
        else:
            for word, touched in (("新增", self.created), ("修改", self.revised), ("撤下", self.withdrawn)):
                yield from (f"{word} {one.line}" for one in touched)
        yield from (f"提醒 {warning.line}" for warning in self.warnings)


def run_line(run: CourseRun, *, changes: tuple[Change, ...] = (), detail: str = "") -> RunLine:
    """A run as the report names it."""
    starts = clock.in_town(run.starts_at)
    said = "，".join(change.line for change in changes)
    return RunLine(
        run.region.name,
        run.course.title,
        f"{starts.month}月{starts.day}日 {starts:%H:%M}",
        "，".join(part for part in (said, detail) if part),
    )
