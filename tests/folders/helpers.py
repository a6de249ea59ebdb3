"""Files that no run writes, in folders of which some have the names of those that a run makes."""

OF_OTHERS = [
    "thesis.txt",
    "checkpoints/notes.txt",
    "members/list.txt",
    "members/1/notes.txt",
    "teacher/notes.txt",
    "final/thesis.txt",
    "final/members/2/x",
]
