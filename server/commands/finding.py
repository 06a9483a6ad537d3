"""Finding (找人找地方): whom and what an operator means by a name or a key. The operator looks over the whole town."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from models.errors import Conflict, NotFound
from models.regions import Region
from models.staff import StaffMember

MOST_LISTED = 10


def staff_member_called(session: Session, name_or_key: str) -> StaffMember:
    """The one working staff member of this name or key. Raises NotFound, or Conflict listing the keys of several."""
    wanted = name_or_key.strip()
    found = session.scalars(
        select(StaffMember)
        .where(
            or_(StaffMember.key == wanted, StaffMember.name == wanted),
            StaffMember.left_at.is_(None),
        )
        .order_by(StaffMember.id)
    ).all()
    if not found:
        raise NotFound(f"没有叫“{wanted}”的工作人员，请先 flask staff add，或用 flask staff list 查看")
    if len(found) > 1:
        listed = "、".join(member.key for member in found[:MOST_LISTED])
        raise Conflict("staff_name_ambiguous", f"叫“{wanted}”的有 {len(found)} 人，请改用 key：{listed}")
    return found[0]


def place_called(session: Session, name: str) -> Region:
    """The one place of this name (with or without 社区 or 街道), code or key. Raises NotFound, or Conflict listing codes."""
    wanted = name.strip()
    found: Sequence[Region] = session.scalars(
        select(Region)
        .where(
            or_(
                Region.key == wanted,
                Region.code == wanted,
                Region.name.in_([wanted, f"{wanted}社区", f"{wanted}街道"]),
            )
        )
        .order_by(Region.path)
    ).all()
    if not found:
        if session.scalar(select(Region.id).limit(1)) is None:
            raise NotFound("还没有登记任何地方，请先用 flask places import 登记")
        raise NotFound(
            f"没有叫“{wanted}”的地方，请写区域的名字（如 梧桐里社区）或编码，flask places list 可以看到"
        )
    if len(found) > 1:
        listed = "、".join(f"{region.name} {region.code}" for region in found[:MOST_LISTED])
        raise Conflict("place_ambiguous", f"叫“{wanted}”的地方有 {len(found)} 个，请改用编码：{listed}")
    return found[0]
