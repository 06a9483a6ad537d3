"""``flask timetable``: importing a community's timetable (domain.md §2.1)."""

from __future__ import annotations

import click
from flask.cli import AppGroup

from server.commands.speaking import say, speaks
from server.timetable import import_timetable

timetable = AppGroup("timetable", help="课程表")


@timetable.command("import")
@click.argument("file", type=click.Path())
@click.option("--community", metavar="社区", help="只导入这个社区的表")
@click.option("--dry-run", is_flag=True, help="只看会怎样，不写入")
@speaks
def import_file(file: str, community: str | None, *, dry_run: bool) -> None:
    """导入一个课程表文件（.xlsx）。有一处要改就整个文件都不导入，退出码为 1。"""
    report = import_timetable(file, only_community=community, dry_run=dry_run)
    for line in report.lines():
        say(line)
    say(report.summary)
    if report.faults:
        raise SystemExit(1)
