"""What `datagen bench` measures on odd-one-out scenes: `parts.BENCHES`."""
