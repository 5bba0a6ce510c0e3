"""Planning and resuming grow in line with the number of shapes."""

from datagen.bench.scale import plan_and_scan


def test_plan_and_scan_grow_linearly():
    plan_and_scan(50)
    small, large = plan_and_scan(200), plan_and_scan(1600)
    assert large["rows"] > 7 * small["rows"]
    for name in ("plan_cpu_s", "scan_cpu_s"):
        assert large[name] < 14 * max(small[name], 0.05), (name, small, large)
