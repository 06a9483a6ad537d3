"""From a knock on the door to a thank-you: everybody by a phone of the sandbox, everything over the API, every message delivered once."""

from __future__ import annotations

from collections import Counter
from typing import Any

from sqlalchemy import select

from models import clock as town_clock
from models.base import reading
from models.grants import Answer
from models.notices import Delivery, Notice, TemplateName
from server.jobs.delivery import deliver_due
from tests.people import Town
from tests.phones import TEMPLATES, Door, Phone, told

GRANDPA, STUDIO, PASSER_BY = "grandpa-li", "studio-qin", "passer-by"
WORDS = "想请人教我用手机挂号，家在梧桐苑3栋501，电话13900000021"
PRIVATE = ("李建国", "13900000021", "梧桐苑3栋501", "独居")


def comes(door: Door, town: Town, openid: str, name: str, phone: str) -> Phone:
    """Somebody opens the mini-program for the first time, says who they are, and allows every message it asks about."""
    hand = door.log_in(openid)
    about = {
        "name": name,
        "phone": phone,
        "home_community": town.wutong.key,
        "birth_year": 1950,
        "consent": {"version": "2026-11"},
    }
    told(hand.put("/me", json=about))
    for name_of_template in TemplateName:
        template = TEMPLATES[name_of_template]
        for _ in range(3):
            door.sandbox.accept(openid, template)
            told(hand.post("/me/message-grants", json={"answers": {template: Answer.ACCEPT.value}}), 201)
    return hand


def letters(door: Door, openid: str) -> Counter[TemplateName]:
    """What lies on a phone, by the template it came in."""
    names = {template: name for name, template in TEMPLATES.items()}
    return Counter(names[letter.template_id] for letter in door.sandbox.account.phones[openid].messages)


def the_worker_comes(door: Door) -> None:
    """Send what is owed by now; a second look finds nothing more."""
    with door.app.app_context():
        while deliver_due(town_clock.now()):
            continue


def everything_shown(hand: Phone, *addresses: str) -> str:
    """All that somebody reads at these addresses."""
    return "".join(hand.get(address).text for address in addresses)


def test_a_wish_goes_from_the_knock_to_the_thank_you(door: Door, town: Town) -> None:
    clerk = door.phone(town.clerk)
    grandpa = comes(door, town, GRANDPA, "李建国", "13900000021")
    applicant = comes(door, town, STUDIO, "秦师傅", "13900000022")
    outsider = comes(door, town, PASSER_BY, "过路人", "13900000023")

    # the studio comes on board, by the community's word
    card: dict[str, Any] = {
        "name": "光影工作室",
        "kind": "public_good",
        "credit_code": "91350100M000100Y43",
        "region": town.wutong.key,
        "contact_name": "秦师傅",
        "contact_phone": "13900000022",
    }
    asked = told(applicant.post("/me/partner-applications", json=card, headers={"Idempotency-Key": "a"}), 201)
    told(clerk.put(f"/staff/partners/{asked['key']}/approval"))
    unit = applicant.wearing(f"partner:{asked['key']}")
    the_worker_comes(door)

    # grandpa wishes, the clerk writes what hangs on the wall
    said = {
        "words": WORDS,
        "kind": "service",
        "may_show": True,
        "may_share": True,
        "hardship": "独居",
        "address": "梧桐苑3栋501",
    }
    wish = told(grandpa.post("/me/wishes", json=said, headers={"Idempotency-Key": "w"}), 201)["key"]
    shown = {"title": "想学用手机", "words": "一位长者想请人教一教怎么用手机挂号"}
    told(clerk.put(f"/staff/wishes/{wish}/card", json=shown))
    the_worker_comes(door)

    # the studio takes it on, calls, comes; grandpa says that it is done, and how it was
    (seen,) = told(unit.get("/partner/wishes"))["items"]
    assert seen["key"] == wish
    promise = {
        "plan": "周六上午来教",
        "promised_on": "2026-11-28",
        "promise": told(unit.get("/wish-promise"))["version"],
    }
    claim = told(unit.put(f"/partner/wishes/{wish}/claim", json=promise))["key"]
    told(clerk.put(f"/staff/claims/{claim}/agreement"))
    the_worker_comes(door)
    assert told(unit.get(f"/partner/claims/{claim}/contacts"))["phone"] == "13900000021"
    told(unit.put(f"/partner/claims/{claim}/contact"))
    told(unit.put(f"/partner/claims/{claim}/delivery", json={"evidence": "tap", "minutes": 60}))
    the_worker_comes(door)

    # nobody else reads of it what the wall does not say, by whatever address
    read = everything_shown(
        outsider,
        "/wishes",
        f"/wishes/{wish}",
        f"/me/wishes/{wish}",
        f"/me/claims/{claim}",
        f"/partner/claims/{claim}",
        f"/partner/claims/{claim}/contacts",
        f"/staff/wishes/{wish}",
        f"/staff/claims/{claim}",
        "/me/wishes",
    )
    assert not [one for one in PRIVATE if one in read]

    told(grandpa.put(f"/me/claims/{claim}/confirmation"))
    the_worker_comes(door)
    told(grandpa.put(f"/me/claims/{claim}/rating", json={"level": 5, "words": "很耐心"}))
    the_worker_comes(door)
    assert told(grandpa.get(f"/me/wishes/{wish}"))["wish"]["state"] == "fulfilled"
    assert told(unit.get(f"/partner/claims/{claim}"))["rating"] == "非常满意"

    # whoever it concerns heard each thing once, and nobody else anything
    with reading() as session:
        became = Counter(session.scalars(select(Notice.delivery)))
    assert became == {Delivery.SENT: sum(sum(letters(door, who).values()) for who in (GRANDPA, STUDIO))}
    assert letters(door, GRANDPA) == {
        TemplateName.WISH_RESULT: 1,
        TemplateName.WISH_CLAIMED: 1,
        TemplateName.WISH_DELIVERED: 1,
    }
    assert letters(door, STUDIO) == {
        TemplateName.REVIEW_RESULT: 1,
        TemplateName.CLAIM_TO_DO: 1,
        TemplateName.CLAIM_ANSWERED: 2,
    }
    assert letters(door, PASSER_BY) == {}
