"""Some of many, evenly spread."""


def evenly(count: int, wanted: int) -> tuple[int, ...]:
    """`wanted` of the numbers 0 to `count` - 1, evenly spread from 0 on; all of them where there are fewer."""
    wanted = min(wanted, count)
    return tuple(int(k * count / wanted) for k in range(wanted))
