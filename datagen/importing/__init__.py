"""Published data become datasets of ours: the same tree with a manifest, so that every command works on them."""
