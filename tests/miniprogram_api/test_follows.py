"""A phone follows communities and courses."""

from __future__ import annotations

from models.base import reading
from models.follows import Follow
from tests.people import Town
from tests.phones import Door, the_problem, told


def test_one_follows_a_community_and_a_course_and_lets_them_be(door: Door, town: Town) -> None:
    phone, run = door.phone(town.resident), town.a_run(title="书法")
    course = told(phone.get(f"/course-runs/{run.key}"))["course"]
    followed = told(phone.put(f"/me/follows/communities/{town.wangjiang.key}", json={}))
    assert (followed["community"]["name"], followed["course"], followed["muted"]) == ("望江社区", None, False)
    followed = told(phone.put(f"/me/follows/courses/{course}"))
    assert (followed["course"]["title"], followed["course"]["community"]["name"]) == ("书法", "梧桐里社区")
    assert len(told(phone.get("/me/follows"))["items"]) == 2
    for _ in range(2):
        for address in (f"communities/{town.wangjiang.key}", f"courses/{course}"):
            assert phone.delete(f"/me/follows/{address}").status_code == 204
    assert told(phone.get("/me/follows"))["items"] == []


def test_one_mutes_the_community_one_lives_in(door: Door, town: Town) -> None:
    phone = door.phone(town.resident)
    address = f"/me/follows/communities/{town.wutong.key}"
    assert told(phone.put(address, json={"muted": True}))["muted"]
    assert not told(phone.put(address, json={"muted": False}))["muted"]


def test_what_nobody_sees_is_not_followed(door: Door, town: Town) -> None:
    phone, draft = door.phone(town.resident), town.a_run(published=False)
    the_problem(phone.put(f"/me/follows/courses/{draft.course.key}"), 404, "not_found")
    the_problem(phone.put(f"/me/follows/communities/{town.district.key}", json={}), 404, "not_found")


def test_what_one_follows_is_in_ones_copy_and_gone_when_one_leaves(door: Door, town: Town) -> None:
    phone = door.phone(town.resident)
    told(phone.put(f"/me/follows/communities/{town.wangjiang.key}", json={}))
    copied = told(phone.get("/me/copy"))
    assert [follow["community"] for follow in copied["follows"]] == ["望江社区"]
    assert phone.delete(f"/me?closure={told(phone.get('/me/closure'))['closure']}").status_code == 204
    with door.app.app_context(), reading() as session:
        assert session.query(Follow).count() == 0
