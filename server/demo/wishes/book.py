"""The book (心愿簿): sixty wishes of people of the demo town, and what became of each. Neutral words, nobody real (domain.md §5)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from models.wishes import HandOver, WishKind, WishWords
from models.wishes.claims import Evidence, Level
from server.demo.cast import PARTNER
from server.demo.units import SUPERMARKET
from server.demo.wishes import lives
from server.demo.wishes.lives import (
    COLLEGE,
    JUSTICE,
    LATE_DAYS,
    SCHOOL,
    SOCIETY,
    WORKERS,
    Life,
)

GOODS, SERVICE, SPIRIT, PUBLIC = (
    WishKind.GOODS,
    WishKind.SERVICE,
    WishKind.SPIRIT,
    WishKind.PUBLIC,
)
AUTUMN, WINTER = "重阳", "暖冬"


class Theme(NamedTuple):
    """A theme of the first community: since when it collects, for how long, and when it hangs."""

    title: str
    about: str
    days_ago: int
    collects_days: int
    shown_after_days: int


class Meeting(NamedTuple):
    """What the street is to meet about."""

    title: str
    place: str
    about: str


THEMES: Sequence[Theme] = (
    Theme(AUTUMN, "给长辈许个愿", 20, 8, 10),
    Theme(WINTER, "给家里的老人许个愿", 2, 10, 14),
)
MEETING = Meeting("书香街道联席会议", "街道党群服务中心", "坡道加装扶手")


@dataclass(frozen=True)
class Wished:
    """One wish: whose, what hangs on the wall of it, what they said, how long ago, and what became of it."""

    who: str
    title: str
    shown: str
    words: WishWords
    days_ago: int
    life: Life = field(repr=False)
    theme: str = ""


def _w(
    who: str,
    kind: WishKind,
    title: str,
    shown: str,
    said: str,
    days_ago: int,
    life: Life,
    *,
    theme: str = "",
    **more: Any,
) -> Wished:
    """A line of the book. ``more``: whatever else ``WishWords`` knows."""
    words = WishWords(said, kind, **more)
    return Wished(f"居民{who}", title, shown, words, days_ago, life, theme)


_GLASSES: Mapping[str, Any] = {"quantity": 3, "piece": "副", "value_yuan": 60}
SIXTY: Sequence[Wished] = (
    # before the wall
    _w("B01", SERVICE, "修水龙头", "厨房水龙头滴水", "厨房水龙头一直滴水，想请人来修", 0, lives.WAITS,
       address="梧桐苑5栋302室", hand_over=HandOver.HOME),
    _w("A07", GOODS, "一台收音机", "一位长者想听戏", "眼睛看不清电视，想要一台收音机", 0, lives.WAITS, value_yuan=90),
    _w("B13", SERVICE, "检修洗衣机", "洗衣机不脱水", "洗衣机不脱水，自己弄不来", 12, lives.WAITS),
    _w("B04", SERVICE, "学用手机挂号", "想学用手机挂号", "想学用手机挂号，眼睛不好，慢一点教", 2, lives.ASKED_FOR_MORE),
    _w("B06", SPIRIT, "想拍一张金婚照", "一对老人想拍一张金婚照", "想和老伴拍一张金婚照", 1, lives.KEPT, theme=WINTER),
    # on the wall: for the first time, again, in part, and after something else came to nothing
    _w("A01", GOODS, "想要一个电饭煲", "一位居民家里的电饭煲坏了，想要一个小一点的",
       "家里的电饭煲坏了，想要一个小一点的，3栋501室，电话19900000001", 5, lives.HANGS,
       value_yuan=200, address="梧桐苑3栋501室", nickname="爱做饭的老张", may_share=True),
    _w("B02", SPIRIT, "想学一首老歌", "想请人教一首年轻时候的歌", "想学一首年轻时候的歌，没有人教", 4, lives.supported("居民B03")),
    _w("B02", SPIRIT, "看一次江景", "一位长者想有人陪着看一次江景", "很久没出门，想有人陪着看一次江景", 14, lives.KEPT, theme=AUTUMN),
    _w("B05", SERVICE, "周末陪聊", "想有人周末来坐坐", "孩子在外地，想有人来坐坐", 6, lives.SAID_ANEW),
    _w("B10", SERVICE, "网上缴费代办", "不会在手机上交水电费", "不会在手机上交水电费，想有人帮着办", 9, lives.HANGS),
    _w("B13", GOODS, "一张旧书桌", "想要一张孩子写字的书桌", "想要几百块钱的书桌", 10, lives.AFTER_A_NO),
    _w("B08", SPIRIT, "参观科技馆", "想带孩子参观一次科技馆", "想带孩子参观一次科技馆，不知道怎么约", 22, lives.HANGS),
    _w("B11", GOODS, "一台电风扇", "顶楼很热，想要一台电风扇", "顶楼太热，电风扇坏了", 25, lives.HANGS, value_yuan=150),
    _w("B03", GOODS, "三副老花镜", "合唱队的三位长者想要老花镜", "合唱队三位老人看不清歌谱，想要老花镜", 4,
       lives.begun(PARTNER, pieces=2), **_GLASSES),
    _w("B08", SERVICE, "教认几个字", "一位居民想学认字", "没上过学，想学认几个字", 7, lives.REFUSED),
    _w("B11", SPIRIT, "学弹古筝", "想请人教一点古筝", "家里有一台古筝，想请人教一点", 9, lives.GIVEN_BACK),
    _w("A05", SERVICE, "数学作业辅导", "四年级的孩子想有人辅导数学", "数学题不会做，想有哥哥姐姐教", 15, lives.NOT_ACCEPTED),
    _w("B09", SERVICE, "看懂存折", "想有人教看存折和短信", "银行的短信看不懂，想有人教", 13, lives.NOT_CONTACTED),
    _w("B04", GOODS, "一根拐杖", "一位居民腿脚不便，想要一根拐杖", "下楼腿软，想要一根拐杖", 8, lives.TAKEN_BACK, value_yuan=80),
    _w("B01", SERVICE, "疏通下水道", "卫生间下水慢", "卫生间下水很慢，想请人通一通", 8, lives.LET_DOWN),
    _w("A02", PUBLIC, "晾晒区", "楼前想有一块晾被子的地方", "楼前没有地方晾被子", 12, lives.NOT_THE_STREETS),
    _w("B07", SPIRIT, "教唱方言歌", "想请人教孩子唱方言歌", "想请人教孩子唱方言歌", 42, lives.STREET_SENT_BACK),
    # asked for, sent, under way
    _w("B07", SERVICE, "英语作业辅导", "初一的孩子想有人辅导英语", "孩子英语跟不上，想有人辅导", 3, lives.asked_for(SCHOOL, after=3)),
    _w("B01", SERVICE, "周末聊聊天", "一位独居的居民想有人周末来坐坐", "周末一个人在家，想有人来聊聊天", 4, lives.asked_for(SUPERMARKET, after=4)),
    _w("B09", SERVICE, "反诈讲给我听", "想有人讲一讲怎么防诈骗", "总接到奇怪的电话，想有人讲讲", 3, lives.SENT),
    _w("B15", SERVICE, "陪同就医", "一位居民要去医院检查", "下周去医院检查，想请人陪", 4, lives.begun(WORKERS), may_share=True),
    _w("B12", SPIRIT, "生日祝福", "一位长者想听大家唱一次生日歌", "八十岁了，想听大家唱一次生日歌", 8, lives.spoken(SOCIETY)),
    _w("B06", SPIRIT, "拍全家福", "一家人想拍一张全家福", "孙子要去外地上学，想拍一张全家福", 20, lives.EXTENDED, may_share=True),
    _w("A06", SPIRIT, "听一场戏", "一位长者想听一场戏", "很多年没听过戏了", 10, lives.WITH_HELP),
    _w("B02", SERVICE, "换灯泡", "客厅灯泡太高换不了", "客厅灯泡太高，自己换不了", 9, lives.HANDED_ON),
    _w("B08", SERVICE, "教用电脑", "想学用电脑看照片", "想学用电脑看孙子的照片", 25, lives.spoken(SCHOOL, days=LATE_DAYS)),
    _w("B12", SERVICE, "咨询遗嘱", "想咨询遗嘱怎么写", "想问问遗嘱怎么写", 24, lives.spoken(JUSTICE, days=LATE_DAYS)),
    _w("B10", SERVICE, "理发上门", "一位居民出不了门，想理发", "腿不好出不了门，想有人上门理发", 10, lives.delivered(SOCIETY, 8)),
    _w("B04", SERVICE, "整理手机相册", "手机存不下照片了", "手机存不下照片了，想有人帮着整理", 10, lives.delivered(PARTNER, 8)),
    _w("B14", SERVICE, "检修电视机", "电视机没有声音", "电视机没有声音", 30,
       lives.delivered(COLLEGE, 12, Evidence.SLIP, "学生签了维修单")),
    _w("B05", SERVICE, "修卫生间龙头", "卫生间龙头滴水", "卫生间龙头滴水，晚上吵得睡不着", 14, lives.DISPUTED),
    # fulfilled, and how it was
    _w("B01", SERVICE, "陪着去复查", "一位居民要去医院复查", "下周去医院复查，想请人陪着去", 30, lives.WITH_THE_CODE, may_share=True),
    _w("B15", SERVICE, "咨询租房合同", "想请人看看租房合同", "租房合同看不懂", 35,
       lives.fulfilled(JUSTICE, Level.VERY_HAPPY, "讲得很清楚")),
    _w("A06", SERVICE, "上门理发", "一位长者出不了门，想理发", "下不了楼，想理个发", 40, lives.ON_A_VISIT,
       address="书香红墙里2栋101室", hand_over=HandOver.HOME),
    _w("B14", GOODS, "一双运动鞋", "想要一双37码的运动鞋", "想要一双走路的鞋，37码", 45, lives.BY_CALL, value_yuan=120),
    _w("A05", SPIRIT, "生日想有人讲故事", "孩子过生日，想听一次讲故事", "生日想有人来讲故事", 21, lives.FOR_THEM),
    _w("B12", SERVICE, "写一封信", "想请人代写一封信", "想给老战友写一封信", 10, lives.fulfilled(JUSTICE, None)),
    _w("B03", GOODS, "棉被四件套", "想要一套新的四件套", "四件套用了很多年，破了", 30, lives.MENDED, value_yuan=200),
    _w("A03", SERVICE, "修马桶", "马桶水箱漏水", "马桶水箱漏水，一个月多了好几吨水", 10, lives.UNHAPPY),
    _w("B02", GOODS, "看报的老花镜", "读报小组的三位长者想要老花镜", "读报小组三位老人要老花镜", 45, lives.IN_TWO_HANDS, **_GLASSES),
    _w("A04", SERVICE, "修电风扇", "电风扇不转了", "电风扇不转了，舍不得扔", 40, lives.DECLINED_THEN_DONE),
    _w("B06", SERVICE, "门口划停车线", "小区门口三轮车挡路，想划停车线", "门口三轮车乱停，出不去", 60, lives.STREET_DID),
    _w("B04", PUBLIC, "挡路的电线杆", "路口有一根废弃的电线杆", "路口废弃的电线杆挡着路", 35, lives.RETURNED),
    # with the street
    _w("A04", SERVICE, "每周陪着出门", "一位居民每周要出门两次，想有人陪", "每周要去两次医院，没人陪", 33, lives.ESCALATED),
    _w("B07", GOODS, "一辆旧轮椅", "想要一辆旧轮椅推老人下楼", "想要一辆旧轮椅推老人下楼，旧的也可以", 34, lives.ESCALATED),
    _w("B03", SERVICE, "装一个防滑垫", "浴室地滑，想装防滑垫和把手", "浴室地滑，摔过一次", 33, lives.ESCALATED),
    _w("B06", PUBLIC, MEETING.about, "小区东门的坡道较陡，希望加装扶手", "坡道太陡，想请街道装一段扶手", 3, lives.CONVERTED),
    _w("B09", PUBLIC, "多几个充电桩", "电动车充电桩不够用", "电动车充电要排队", 2, lives.CONVERTED),
    _w("B05", PUBLIC, "菜场门口井盖破损", "菜场门口的井盖破损，晚上容易踩空", "菜场门口的井盖破了，晚上走路怕踩空", 5, lives.ASSIGNED),
    # over, and not fulfilled
    _w("B06", PUBLIC, "楼道灯不亮", "楼道灯不亮", "楼道的灯不亮了，晚上回家看不见", 50, lives.REJECTED),
    _w("B11", GOODS, "一把电热水壶", "想要一把电热水壶", "水壶漏水了", 40, lives.TAKEN_OFF, value_yuan=60),
    _w("A01", SERVICE, "搬一次柜子", "想请人帮着搬一个柜子", "柜子太重，想请人搬一下", 28, lives.WITHDRAWN),
    _w("B10", SPIRIT, "看一次电影", "想有人陪着看一次电影", "想有人陪着看一次电影", 26, lives.NO_LONGER_NEEDED),
    _w("A01", PUBLIC, "篮球场", "附近想有一个篮球场", "附近没有地方打篮球", 48, lives.STREET_CANNOT),
    _w("B09", SERVICE, "代购药品", "想请人每月代购药品", "每月要去市里买药，想有人代购", 40, lives.WITHDRAWN_LATE),
)  # fmt: skip
