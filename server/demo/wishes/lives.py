"""Lives (一生): the ways a wish can go, as what happens on which day after it was made. What happens by itself is not said: it happens.

A wish hangs fifteen days, twice, and lies with the street from the thirty-first day after it was approved; a unit has a week for its first word.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from models.wishes.claims import Evidence, Level, SettledBy
from server.demo.cast import DEPARTMENT, PARTNER
from server.demo.units import BANK, HAIRDRESSERS, SUPERMARKET, SUSPENDED
from server.demo.wishes.acts import (
    Act,
    accepted,
    agreed,
    approved,
    assigned,
    brought,
    called,
    cannot_be,
    confirmed,
    contacted,
    converted,
    declined,
    disputed,
    extended,
    given_back,
    handed_to,
    helped_by,
    made,
    mended,
    more_asked,
    needed_too,
    rated,
    refused,
    rejected,
    said_anew,
    sent_back,
    sent_to,
    shown,
    taken,
    taken_back,
    taken_in_hand,
    withdrawn,
)

Life: TypeAlias = Sequence[tuple[int, Act]]

SOCIETY, WORKERS, JUSTICE = "安澜文艺志愿者协会", "同行社会工作服务中心", "澄湖区司法所"
SCHOOL, COLLEGE, PROPERTY = "安澜市第三中学", "安澜职业学院", "梧桐物业服务公司"

# --- before the wall, and on it ---------------------------------------------------------------------------------------

WAITS: Life = [(0, made)]
ASKED_FOR_MORE: Life = [*WAITS, (1, more_asked("请写一下哪天方便"))]
HANGS: Life = [*WAITS, (1, approved)]
SAID_ANEW: Life = [*ASKED_FOR_MORE, (2, said_anew("周末都可以")), (3, approved)]
KEPT: Life = [*WAITS, (0, approved)]  # for the day its theme is shown
REJECTED: Life = [*WAITS, (1, rejected("楼道灯已经报给物业，三天内修好"))]
TAKEN_OFF: Life = [*HANGS, (4, rejected("家里人已经买了，和您电话说好取下来"))]
AFTER_A_NO: Life = [
    *WAITS,
    (1, rejected("现金帮不了，可以写需要什么东西")),
    (3, said_anew("旧的也可以")),
    (4, approved),
]
WITHDRAWN: Life = [*WAITS, (1, withdrawn)]


def supported(*neighbours: str) -> Life:
    """It hangs, and neighbours need it too."""
    return [*HANGS, *((2, needed_too(who)) for who in neighbours)]


# --- taken on, and under way ------------------------------------------------------------------------------------------


def asked_for(unit: str, *, after: int) -> Life:
    """A unit has asked for it today; the community has not said yet."""
    return [*HANGS, (after, taken(unit, "周末去一趟", days=9))]


def begun(unit: str, *, pieces: int = 1, days: int = 14) -> Life:
    """A unit may begin."""
    return [*HANGS, (2, taken(unit, "约好时间上门", days=days, pieces=pieces)), (2, agreed)]


def spoken(unit: str, *, days: int = 14) -> Life:
    """The unit has called."""
    return [*begun(unit, days=days), (3, contacted)]


LATE_DAYS = 10
SENT: Life = [*HANGS, (3, sent_to(BANK))]
EXTENDED: Life = [*spoken(PARTNER), (14, extended("相册还在冲印", days=10))]
WITH_HELP: Life = [*spoken(SOCIETY), (4, helped_by(WORKERS))]
HANDED_ON: Life = [
    *begun(SUPERMARKET),
    (4, handed_to(PROPERTY, "超市没有人会修")),
    (5, accepted("师傅周六来", days=10)),
    (6, contacted),
]
DISPUTED: Life = [
    *spoken(PROPERTY, days=20),
    (9, brought(Evidence.TAP, "换了垫圈", minutes=40)),
    (11, disputed("还是在滴水")),
]


def delivered(
    unit: str, on: int, evidence: Evidence = Evidence.TAP, note: str = "", *, minutes: int = 60
) -> Life:
    """The unit says that it is done."""
    return [*spoken(unit), (on, brought(evidence, note, minutes=minutes))]


# --- fulfilled --------------------------------------------------------------------------------------------------------


def fulfilled(unit: str, level: Level | None, words: str = "", *, minutes: int = 60) -> Life:
    """They say so themselves, and how it was."""
    done = [*delivered(unit, 8, minutes=minutes), (9, confirmed(SettledBy.RESIDENT))]
    return done if level is None else [*done, (10, rated(level, words))]


WITH_THE_CODE: Life = [
    *spoken(PARTNER),
    (8, brought(Evidence.CODE, minutes=180)),
    (9, rated(Level.VERY_HAPPY, "小伙子很耐心")),
]
ON_A_VISIT: Life = [
    *delivered(HAIRDRESSERS, 8, Evidence.SLIP, "老人家属签收", minutes=45),
    (10, confirmed(SettledBy.VISIT, "上门看过，头发剪得很清爽")),
    (10, rated(Level.HAPPY, how=SettledBy.VISIT)),
]
BY_CALL: Life = [
    *delivered(WORKERS, 8, Evidence.CALL, "电话里说已经收到", minutes=30),
    (10, confirmed(SettledBy.CALL, "电话里说收到了，尺码偏大")),
    (11, rated(Level.FAIR, how=SettledBy.CALL)),
]
FOR_THEM: Life = [
    *delivered(SOCIETY, 8, minutes=90),
    (9, confirmed(SettledBy.HELPER)),
    (9, rated(Level.VERY_HAPPY, "老人高兴了好几天", how=SettledBy.HELPER)),
]
MENDED: Life = [
    *fulfilled(SUPERMARKET, Level.UNHAPPY, "送来的有划痕"),
    (11, called("说换一个就好，约了周三")),
    (14, mended("换了新的，本人看过")),
    (15, rated(Level.HAPPY)),
]
UNHAPPY: Life = [
    *delivered(PROPERTY, 8),
    (9, confirmed(SettledBy.RESIDENT)),
    (10, rated(Level.VERY_UNHAPPY, "来了两次才修好")),
]
IN_TWO_HANDS: Life = [
    *begun(PARTNER, pieces=2),
    (4, shown),
    (4, brought(Evidence.PHOTO, "两副已经送到社区", minutes=30)),
    (5, confirmed(SettledBy.RESIDENT)),
    (6, taken(SUPERMARKET, "店里有一副", days=7)),
    (6, agreed),
    (9, brought(Evidence.SLIP, "本人签收", minutes=20)),
    (10, confirmed(SettledBy.RESIDENT)),
    (11, rated(Level.HAPPY)),
]

# --- it came to nothing, and hangs again ------------------------------------------------------------------------------

DECLINED_THEN_DONE: Life = [
    *HANGS,
    (2, taken(SUPERMARKET, "送一个来", days=9)),
    (2, declined("这件要请会修电器的来")),
    (3, taken(COLLEGE, "实训老师带学生来修", days=12)),
    (3, agreed),
    (4, contacted),
    (10, brought(Evidence.TAP, minutes=120)),
    (11, confirmed(SettledBy.RESIDENT)),
    (12, rated(Level.VERY_HAPPY)),
]
REFUSED: Life = [*HANGS, (2, sent_to(SCHOOL)), (3, refused("期末考试，抽不出老师"))]
GIVEN_BACK: Life = [*spoken(SOCIETY), (6, given_back("老师住院了，来不了"))]
NOT_ACCEPTED: Life = [*HANGS, (2, sent_to(SCHOOL))]
NOT_CONTACTED: Life = begun(BANK)
TAKEN_BACK: Life = [*begun(SUPERMARKET), (6, taken_back("和许愿人说好换一家来办"))]
LET_DOWN: Life = begun(SUSPENDED)
NO_LONGER_NEEDED: Life = [*begun(SOCIETY), (5, withdrawn)]

# --- with the street --------------------------------------------------------------------------------------------------

ESCALATED: Life = HANGS
STREET_DID: Life = [
    *HANGS,
    (33, assigned(DEPARTMENT, days=14)),
    (33, taken_in_hand),
    (35, contacted),
    (40, brought(Evidence.CALL, "电话里说修好了", minutes=120)),
    (42, confirmed(SettledBy.RESIDENT)),
    (43, rated(Level.HAPPY)),
]
STREET_SENT_BACK: Life = [*HANGS, (34, sent_back("街道联系了两家单位，请再公布一轮"))]
STREET_CANNOT: Life = [*HANGS, (36, cannot_be("这里没有合适的场地，明年改造时一并考虑，已经当面说明"))]
WITHDRAWN_LATE: Life = [*HANGS, (35, withdrawn)]
CONVERTED: Life = [*WAITS, (1, converted)]
ASSIGNED: Life = [*CONVERTED, (3, assigned(DEPARTMENT, days=14))]
RETURNED: Life = [
    *CONVERTED,
    (3, assigned(DEPARTMENT, days=14)),
    (3, taken_in_hand),
    (4, given_back("电杆归供电所，请转供电所")),
    (6, assigned(PROPERTY, days=20)),
    (6, taken_in_hand),
    (8, contacted),
    (15, brought(Evidence.SLIP, "供电所挪好了，物业验收", minutes=240)),
    (17, confirmed(SettledBy.RESIDENT)),
    (18, rated(Level.VERY_HAPPY, "路宽敞多了")),
]
NOT_THE_STREETS: Life = [*CONVERTED, (5, sent_back("属于小区内部，请社区和物业商量")), (7, approved)]
