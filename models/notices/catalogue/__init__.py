"""The catalogue of moments (domain.md §6): what is told to whom, with which template, in which words, how urgently.

One entry a moment, readable as a table: adding a moment is adding an entry here. A template is named by us; its id at WeChat is a
setting (``WECHAT_TEMPLATES``), because every account has its own. The keyword keys below must be the keys of that template
(``thing1`` …); the values are fitted to WeChat's limits in ``keywords``.
"""

from __future__ import annotations

from collections.abc import Mapping

from models.notices.catalogue.classes import CLASSES
from models.notices.catalogue.people import PEOPLE
from models.notices.catalogue.rooms import ROOMS
from models.notices.catalogue.wishes import WISHES
from models.notices.kinds import TEMPLATE_TITLES, About, NoticeKind, ShortMessageName, TemplateName
from models.notices.moment import Moment

__all__ = [
    "MOMENTS",
    "TEMPLATE_TITLES",
    "About",
    "Moment",
    "NoticeKind",
    "ShortMessageName",
    "TemplateName",
]

MOMENTS: Mapping[NoticeKind, Moment] = {
    moment.kind: moment for moment in (*CLASSES, *ROOMS, *WISHES, *PEOPLE)
}
