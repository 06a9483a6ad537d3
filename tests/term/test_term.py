"""A term (学期) of an evening school, played through as people play it: over the API, by the clock, with the worker at work.

Each deed stands with who hears of it, on which day; in the end exactly that lies on the phones, and nothing else of these moments.
"""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from models.base import transaction
from models.clock import StoppedClock
from models.notices import NoticeKind
from tests.people import Town, a_resident
from tests.phones import Door
from tests.playing import Deed, Heard, at, hear
from tests.term import evenings, opening
from tests.term.playing import Term

Kind = NoticeKind
pytestmark = pytest.mark.long

OF_A_TERM = frozenset(  # M1 to M6 and M29 of the catalogue, and the child on its way home
    {
        *(Kind.REGISTRATION_CONFIRMED, Kind.REGISTRATION_PROMOTED, Kind.SELECTED, Kind.NOT_SELECTED),
        *(Kind.SEAT_OFFERED, Kind.OFFER_ENDING, Kind.CLASS_TOMORROW, Kind.CLASS_SOON),
        *(Kind.CLASS_MOVED, Kind.CLASS_CALLED_OFF, Kind.RUN_MERGED, Kind.RUN_CANCELLED),
        *(Kind.ABSENCE_NOTED, Kind.REGISTERING_PAUSED, Kind.PAUSE_LIFTED, Kind.APPEAL_DECIDED),
        *(Kind.NEW_CLASSES, Kind.OPENING_SOON, Kind.ACTED_FOR_YOU, Kind.CHILD_FETCHED),
    }
)
NEIGHBOURHOOD = ("resident", "neighbour", "helper", "guardian", "senior")


def come(about: str, tomorrow: str, today: str, *who: str) -> list[Heard]:
    """These people are reminded of a class on both days."""
    return [
        *hear(tomorrow, Kind.CLASS_TOMORROW, about, *who),
        *hear(today, Kind.CLASS_SOON, about, *who),
    ]


STORY: Sequence[Deed[Term]] = (
    Deed(at(11, 20, 12), opening.the_clerk_imports_the_timetable),
    Deed(at(11, 20, 12), opening.three_times_as_many_may_wait),
    Deed(
        at(11, 20, 13),
        opening.the_clerk_writes_more_classes_down,
        hear("11-21", Kind.NEW_CLASSES, "", *NEIGHBOURHOOD),
    ),
    Deed(at(11, 21, 9, 5), opening.everybody_sees_what_is_new),
    Deed(
        at(11, 21, 10),
        opening.everybody_taps,
        [
            *hear("11-21", Kind.REGISTRATION_CONFIRMED, "咖啡拉花", "resident"),
            *hear("11-21", Kind.REGISTRATION_CONFIRMED, "剪纸", "guardian"),
            *hear("11-21", Kind.REGISTRATION_CONFIRMED, "太极", "neighbour"),
            *hear("11-21", Kind.REGISTRATION_CONFIRMED, "八段锦", "helper"),
            *hear("11-21", Kind.REGISTRATION_CONFIRMED, "书评会", "resident"),
        ],
    ),
    Deed(
        at(11, 21, 11),
        opening.a_guardian_brings_a_child,
        [
            *hear("11-21", Kind.REGISTRATION_CONFIRMED, "小小画家", "guardian"),
            *hear("11-21", Kind.REGISTRATION_CONFIRMED, "亲子绘本", "guardian"),
            *come("亲子绘本", "11-27", "11-28", "guardian"),
            *come("小小画家", "11-28", "11-29", "guardian"),
        ],
    ),
    Deed(
        at(11, 21, 12),
        opening.a_seat_is_given_up_and_the_next_has_it,
        [
            *hear("11-21", Kind.REGISTRATION_PROMOTED, "剪纸", "outsider"),
            *come("剪纸", "11-24", "11-25", "outsider"),
        ],
    ),
    Deed(at(11, 22, 13), opening.anybody_repeats_the_draw),  # who hears, the lots say
    Deed(
        at(11, 22, 14),
        opening.staff_look_at_the_applicants,
        [
            *hear("11-22", Kind.SELECTED, "合唱", "helper"),
            *hear("11-22", Kind.NOT_SELECTED, "合唱", "outsider"),
            *come("合唱", "11-28", "11-29", "helper"),
        ],
    ),
    Deed(
        at(11, 23, 10),
        opening.an_evening_moves,
        [
            *hear("11-23", Kind.CLASS_MOVED, "太极", "neighbour"),
            *come("太极", "11-23", "11-24", "neighbour"),
        ],
    ),
    Deed(
        at(11, 23, 15),
        opening.an_evening_is_called_off,
        hear("11-23", Kind.CLASS_CALLED_OFF, "太极", "neighbour"),
    ),
    Deed(
        at(11, 24, 8, 30),
        opening.a_seat_is_freed_and_offered,
        [
            *hear("11-24", Kind.SEAT_OFFERED, "咖啡拉花", "neighbour"),
            *hear("11-24", Kind.OFFER_ENDING, "咖啡拉花", "neighbour"),
        ],
    ),
    Deed(
        at(11, 24, 15),
        opening.a_class_with_few_joins_another,
        [
            *hear("11-24", Kind.RUN_MERGED, "八段锦", "helper"),
            *come("八段锦", "11-29", "11-30", "helper"),
        ],
    ),
    Deed(
        at(11, 24, 21),
        opening.the_next_accepts,
        [
            *hear("11-24", Kind.SEAT_OFFERED, "咖啡拉花", "helper"),
            *hear("11-24", Kind.REGISTRATION_CONFIRMED, "咖啡拉花", "helper"),
            *come("咖啡拉花", "12-04", "12-05", "helper"),
        ],
    ),
    Deed(
        at(11, 25, 12),
        opening.a_class_is_called_off,
        hear("11-25", Kind.RUN_CANCELLED, "书评会", "resident"),
    ),
    Deed(
        at(11, 26, 10),
        opening.the_dancers_register,
        [
            *hear("11-26", Kind.REGISTRATION_CONFIRMED, "民族舞", "resident", "neighbour", "guardian"),
            *come("民族舞", "11-30", "12-01", "resident", "neighbour", "guardian"),
        ],
    ),
    Deed(
        at(11, 27, 10),
        opening.families_and_staff_register_elders,
        [
            *hear("11-27", Kind.REGISTRATION_CONFIRMED, "口才与表达", "resident", "neighbour", "helper"),
            *hear("11-27", Kind.ACTED_FOR_YOU, "口才与表达", "senior"),
            *come("口才与表达", "12-01", "12-02", "resident", "neighbour", "helper", "senior"),
        ],
    ),
    Deed(at(11, 27, 11), opening.the_elder_without_wechat_is_called),
    Deed(
        at(11, 27, 12),
        opening.the_counter_has_a_seat_of_its_own,
        [
            *hear("11-27", Kind.REGISTRATION_CONFIRMED, "手机课堂", "neighbour"),
            *come("手机课堂", "12-02", "12-03", "neighbour"),
        ],
    ),
    Deed(
        at(11, 28, 10),
        opening.the_painters_register,
        [
            *hear("11-28", Kind.REGISTRATION_CONFIRMED, "团扇绘画", "resident", "neighbour", "outsider"),
            *hear("11-28", Kind.ACTED_FOR_YOU, "团扇绘画", "guardian"),
            *come("团扇绘画", "12-02", "12-03", "resident", "neighbour", "outsider", "guardian"),
        ],
    ),
    Deed(at(11, 28, 10, 30), evenings.staff_copy_a_paper_list),
    Deed(at(11, 28, 12), evenings.a_guardian_names_who_fetches_the_child),
    Deed(
        at(11, 29, 15),
        evenings.the_child_comes_and_is_fetched,
        hear("11-29", Kind.CHILD_FETCHED, "小小画家", "guardian"),
    ),
    Deed(
        at(11, 30, 12),
        opening.somebody_follows_a_course,
        hear("12-04", Kind.OPENING_SOON, "日常美妆", "outsider"),
    ),
    Deed(
        at(12, 1, 17, 50),
        evenings.dancers_check_in,
        hear("12-01", Kind.ABSENCE_NOTED, "民族舞", "neighbour"),
    ),
    Deed(at(12, 2, 12), evenings.the_elders_helper_asks_for_leave),
    Deed(
        at(12, 2, 18, 2),
        evenings.speakers_are_on_the_paper_list,
        hear("12-02", Kind.ABSENCE_NOTED, "口才与表达", "neighbour"),
    ),
    Deed(
        at(12, 3, 19, 30),
        evenings.painters_were_seen_without_a_network,
        [
            *hear("12-03", Kind.ABSENCE_NOTED, "团扇绘画", "neighbour"),
            *hear("12-03", Kind.REGISTERING_PAUSED, "社区课程报名", "neighbour"),
        ],
    ),
    Deed(at(12, 3, 20, 30), evenings.three_absences_pause_registering),
    Deed(at(12, 3, 21), evenings.the_absent_one_appeals),
    Deed(
        at(12, 4, 11),
        evenings.staff_grant_the_appeal,
        [
            *hear("12-04", Kind.APPEAL_DECIDED, "团扇绘画", "neighbour"),
            *hear("12-04", Kind.PAUSE_LIFTED, "社区课程报名", "neighbour"),
        ],
    ),
    Deed(at(12, 4, 12), evenings.painters_have_certificates),
    Deed(at(12, 4, 13), evenings.painters_say_how_it_was),
    Deed(at(12, 4, 14), evenings.classes_stand_in_the_calendar),
    Deed(at(12, 4, 15), evenings.lists_are_printed),
    Deed(
        at(12, 4, 16),
        evenings.the_course_runs_again_next_term,
        hear("12-05", Kind.NEW_CLASSES, "", *NEIGHBOURHOOD, "outsider"),
    ),
    Deed(at(12, 5, 16), evenings.nobody_is_asked_after_what_is_over),
)


def heard_of_the_draw(term: Term) -> list[Heard]:
    """What the three who applied heard, as the lots fell."""
    return [
        *hear("11-22", Kind.SELECTED, "书法", *term.winners),
        *hear("11-22", Kind.NOT_SELECTED, "书法", *term.losers),
        *come("书法", "11-27", "11-28", *term.winners),
    ]


@pytest.fixture
def term(door: Door, town: Town, clock: StoppedClock) -> Term:
    """The town before the term, everybody allowed everything."""
    with transaction() as session:
        senior = a_resident(session, town.wutong, name="孙奶奶", birth_year=1950, phone="13900000009")
    played = Term(door, town, clock, {"senior": senior})
    played.everybody_allows_everything()
    return played


def test_a_term_is_played_through_and_everybody_hears_what_concerns_them_once(term: Term) -> None:
    term.play(STORY)
    expected = sorted([*(heard for deed in STORY for heard in deed.heard), *heard_of_the_draw(term)])
    assert term.heard(OF_A_TERM) == expected
    assert {heard.kind for heard in expected} == OF_A_TERM
    term.every_class_adds_up()
    term.nothing_is_owed_twice_or_dead()
