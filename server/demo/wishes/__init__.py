"""The demo town's sixty wishes (domain.md §5): in every state, come there on every way a wish can go.

book  who wished what, when, and what became of it    lives  the ways a wish can go, day by day    acts  what is done on them, by whom
stage  who takes part, and the days that go by

Nothing is written into a state: each wish is made on the day it was made and goes on by the verbs people use, on a clock put back to then, while what
happens by itself (reminders, turns on the wall, claims let lie) happens in between.
"""

from server.demo.wishes.stage import play_wishes

__all__ = ["play_wishes"]
