"""``flask wechat templates``: the catalogue of moments against the account's real templates (消息模板, wechat.md §4.6).

A message whose keywords the template does not have is refused by WeChat with 47003, one by one, when it is too late. So the
catalogue is compared with the account before anything is sent, and what the public library has is added from there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from flask.cli import AppGroup

from miniprogram_api.installed import wechat_gateway
from miniprogram_api.wechat import AccountTemplate, WeChatGateway
from models.errors import Conflict
from models.notices import MOMENTS, TEMPLATE_TITLES, TemplateName
from server.commands.speaking import say, speaks
from server.settings import settings_in_force

SCENE = "社区服务和工作提醒"  # sceneDesc, at most 15 characters

wechat = AppGroup("wechat", help="微信账号")
templates = AppGroup("templates", help="消息模板")
wechat.add_command(templates)


@templates.command("check")
@speaks
def check() -> None:
    """核对账号里的消息模板和产品需要的是否一致；有不一致时以 1 退出，逐条说明。"""
    found = {template.id: template for template in wechat_gateway().templates()}
    wrong = [line for name in TemplateName for line in _faults_of(name, found)]
    for line in wrong:
        say(line)
    if wrong:
        raise Conflict(
            "templates_unfit", f"有 {len(wrong)} 处要处理，可以先试 flask wechat templates install"
        )
    say(f"{len(TemplateName)} 个消息模板都对得上")


@templates.command("install")
@speaks
def install() -> None:
    """从公共模板库添加账号里还没有的消息模板，并打印 WECHAT_TEMPLATES 应填的内容；已有的不重复添加。"""
    gateway = wechat_gateway()
    mine = gateway.templates()
    ids: dict[TemplateName, str] = {}
    missing: list[str] = []
    for name in TemplateName:
        title, keys = TEMPLATE_TITLES[name], _keys_of(name)
        fitting = next((t for t in mine if t.title == title and keys <= _keys_in(t)), None)
        if fitting is not None:
            ids[name] = fitting.id
            say(f"“{title}”账号里已有")
        else:
            added = _add_from_library(gateway, title, sorted(keys))
            if added is None:
                missing.append(title)
                say(
                    f"“{title}”公共模板库里没有合适的，请在公众平台申请，关键词要有：{'、'.join(sorted(keys))}"
                )
            else:
                ids[name] = added
                say(f"“{title}”已添加")
    kept = settings_in_force().wechat_templates
    found = {**kept, **ids}
    say("WECHAT_TEMPLATES=" + ",".join(f"{name}={found[name]}" for name in TemplateName if name in found))
    if missing:
        raise Conflict("templates_missing", f"还有 {len(missing)} 个模板要人工申请：{'、'.join(missing)}")


def _faults_of(name: TemplateName, found: Mapping[str, AccountTemplate]) -> Iterator[str]:
    title, needed = TEMPLATE_TITLES[name], _keys_of(name)
    written = settings_in_force().wechat_templates.get(name)
    if written is None:
        yield f"“{title}”（{name}）：WECHAT_TEMPLATES 里还没有写"
        return
    template = found.get(written)
    if template is None:
        yield f"“{title}”（{name}）：账号里没有 WECHAT_TEMPLATES 写的这个模板"
        return
    lacking = sorted(needed - _keys_in(template))
    if lacking:
        yield f"“{title}”（{name}）：模板缺少关键词 {'、'.join(lacking)}"
    unfilled = sorted(_keys_in(template) - needed)
    if unfilled:
        yield f"“{title}”（{name}）：模板多出关键词 {'、'.join(unfilled)}，发送时会因为空着被拒"


def _keys_of(name: TemplateName) -> set[str]:
    """Every keyword the moments of a template fill."""
    return {keyword for moment in MOMENTS.values() if moment.template is name for keyword in moment.keywords}


def _keys_in(template: AccountTemplate) -> set[str]:
    return {key for _, key, _ in template.keywords}


def _add_from_library(gateway: WeChatGateway, title: str, keys: Sequence[str]) -> str | None:
    """Add the library's template of this title with just these keywords; none when it has no such title or keywords."""
    for candidate in gateway.library_titles():
        if candidate.title == title:
            kids = {keyword.key: keyword.kid for keyword in gateway.library_keywords(candidate.tid)}
            if all(key in kids for key in keys):
                return gateway.add_template(candidate.tid, [kids[key] for key in keys], scene=SCENE)
    return None
