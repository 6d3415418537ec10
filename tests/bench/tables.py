"""What the bench found, as tables: for a terminal or for docs/performance.md."""
import statistics


def number(value, digits=1):
    if value is None:
        return "-"
    return f"{value:,.{digits}f}".replace(",", " ")


def share(ours, theirs):
    if not ours or not theirs:
        return "-"
    return (f"1/{theirs / ours:.1f}" if ours <= theirs
            else f"{ours / theirs:.1f}")


class Found:
    """Results of all rounds; medians are what the tables show."""

    def __init__(self):
        self.results = {}  # (scenario, broker) -> list of results

    def add(self, scenario, broker, result):
        self.results.setdefault((scenario, broker), []).append(result)

    def values(self, scenario, broker, key):
        return [r[key] for r in self.results.get((scenario, broker), [])
                if key in r]

    def median(self, scenario, broker, key):
        values = self.values(scenario, broker, key)
        return statistics.median(values) if values else None

    def start(self, broker, key):
        values = [r["start"][key] for (_, b), all_ in self.results.items()
                  if b == broker for r in all_ if "start" in r]
        return statistics.median(values) if values else None


def traffic(found, names, scenarios):
    header = ["CPU us per delivered message"] + names + ["share"]
    header += [f"{n}, msgs/s" for n in names]
    header += [f"{n}, p50 / p99 us" for n in names]
    rows = []
    for scenario in scenarios:
        cpu = [found.median(scenario, n, "cpu_us") for n in names]
        if not any(cpu):
            continue
        row = [scenario] + [number(c, 2) for c in cpu]
        row.append(share(*cpu) if len(cpu) == 2 else "-")
        row += [number(found.median(scenario, n, "per_second"), 0)
                for n in names]
        row += [" / ".join(number(found.median(scenario, n, key), 0)
                           for key in ("p50_us", "p99_us")) for n in names]
        rows.append(row)
    return header, rows


def kept(found, names, loads):
    """Storing and giving back: time is what who waits for it sees."""
    header = ["kept messages"] + [f"{n}, us" for n in names] + ["share"]
    header += [f"{n}, ms" for n in names] + ["time"]
    rows = []
    for load in loads:
        cpu = [found.median(load, n, "cpu_us") for n in names]
        ms = [found.median(load, n, "ms") for n in names]
        if not any(cpu):
            continue
        both = len(names) == 2
        rows.append([load] + [number(c, 2) for c in cpu] +
                    [share(*cpu) if both else "-"] +
                    [number(m, 2) for m in ms] +
                    [share(*ms) if both else "-"])
    return header, rows


def kilo(value):
    return None if value is None else value / 1000


def keeping(found, names, scenarios):
    """Bytes: of a message, until it is kept and until it is fetched and gone. A
    share is of the row above, which keeps nothing."""
    header = ["acknowledged at QoS 1"] + [f"{n}, msgs/s" for n in names]
    header += [f"{n}, share" for n in names] + [f"{n}, us" for n in names]
    header += [f"{n}, p50 / p99 ms" for n in names]
    header += [f"{n}, bytes kept + gone" for n in names]
    rows, before = [], None
    for scenario in scenarios:
        rate = [found.median(scenario, n, "per_second") for n in names]
        if not any(rate):
            continue
        row = [scenario] + [number(r, 0) for r in rate]
        if scenario.endswith(", durable") and before:
            row += [f"{100 * r / b:.0f} %" if r and b else "-"
                    for r, b in zip(rate, before)]
        else:
            row += ["-" for n in names]
        row += [number(found.median(scenario, n, "cpu_us"), 2) for n in names]
        row += [" / ".join(number(kilo(found.median(scenario, n, key)))
                           for key in ("p50_us", "p99_us")) for n in names]
        kept = scenario.endswith(", not durable")
        row += ["-" if kept else
                " + ".join(number(v, 0 if v > 10 else 1) for v in (
                    found.median(scenario, n, key)
                    for key in ("written", "written_fetched"))
                    if v is not None) or "-" for n in names]
        rows.append(row)
        before = rate
    return header, rows


def house(found, names):
    days = [found.median("house", n, "day") for n in names]
    if not any(days):
        return ["a house"], []
    return ["an idle house writes"] + names, [
        ["MB a day"] + [number(d and d / 1e6) for d in days]]


def memory(found, names, scenarios):
    rows = [[label] + [number(found.start(n, key), 0) for n in names]
            for key, label in (("Rss", "resident at start, KiB"),
                               ("Pss", "its share of that (Pss), KiB"),
                               ("Private_Dirty", "private at start, KiB"))]
    rows += [[f"{scenario}, bytes"] +
             [number(found.median(scenario, n, "bytes"), 0) for n in names]
             for scenario in scenarios]
    return ["memory"] + names, [r for r in rows if r[1] != "-"]


def flat(found, name, scenarios):
    """The least of all rounds: what is asked is what does not grow."""
    rows = []
    for title, steps in scenarios:
        least = [min(found.values(f"{title} {step}", name, "cpu_us"),
                     default=None) for step in steps]
        if not all(least):
            continue
        rows.append([title, ", ".join(number(s, 0) for s in steps),
                     ", ".join(number(v, 2) for v in least),
                     number(max(least) / least[0], 2)])
    return ["CPU us per message with", "so many", name, "most / first"], rows


def text(table, markdown):
    header, rows = table
    if not rows:
        return ""
    if markdown:
        lines = [header, ["---"] + ["---:"] * (len(header) - 1)] + rows
        return "\n" + "".join(f"| {' | '.join(row)} |\n" for row in lines)
    widths = [max(len(row[i]) for row in [header] + rows)
              for i in range(len(header))]
    return "\n" + "".join(
        "  ".join(cell.ljust(width) if i == 0 else cell.rjust(width)
                  for i, (cell, width) in enumerate(zip(row, widths))) + "\n"
        for row in [header] + rows)


BEGIN, END = "<!-- bench -->\n", "<!-- /bench -->\n"


def write(path, tables):
    """Between the two marks of a page."""
    with open(path, encoding="utf-8") as page:
        before, _, rest = page.read().partition(BEGIN)
    _, found, after = rest.partition(END)
    if not found:
        raise ValueError(f"{path} has no {BEGIN.strip()} and {END.strip()}")
    with open(path, "w", encoding="utf-8") as page:
        page.write(before + BEGIN + tables + "\n" + END + after)
