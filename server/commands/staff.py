"""``flask staff``: how the first people who work here come in (architecture.md §2)."""

from __future__ import annotations

import click
from flask.cli import AppGroup
from sqlalchemy import select

from models.base import reading, transaction
from models.errors import Fault, Invalid
from models.staff import INVITATION_DAYS, Role, StaffMember, grant, grants_of, hire, invite
from server.commands.finding import place_called, staff_member_called
from server.commands.speaking import must_be_a_name, say, speaks

ROLES = {
    Role.ADMIN: "社区管理员",
    Role.CLERK: "社区工作人员",
    Role.GRID_WORKER: "网格员",
    Role.STREET_OFFICER: "街道干部",
}

staff = AppGroup("staff", help="工作人员")


@staff.command("add")
@click.argument("name", metavar="姓名")
@speaks
def add(name: str) -> None:
    """登记一位工作人员，还没有任何权限。"""
    with transaction() as session:
        member = hire(session, must_be_a_name(name, "姓名", most=40))
        say(f"已登记 {member.name}，key {member.key}")


@staff.command("grant")
@click.argument("name_or_key", metavar="姓名或key")
@click.argument("role", metavar="角色")
@click.argument("region", metavar="区域")
@speaks
def give_role(name_or_key: str, role: str, region: str) -> None:
    """授予一个角色，例如：flask staff grant 王主任 admin 梧桐里社区。角色也可以写中文。"""
    wanted = _role(role)
    with transaction() as session:
        member = staff_member_called(session, name_or_key)
        place = place_called(session, region)
        held = {(one.role, one.region_id) for one in grants_of(session, member)}
        grant(session, member, wanted, place)
        word = "早已授予" if (wanted, place.id) in held else "已授予"
        say(f"{word} {member.name}：{ROLES[wanted]}（{place.name}）")


@staff.command("invite")
@click.argument("name_or_key", metavar="姓名或key")
@speaks
def send_invitation(name_or_key: str) -> None:
    """给出一个邀请码，本人在小程序里填写后就绑定微信。邀请码只显示这一次。"""
    with transaction() as session:
        member = staff_member_called(session, name_or_key)
        code = invite(session, member)
        name = member.name
    say(f"{name} 的邀请码：{code}（{INVITATION_DAYS} 天内有效，用一次，只显示这一次）")


@staff.command("list")
@speaks
def everybody() -> None:
    """列出在岗的工作人员和角色。"""
    with reading() as session:
        members = session.scalars(
            select(StaffMember).where(StaffMember.left_at.is_(None)).order_by(StaffMember.id)
        ).all()
        for member in members:
            roles = "、".join(f"{ROLES[one.role]}（{one.region.name}）" for one in grants_of(session, member))
            bound = "已绑定微信" if member.account_id is not None else "未绑定微信"
            say(f"{member.name}  key {member.key}  {bound}  {roles or '没有角色'}")
    if not members:
        say("还没有工作人员，请用 flask staff add 登记")


def _role(text: str) -> Role:
    wanted = text.strip()
    for role, word in ROLES.items():
        if wanted in (role.value, word):
            return role
    choices = "、".join(f"{role.value}（{word}）" for role, word in ROLES.items())
    raise Invalid([Fault("role", f"没有“{wanted}”这个角色，可以写：{choices}")])
