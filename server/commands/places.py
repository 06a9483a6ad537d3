"""``flask places``: the regions, sites and rooms of a town (区域 · 站点 · 场地)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping

import click
from flask.cli import AppGroup
from sqlalchemy import select
from sqlalchemy.orm import selectinload

from models.base import reading
from models.regions import Region
from models.sites import Site, Venue
from server.commands.speaking import say, speaks
from server.places import REGION_KINDS, SITE_KINDS, import_places

places = AppGroup("places", help="区域、站点和场地")


@places.command("import")
@click.argument("file", type=click.Path())
@click.option("--dry-run", is_flag=True, help="只看会怎样，不写入")
@speaks
def import_file(file: str, *, dry_run: bool) -> None:
    """登记一个文件（.xlsx）里的区域、站点和场地；再导入一次就按文件改。有一处要改就整个文件都不导入，退出码为 1。

    \b
    文件里有三张表，第一行写列名：
      区域：编码、类型（市、区、街道、社区、网格……）、名称、上级
      站点：所在区域、类型（党群服务中心、党群服务站、驿站）、名称、地址、电话
      场地：站点、名称、容纳人数、由哪几间合成（能合能分的大厅才填）
    """
    report = import_places(file, dry_run=dry_run)
    for line in report.lines:
        say(line)
    if report.faults:
        raise SystemExit(1)


@places.command("list")
@speaks
def tree() -> None:
    """列出登记的区域，以及每个区域的站点和场地。"""
    with reading() as session:
        regions = session.scalars(select(Region).order_by(Region.path)).all()
        sites: dict[int, list[Site]] = defaultdict(list)
        for site in session.scalars(
            select(Site).options(selectinload(Site.venues).selectinload(Venue.spaces)).order_by(Site.id)
        ):
            sites[site.region_id].append(site)
        for region in regions:
            depth = "  " * (region.path.count("/") - 1)
            say(f"{depth}{region.name}  {REGION_KINDS[region.kind]}  {region.code}")
            for site in sites[region.id]:
                for line in _site_lines(site):
                    say(f"{depth}  {line}")
    if not regions:
        say("还没有登记任何地方，请用 flask places import 登记")


def _site_lines(site: Site) -> Iterator[str]:
    kind = SITE_KINDS[site.kind].partition("/")[0]
    yield "  ".join(part for part in (f"· {site.name}", kind, site.address, site.phone) if part)
    alone = {venue.spaces[0].id: venue.name for venue in site.venues if len(venue.spaces) == 1}
    for venue in site.venues:
        yield f"    {venue.name}  {venue.capacity} 人{_parts(venue, alone)}"


def _parts(venue: Venue, alone: Mapping[int, str]) -> str:
    names = [alone.get(space.id, space.name) for space in venue.spaces]
    return f"（由{'、'.join(names)}合成）" if len(names) > 1 else ""
