"""WeChat's errcodes by name, as far as we treat them apart (wechat.md §1.1, §2, §4.1, §4.6, §5, §6, §7)."""

from __future__ import annotations

SYSTEM_BUSY = -1
INVALID_CREDENTIAL = 40001
INVALID_OPENID = 40003
INVALID_APPID = 40013
INVALID_ACCESS_TOKEN = 40014
INVALID_CODE = 40029
INVALID_SECRET = 40125
CODE_USED = 40163
IP_NOT_ALLOWED = 40164
INVALID_LINK_PATH = 40165
CODE_BLOCKED = 40226
SECRET_FROZEN = 40243
APPID_MISSING = 41002
SECRET_MISSING = 41004
CODE_MISSING = 41008
INVALID_PAGE = 41030
ACCESS_TOKEN_EXPIRED = 42001
PERMISSION_GONE = 43101
SENDING_ALREADY = 43108
SECOND_LIMIT = 44990
MINUTE_LIMIT = 44991
DAY_LIMIT = 44993
DAILY_QUOTA = 45009
TOO_FREQUENT = 45011
NOT_VISITED = 61010
APP_NOT_RELEASED = 85079
REPEATED = 87020
TEMPLATES_FULL = 200012
TEMPLATE_BANNED = 200013
WRONG_TEMPLATE_TITLE = 200014
WRONG_KEYWORDS = 200020
WRONG_SCENE_TEXT = 200021
TEMPLATE_EXISTS = 200022

# The token is no good; renew it once (§3).
TOKEN_BAD = frozenset({INVALID_CREDENTIAL, INVALID_ACCESS_TOKEN, ACCESS_TOKEN_EXPIRED})

# Our account or its settings are wrong; only the people who run the house can mend it. 48001 capability not granted,
# 50004/50007 account forbidden or frozen, 85407/85408 links not granted or banned,
# 89503/89506/89507 the IP waits for an administrator's word, 200011/200100 templates not for this account.
MISCONFIGURED = frozenset(
    {
        INVALID_APPID,
        INVALID_SECRET,
        IP_NOT_ALLOWED,
        SECRET_FROZEN,
        APPID_MISSING,
        SECRET_MISSING,
        48001,
        50004,
        50007,
        85407,
        85408,
        89503,
        89506,
        89507,
        200011,
        200100,
    }
)

# A send refused with one of these has surely not arrived and may arrive later (§4.1).
TRY_LATER = TOKEN_BAD | {
    SYSTEM_BUSY,
    SENDING_ALREADY,
    SECOND_LIMIT,
    MINUTE_LIMIT,
    DAY_LIMIT,
    DAILY_QUOTA,
    TOO_FREQUENT,
}
