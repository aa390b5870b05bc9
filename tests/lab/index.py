"""The table of stories in captures/README.md, written from the labels."""

import json

START, END = "<!-- stories -->", "<!-- end of stories -->"


def row(label):
    """One line of the table."""
    wanted = {}
    for finding in label["expected"]:
        text = f"{finding['kind']} {finding['min_confidence']}"
        wanted[text] = wanted.get(text, 0) + 1
    told = ", ".join(f"{count} {text}" if count > 1 else text for text, count in wanted.items())
    return f"| `{label['story']}` | {label['kind']} | {label['vantage']} | {told or 'nothing'} |"


def write_index(root):
    """Replace the table between the two marks; a folder without README.md has no index."""
    path = root / "README.md"
    if not path.exists():
        return
    labels = [json.loads(found.read_text(encoding="utf-8"))
              for found in sorted(root.glob("*/label.json"))]
    labels.sort(key=lambda label: (label["kind"] == "innocent", label["story"]))
    table = ["| story | kind | vantage | expected |", "|---|---|---|---|", *map(row, labels)]
    head, _, rest = path.read_text(encoding="utf-8").partition(START)
    tail = rest.partition(END)[2]
    path.write_text(f"{head}{START}\n" + "\n".join(table) + f"\n{END}{tail}", encoding="utf-8")
