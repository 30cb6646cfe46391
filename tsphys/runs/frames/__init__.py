"""The frames: what makes a run of the physics that a model's file gives.

`verb` is what all of them make, `options` what runs are asked for. A frame is a decorator of a function of physics, and
stands in a file of its own: here if models of several families need it, beside its engine otherwise. A second kind of
run is a second frame.
"""

from tsphys.runs.axis import Points
from tsphys.runs.frames.course import Times, course, courses, in_time, or_over_time
from tsphys.runs.frames.flow import Equations, Follow, Solution, flow, ode
from tsphys.runs.frames.instances import Memory, Replica, instances, replicated, room
from tsphys.runs.frames.iterated import Decades, Steps, Tasks, iterated, seen
from tsphys.runs.frames.options import Options, Replicas, Sized, chosen, described
from tsphys.runs.frames.solved import solved
from tsphys.runs.frames.static import static, theory
from tsphys.runs.frames.verb import Verb
from tsphys.runs.points import Row, over, stack

__all__ = [
    "Decades",
    "Equations",
    "Follow",
    "Memory",
    "Options",
    "Points",
    "Replica",
    "Replicas",
    "Row",
    "Sized",
    "Solution",
    "Steps",
    "Tasks",
    "Times",
    "Verb",
    "chosen",
    "course",
    "courses",
    "described",
    "flow",
    "in_time",
    "instances",
    "iterated",
    "ode",
    "or_over_time",
    "over",
    "replicated",
    "room",
    "seen",
    "solved",
    "stack",
    "static",
    "theory",
]
